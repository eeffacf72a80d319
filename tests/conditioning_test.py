"""What every class-conditional variant must do, on its `debug` preset: the right label with the right image, and a judgement of both."""

import dataclasses

import bar_data
import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines import spec
from tfgan_suite import registry
from tfgan_suite.core import gan, run, sampling
from tfgan_suite.metrics import evaluation, extractor, reference

DATA = bar_data.Bars(test_size=80)
VARIANTS = [name for name in registry.VARIANTS if getattr(registry.experiment(f"{name}/debug").model, "conditional", False)]


@pytest.fixture(scope="module", params=VARIANTS)
def model(request):
    keras.backend.clear_session()
    label = spec.Feature(shape=(), dtype="int32", low=0, high=3)
    data = dataclasses.replace(DATA.spec, features=DATA.spec.features | {"label": label})
    config = registry.experiment(f"{request.param}/debug").model
    return registry.model_class(request.param)(config, data, run.Run(seed=0, phase="train", steps=4))


def batch(rows):
    return {key: tf.constant(value) for key, value in DATA.draw(rows, seed=5).items()}


def update(model, player, given, monkeypatch):
    """(views that the discriminator scored, their scores, {image: label given to the generator}) of one update."""
    asked, seen, generate, discriminate = {}, [], model.generate, model.discriminate

    def spy_generate(latents, conditions, training):
        images = generate(latents, conditions, training)
        asked.update({image.tobytes(): int(k) for image, k in zip(images.numpy(), conditions["label"], strict=True)})
        return images

    def spy_discriminate(views):
        seen.append((views, discriminate(views)))
        return seen[-1][1]

    monkeypatch.setattr(model, "generate", spy_generate)
    monkeypatch.setattr(model, "discriminate", spy_discriminate)
    getattr(model, f"update_{player}")(given, model.random().fold(player))
    [(views, scores)] = seen
    return views, scores, asked


@pytest.mark.parametrize("player", ["discriminator", "generator"])
def test_real_images_are_scored_with_their_own_labels_and_fakes_with_those_they_were_made_for(model, player, monkeypatch):
    given = batch(8)
    views, _, asked = update(model, player, given, monkeypatch)
    fakes = views["fake"]
    assert [asked[image.tobytes()] for image in fakes["image"].numpy()] == fakes["label"].numpy().tolist()
    assert len(np.unique(fakes["label"])) > 1
    if player == "discriminator":
        for key in ("image", "label"):
            np.testing.assert_array_equal(views["real"][key], given[key])


def test_permuted_labels_change_what_depends_on_labels_for_every_image(model):
    """One pass over all views gives each image the scores that it has alone with its own label."""
    views = {"real": batch(6), "fake": model.fake(batch(6), model.random())}
    views = {name: view | _noise(model, view) for name, view in views.items()}
    for v in model.discriminator.trainable_variables:
        v.assign_add(0.1 * tf.random.stateless_normal(v.shape, [1, 2]))
    scores = model.discriminate(views)
    reads = "label" in [i.name for i in model.discriminator.inputs]
    assert reads or "class_logits" in scores["real"]
    for name, view in views.items():
        alone, permuted = model.score(view), model.score(view | {"label": (view["label"] + 1) % 4})
        np.testing.assert_allclose(scores[name]["logits"], alone["logits"], rtol=1e-4, atol=1e-5)
        changes = [np.abs(permuted[head] - alone[head]).reshape(6, -1).max(1) for head in alone]
        assert (np.max(changes, 0) > 1e-7).tolist() == [reads] * 6


def _noise(model, view):
    """What else the discriminator reads: the numbers of its dropout, of which 0 drops nothing."""
    rest = [i for i in model.discriminator.inputs if i.name not in view]
    return {i.name: tf.zeros((view["image"].shape[0], *i.shape[1:])) for i in rest}


class Reader(extractor.Extractor):
    """Reads a bar's class off its pixels; features are the means of rows and columns."""

    name, fingerprint, resizer, classes = "reader", "1", "half_pixel", "labels"
    accuracy = {"accuracy": 1.0}

    def network(self, pixels):
        images = tf.cast(pixels, tf.float32) / 255.0
        both, color = images[..., 0] + images[..., 1], tf.reduce_mean(images[..., 0] - images[..., 1], [1, 2])
        along = tf.math.reduce_std(tf.reduce_mean(both, 2), 1) - tf.math.reduce_std(tf.reduce_mean(both, 1), 1)
        pose = tf.stack([along, along, -along, -along], 1)
        logits = pose + tf.stack([color, -color, color, -color], 1)
        return tf.concat([tf.reduce_mean(images, 1)[:, ::4, 0], tf.reduce_mean(images, 2)[:, ::4, 1]], 1), logits


def test_agreement_in_every_group_intra_class_distance_and_diversity_are_measured(model, monkeypatch, tmp_path):
    monkeypatch.setattr(gan, "STATISTICS_BATCHES", 2)
    judge = Reader()
    real = reference.build(judge, DATA, cache_dir=tmp_path, split="test")
    judged = evaluation.Evaluator(extractor=judge, reference=real, metrics=("agreement", "intra_fid", "diversity"))
    model.ready()
    scores = judged.run(sampling.samples(model, 40, batch_size=20, seed=0))
    assert set(scores) == {"agreement", "agreement_pose", "agreement_color", "intra_fid_proxy", "diversity"}
    assert all(np.isfinite(score.value) for score in scores.values())
    assert scores["agreement"].value <= min(scores["agreement_pose"].value, scores["agreement_color"].value)
    assert scores["agreement"].value < 0.8  # untrained
    assert 0.0 <= scores["diversity"].value < 5.0


def test_all_three_are_asked_for_by_every_conditional_demo():
    demos = {name: registry.experiment(f"{name}/demo") for name in VARIANTS}
    conditional = {name for name, demo in demos.items() if "label" in registry.model_class(name).keys_for(demo.model)}
    assert {"cgan", "acgan", "projection_gan", "sngan", "sndcgan"} <= conditional
    for name in conditional:
        assert {"agreement", "intra_fid", "diversity"} <= set(demos[name].evaluation.metrics), name
