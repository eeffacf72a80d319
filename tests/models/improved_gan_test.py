import dataclasses
import json
import shutil

import commands
import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from export import saved_model
from pipelines import spec
from tfgan_suite import registry, runner
from tfgan_suite.core import averaging, checkpoint, classification, optimizers, run
from tfgan_suite.layers import minibatch_discrimination
from tfgan_suite.losses import adversarial, semi_supervised
from tfgan_suite.models import improved_gan

SGD = {name: optimizers.SGD(learning_rate=0.01) for name in ("discriminator_optimizer", "generator_optimizer")}


def data_spec(side=16):
    image = spec.Feature(shape=(side, side, 3), dtype="float32", low=-1.0, high=1.0)
    label = spec.Feature(shape=(), dtype="int32", low=0, high=2)
    features = {"image": image, "label": label, "labelled_image": image, "labelled_label": label}
    return spec.DataSpec(name="stripes", features=features, num_classes=3, class_names=("red", "green", "blue"), size=64)


def pictures(rows, seed, side=16):
    """(images, labels): noise with one colour stronger than the others."""
    numbers = np.random.default_rng(seed)
    labels = numbers.integers(0, 3, rows)
    images = numbers.uniform(-1.0, 0.0, (rows, side, side, 3))
    images[np.arange(rows), :, :, labels] += 0.3
    return images.astype(np.float32), labels.astype(np.int32)


def batch(rows, seed=0):
    image, _ = pictures(rows, seed)
    labelled_image, labelled_label = pictures(rows, 1000 + seed % 2)
    return {key: tf.constant(v) for key, v in {"image": image, "labelled_image": labelled_image, "labelled_label": labelled_label}.items()}


def build(**changes):
    settings = {"body": "compact", "latent_size": 6, "generator_width": 4, "discriminator_width": 4, "initial_examples": 8} | SGD | changes
    if not tf.distribute.has_strategy():
        keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    return improved_gan.ImprovedGan(improved_gan.Config(**settings), data_spec(), run.Run(seed=0, phase="train", steps=8))


def test_the_discriminator_moves_on_its_batches_and_the_generator_on_another_one():
    model, seen = build(discriminator_steps=2, generator_steps=3), []
    for name in ("update_discriminator", "update_generator"):
        original = getattr(model, name)

        def note(part, stream, name=name, original=original):
            seen.append((name, part["image"].numpy(), stream.uniform((1,)).numpy().item()))
            return original(part, stream)

        object.__setattr__(model, name, note)
    assert model.batches_per_step == 3
    whole = batch(12)
    model.train_step(whole)
    assert [name for name, _, _ in seen] == ["update_discriminator"] * 2 + ["update_generator"] * 3
    for i, (_, images, _) in enumerate(seen):
        np.testing.assert_array_equal(images, whole["image"][min(i, 2) :: 3])
    assert len({number for _, _, number in seen}) == 5, "every update has its own random numbers"


def test_the_discriminator_s_loss_is_that_of_the_labelled_the_unlabelled_and_the_generated_images():
    model, term = build(terms=(semi_supervised.SemiSupervised(unlabelled_weight=1.0),)), {}
    score = model.discriminate

    def note(views):
        term["scores"] = score(views)
        return term["scores"]

    object.__setattr__(model, "discriminate", note)
    given = batch(8)
    logs = model.update_discriminator(given, model.random())
    scores = {view: {head: value.numpy().astype(np.float64) for head, value in heads.items()} for view, heads in term["scores"].items()}
    assert set(scores) == {"labelled", "real", "fake"}
    logits, labels = scores["labelled"]["class_logits"], given["labelled_label"].numpy()
    expected = np.mean(np.log(np.exp(logits).sum(1)) - logits[np.arange(8), labels])
    z = {view: np.exp(scores[view]["class_logits"]).sum(1) for view in ("real", "fake")}
    expected += -np.log(z["real"] / (z["real"] + 1.0)).mean() - np.log(1.0 / (z["fake"] + 1.0)).mean()
    assert float(logs["discriminator/loss"]) == pytest.approx(expected, rel=1e-5)


def test_without_generator_steps_the_generator_stays_and_no_batch_is_read_for_it():
    model = build(terms=(semi_supervised.SemiSupervised(unlabelled_weight=0.0),), generator_steps=0)
    before = [v.numpy() for v in model.generator.trainable_variables]
    assert model.batches_per_step == 1
    logs = model.train_step(batch(8))
    assert not [name for name in logs if name.startswith("generator")]
    assert all(np.array_equal(a, v.numpy()) for a, v in zip(before, model.generator.trainable_variables, strict=True))


def test_rates_fall_with_the_steps_however_often_the_generator_moves():
    decaying = optimizers.SGD(learning_rate=0.08, schedule=optimizers.LinearDecay())
    model = build(generator_steps=3, generator_optimizer=decaying)
    for i in range(4):
        model.train_step(batch(16, seed=i))
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.04)
    assert len(model.optimizers_by_name) == 2


def test_the_classifier_is_the_moving_average_of_the_discriminator_from_its_initial_weights():
    model = build(classifier_average=averaging.Average(decay=0.75), average=averaging.Average(decay=0.5))
    values = [[v.numpy() for v in model.discriminator.trainable_variables]]
    for i in range(3):
        model.train_step(batch(16, seed=i))
        values.append([v.numpy() for v in model.discriminator.trainable_variables])
    weights = [0.75**3, 0.25 * 0.75**2, 0.25 * 0.75, 0.25]
    for (average, _), history in zip(averaging.pairs(model.classifier, model.discriminator), zip(*values, strict=True), strict=True):
        np.testing.assert_allclose(average, sum(w * v for w, v in zip(weights, history, strict=True)), atol=1e-6)


def test_the_classifier_learns_from_few_labels():
    """64 labelled images in two fixed batches, all others without labels."""
    fast = optimizers.Adam(learning_rate=3e-3)
    model = build(
        body="mlp",
        generator_width=32,
        discriminator_width=64,
        discriminator_optimizer=fast,
        generator_optimizer=fast,
        classifier_average=averaging.Average(decay=0.9),
    )
    model.initialize(batch(64))
    logs = tiny.train(model, [batch(64, seed=i) for i in range(60)], graph=True)
    assert logs[-1]["discriminator/semi_supervised"] < 0.7 * logs[0]["discriminator/semi_supervised"]
    model.ready()
    images, labels = pictures(200, seed=5000)
    assert np.mean(classification.classifier(model)(images) != labels) < 0.1


def test_the_generator_matches_the_features_of_a_discriminator_that_stands_still():
    still, fast = optimizers.SGD(learning_rate=0.0), optimizers.Adam(learning_rate=3e-3)
    model = build(body="mlp", generator_width=32, discriminator_width=64, discriminator_optimizer=still, generator_optimizer=fast)
    bright = [{key: v if key == "labelled_label" else v / 2.0 + 0.5 for key, v in batch(64, seed=i).items()} for i in range(40)]
    model.initialize(bright[0])
    matched = [log["generator/feature_matching"] for log in tiny.train(model, bright, graph=True)]
    assert np.mean(matched[-5:]) < 0.5 * np.mean(matched[:5])


@pytest.mark.parametrize("body", improved_gan.BODIES)
def test_the_weights_are_set_up_from_data_in_the_averages_too(body):
    model = build(body=body, minibatch="code", terms=(semi_supervised.SemiSupervised(generator="saturating"),))
    model.initialize(batch(8))
    joined = next(layer for layer in model.discriminator.layers if isinstance(layer, minibatch_discrimination.MinibatchDiscrimination))
    assert np.abs(joined.bias.numpy() + 1.0).max() > 0.01
    for live, twin in ((model.discriminator, model.classifier), (model.generator, model.averaged_generator)):
        for a, v in zip(twin.variables, live.variables, strict=True):
            np.testing.assert_array_equal(a, v)


def test_replicas_are_set_up_as_one_and_train_as_one_with_minibatch_discrimination(mirrored):
    changes = {
        "body": "mlp",
        "minibatch": "code",
        "terms": (semi_supervised.SemiSupervised(generator="saturating"),),
    }
    batches = [batch(16)]
    keras.backend.clear_session()
    with mirrored.scope():
        two = build(**changes)
        two.initialize(batch(8))
    tiny.train_mirrored(mirrored, two, batches)
    one = build(**changes)
    one.initialize(batch(8))
    tiny.train(one, batches)
    assert tiny.largest_difference(tiny.weights(two), tiny.weights(one)) < 1e-5


def test_the_reference_is_drawn_from_the_prior_and_kept_in_checkpoints(tmp_path):
    models = [build(body="convolutional", reference_size=50, prior="uniform") for _ in range(2)]
    references = [model.generator.non_trainable_variables[0].numpy() for model in models]
    np.testing.assert_array_equal(*references)
    assert references[0].shape == (50, 6) and np.abs(references[0]).max() <= 1.0 and references[0].std() == pytest.approx(1 / np.sqrt(3.0), rel=0.1)
    np.testing.assert_array_equal(models[0].averaged_generator.non_trainable_variables[0], references[0])
    models[0].generator.non_trainable_variables[0].assign(np.zeros((50, 6)))
    checkpoint.Checkpoints(str(tmp_path), models[0], keep=1).save([])
    checkpoint.Checkpoints(str(tmp_path), models[1], keep=1).restore()
    np.testing.assert_array_equal(models[1].generator.non_trainable_variables[0], np.zeros((50, 6)))


def test_a_served_classifier_answers_each_row_for_itself_as_the_models_own_does(tmp_path):
    """Publishing checks every row alone, in batches and in another order, in processes without this project."""
    model = build(classifier_average=averaging.Average(decay=0.0))
    model.train_step(batch(16))
    model.ready()
    [endpoint] = [e for e in model.endpoints() if e.name == classification.ENDPOINT]
    version = saved_model.publish([endpoint], str(tmp_path), "classifier", batch_sizes=(1, 4), metadata={})
    images, _ = pictures(5, seed=3)
    served = tf.saved_model.load(version).signatures["classify"](image=tf.constant(images))
    logits = model.classifier({"image": images})["class_logits"].numpy().astype(np.float64)
    np.testing.assert_allclose(served["probabilities"], np.exp(logits) / np.exp(logits).sum(1, keepdims=True), atol=1e-5)
    np.testing.assert_array_equal(served["label"], logits.argmax(1))
    assert served["label"].dtype == tf.int64
    np.testing.assert_array_equal(classification.classifier(model)(images), logits.argmax(1))


@pytest.mark.parametrize(
    "changes",
    [{"terms": (adversarial.Adversarial(),)}, {"minibatch": "paper", "terms": (semi_supervised.SemiSupervised(generator="saturating"),)}],
    ids=["no classes", "rows are compared with each other"],
)
def test_a_model_that_cannot_classify_a_row_by_itself_does_not_offer_to(changes):
    model = build(**changes)
    assert classification.ENDPOINT not in {e.name for e in model.endpoints()}
    assert classification.classifier(model) is None


def test_labelled_images_are_needed_only_by_a_model_that_classifies():
    keys = improved_gan.ImprovedGan.keys_for
    assert keys(improved_gan.Config()) == ("image", "labelled_image", "labelled_label")
    assert keys(improved_gan.Config(terms=(adversarial.Adversarial(),))) == ("image",)
    plain = dataclasses.replace(data_spec(), features={"image": data_spec().features["image"]})
    with pytest.raises(ValueError, match="ImprovedGan trains on the batch key 'labelled_image'.*--experiment.data.labelled_per_class=10"):
        improved_gan.ImprovedGan(improved_gan.Config(), plain, run.Run(seed=0, phase="train", steps=1))


def test_the_judge_of_a_run_is_given_the_models_classifier():
    model, seen = build(), []

    class Judge:
        held_out = {}

        def run(self, batches, *, step, classify):
            seen.append(classify(pictures(3, seed=1)[0]))

    runner.judge(model, registry.experiment("improved_gan/debug"), Judge())
    assert seen[0].shape == (3,)


def test_a_run_sets_its_weights_up_once_records_its_labelled_examples_and_resumes_bit_for_bit(tmp_path):
    experiment = registry.experiment("improved_gan/debug")
    experiment.model = improved_gan.Config(body="mlp", latent_size=8, generator_width=8, discriminator_width=16, initial_examples=16)
    experiment.data.source = commands.image_folder(tmp_path / "set")
    experiment.data.labelled_per_class = 3
    paths = [tmp_path / name for name in ("whole", "broken")]
    model, _ = runner.train(experiment, str(paths[0]), data_dir=str(tmp_path))
    scales = [v.numpy() for v in model.discriminator.non_trainable_variables]
    assert len(scales) == 5 and all(np.abs(scale - 1.0).max() > 0.01 for scale in scales)
    shutil.copytree(paths[0], paths[1])
    for path in (paths[1] / "train" / "checkpoints").glob("ckpt-4*"):
        path.unlink()
    runner.train(experiment, str(paths[1]), data_dir=str(tmp_path))
    whole, resumed = (commands.checkpoint_values(path / "train" / "checkpoints" / "ckpt-4") for path in paths)
    for name, value in whole.items():
        np.testing.assert_array_equal(resumed[name], value, err_msg=name)
    recorded = json.loads((paths[0] / "train" / "data_spec.json").read_text())
    assert len(recorded["labelled"]) == 3 * 3 and {"labelled_image", "labelled_label"} <= recorded["features"].keys()
    restored = runner.restore(str(paths[0]))
    assert classification.classifier(restored)(np.zeros((2, 8, 8, 3), np.float32)).shape == (2,)
