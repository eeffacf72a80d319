import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from pipelines import spec
from tfgan_suite import registry, runner
from tfgan_suite.core import averaging, optimizers, run
from tfgan_suite.losses import adversarial, dropout_noise, gradient_penalty
from tfgan_suite.models import cgan

GAME = (adversarial.Adversarial(),)
CLASSES = 8
ANGLES = 2 * np.pi * np.arange(CLASSES) / CLASSES
CENTRES = 0.7 * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def numbers(*shape):
    return spec.Feature(shape=shape, dtype="float32", low=-1.0, high=1.0)


def label(classes):
    return spec.Feature(shape=(), dtype="int32", low=0, high=classes - 1)


RING = spec.DataSpec(name="ring", features={"image": numbers(1, 2, 1), "label": label(CLASSES)}, num_classes=CLASSES, size=64)
MODES = spec.DataSpec(name="modes", features={"image": numbers(1, 2, 1), "features": numbers(4)}, size=64)


def build(data, seed=0, **changes):
    if not tf.distribute.has_strategy():
        keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    return cgan.Cgan(cgan.Config(**changes), data, run.Run(seed=seed, phase="train", steps=1000))


def fast(learning_rate, **changes):
    """Adam for both players, no dropout, and an average over some fifty steps."""
    adam = {name: optimizers.Adam(learning_rate=learning_rate) for name in ("discriminator_optimizer", "generator_optimizer")}
    return {"prior": "normal", "average": averaging.Average(decay=0.98)} | adam | changes


def trained(model, columns):
    """After a step on each row of the columns [steps, b, ...]."""
    steps = {key: tf.constant(value, tf.int32 if key == "label" else tf.float32) for key, value in columns.items()}

    @tf.function(autograph=False)
    def train():
        def body(i):
            model.train_step({key: value[i] for key, value in steps.items()})
            return (i + 1,)

        tf.while_loop(lambda i: i < len(columns["image"]), body, (tf.constant(0),))

    train()
    return model


def words(model, conditions, count):
    return model.sample(model.sample_latents(model.random().fold("test"), count), conditions).numpy().reshape(count, -1)


@pytest.fixture(scope="module")
def ring():
    """Trained on eight Gaussians on a circle whose labels are their numbers."""
    draws = np.random.default_rng(0)
    labels = draws.integers(0, CLASSES, (1500, 128))
    points = CENTRES[labels] + 0.02 * draws.standard_normal((1500, 128, 2))
    game = (*GAME, gradient_penalty.R1(gamma=0.1))  # without it one seed in two loses classes
    model = build(RING, **fast(5e-3, terms=game, latent_size=4, generator_width=48, discriminator_width=24))
    return trained(model, {"image": points[:, :, None, :, None], "label": labels})


def nearest(points):
    return ((points[:, None] - CENTRES[None]) ** 2).sum(2).argmin(1)


def test_samples_fall_nearest_to_the_mean_of_the_class_asked_for(ring):
    labels = np.arange(800) % CLASSES
    share = np.mean(nearest(words(ring, {"label": tf.constant(labels, tf.int32)}, 800)) == labels)
    assert share > 0.9


def test_permuted_labels_show_the_permutation(ring):
    permutation = np.random.default_rng(1).permutation(CLASSES)
    labels = np.arange(800) % CLASSES
    found = nearest(words(ring, {"label": tf.constant(permutation[labels], tf.int32)}, 800))
    assert np.mean(found == permutation[labels]) > 0.9
    assert np.mean(found == labels) < np.mean(permutation == np.arange(CLASSES)) + 0.1


def test_two_words_at_plus_and_minus_a_are_both_generated_for_each_image():
    """Where a least-squares answer to the image would be their mean, 0. With a penalty at the data, without which training goes round in circles."""
    draws = np.random.default_rng(0)
    images = draws.standard_normal((3, 4))
    modes = images @ draws.standard_normal((4, 2))
    modes /= np.linalg.norm(modes, axis=1, keepdims=True)
    chosen = draws.integers(0, 3, (800, 128))
    points = draws.choice([-1.0, 1.0], (800, 128, 1)) * modes[chosen] + 0.05 * draws.standard_normal((800, 128, 2))
    terms = (*GAME, gradient_penalty.R1(gamma=0.3))
    model = build(MODES, **fast(2e-3, body="word_vectors", terms=terms, latent_size=8, generator_width=64, discriminator_width=40))
    trained(model, {"image": points[:, :, None, :, None], "features": images[chosen]})
    found = words(model, {"features": tf.constant(np.repeat(images, 400, axis=0), tf.float32)}, 1200).reshape(3, 400, 2)
    along = (found * modes[:, None]).sum(2)
    cosines = along / np.linalg.norm(found, axis=2)
    shares = (cosines > 0).mean(1)
    assert (shares > 0.2).all() and (shares < 0.8).all()
    assert np.abs(cosines).mean() > 0.9 and np.abs(along).mean() > 0.5


def small(**changes):
    sgd = {name: optimizers.SGD(learning_rate=0.05) for name in ("discriminator_optimizer", "generator_optimizer")}
    return {"latent_size": 4, "generator_width": 12, "discriminator_width": 8} | sgd | changes


def test_dropout_is_on_in_both_players_updates_and_off_when_sampling():
    model = build(tiny.data_spec(), **small())
    stream = model.random()
    masks = [model.fake(tiny.batch(64), stream.fold(i))["mask"].numpy() for i in range(2)]
    assert set(np.unique(masks[0])) == {0.0, 2.0} and masks[0].shape == (64, 24)
    assert abs(masks[0].mean() - 1.0) < 0.1 and not np.array_equal(*masks)
    latents, conditions = tf.ones([2, 4]), {"label": tf.constant([1, 1])}
    first, again = (model.sample(latents, conditions).numpy() for _ in range(2))
    np.testing.assert_array_equal(first, again)
    averaging.set_equal(model.averaged_generator, model.generator)
    np.testing.assert_allclose(first, model.generate(latents, conditions | {"mask": tf.ones([2, 24])}, training=True), atol=1e-6)
    views = dropout_noise.DropoutNoise().views({"real": tiny.batch(4), "fake": tiny.batch(4)}, type("Step", (), {"model": model, "random": stream}))
    assert not np.array_equal(views["real"]["dropout_noise"], views["fake"]["dropout_noise"])


def test_replicas_together_equal_one_with_features_and_dropout(mirrored):
    changes = small(body="word_vectors", terms=(*GAME, dropout_noise.DropoutNoise()))
    one = build(MODES, **changes)
    with mirrored.scope():
        two = build(MODES, **changes)
    draws = np.random.default_rng(0).uniform(-1, 1, (2, 8, 6)).astype(np.float32)
    batches = [{"image": tf.constant(x[:, None, :2, None]), "features": tf.constant(x[:, 2:])} for x in draws]
    tiny.train(one, batches)
    tiny.train_mirrored(mirrored, two, batches)
    assert tiny.largest_difference(tiny.weights(one), tiny.weights(two)) < 1e-5


def test_the_features_of_the_real_batch_condition_the_fakes_row_by_row():
    model = build(MODES, **small(body="word_vectors", terms=GAME))
    batch = {"image": tf.zeros([3, 1, 2, 1]), "features": tf.constant(np.arange(12).reshape(3, 4), tf.float32)}
    np.testing.assert_array_equal(model.fake(batch, model.random(), times=2)["features"], np.repeat(batch["features"], 2, axis=0))
    with pytest.raises(ValueError, match="'features' cannot be drawn; give a batch"):
        model.sample_conditions(model.random(), 3)


def test_tags_are_judged_on_held_out_images_a_hundred_samples_each(tmp_path):
    experiment = registry.experiment("cgan/tags")
    experiment.data.source = "tags:6x3x60"
    experiment.evaluation = dataclasses.replace(experiment.evaluation, samples=2000, reference_samples=20, batch_size=500)
    judge = runner.evaluator(experiment, data_dir=str(tmp_path))
    assert judge.held_out["features"].shape == (20, 6) and judge.held_out["tags"].shape == (20, 20) and judge.dictionary.shape == (60, 3)
    data = spec.DataSpec(name="tags", features={"image": numbers(1, 3, 1), "features": numbers(6)}, size=1)
    model = build(data, **small(body="word_vectors", terms=GAME))
    scores = runner.judge(model, experiment, judge)
    assert set(scores) == {"tag_precision", "tag_recall", "tag_coverage"}
    assert all(0.0 <= score.value <= 1.0 for score in scores.values())
    assert scores["tag_recall"].protocol.num_fake == 2000 and scores["tag_recall"].protocol.num_real == 20


def test_endpoints_take_features_of_each_row_and_answer_with_vectors():
    model = build(MODES, **small(body="word_vectors", terms=GAME))
    model.ready()
    served = {e.name: e for e in model.endpoints()}
    assert served["sample"].inputs["features"].shape == (None, 4) and served["sample"].encodings == ()
    inputs = {key: tf.constant(value) for key, value in served["sample"].examples(3).items()}
    together = served["sample"].function(**inputs)["images"]
    alone = served["sample"].function(**{key: value[1:2] for key, value in inputs.items()})["images"]
    assert together.shape == (3, 1, 2, 1)
    np.testing.assert_allclose(alone[0], together[1], atol=1e-6)


def test_features_that_are_no_vector_are_refused():
    data = spec.DataSpec(name="maps", features=MODES.features | {"features": numbers(2, 2)}, size=4)
    with pytest.raises(ValueError, match=r"one vector per example; those of 'maps': \(2, 2\)"):
        build(data, **small(body="word_vectors", terms=GAME))


def test_dropout_in_a_body_without_it_is_refused():
    with pytest.raises(ValueError, match="'dcgan' has no dropout: take DropoutNoise out"):
        cgan.Config(body="dcgan")
    with pytest.raises(ValueError, match="Unknown body 'mpl'. Allowed: mlp, dcgan"):
        cgan.Config(body="mpl")


@pytest.mark.parametrize("preset", ["mnist", "tags_paper"])
def test_the_learning_rate_falls_as_published(preset):
    """max(1e-6, 0.1 / 1.00004^n) after n steps."""
    for player in ("discriminator_optimizer", "generator_optimizer"):
        config = getattr(cgan.PRESETS[preset].model, player)
        for n in (0, 1, 1000, 100_000, 300_000):
            rate = config.learning_rate * float(config.schedule.factor(tf.constant(float(n)), 300_000))
            assert rate == pytest.approx(max(1e-6, 0.1 / 1.00004**n), rel=1e-3)
        assert (config.momentum, config.final_momentum) == (0.5, 0.7)
