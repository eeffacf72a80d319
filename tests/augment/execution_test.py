"""Every augmentation in eager mode, in a graph, under XLA, and on two replicas."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import experiment, registry
from tfgan_suite.augment import adaptive, diff_augment, flip_and_shift, mixing, policy, simclr_views, spatial, visual
from tfgan_suite.ops import random

ALONE = (
    *(cls(strength=0.4) for cls in (spatial.ZoomIn, spatial.ZoomOut, spatial.Translation)),
    *(cls(strength=0.4) for cls in (spatial.TranslationX, spatial.TranslationY, spatial.CutOut)),
    *(cls(strength=0.2, schedule=policy.Annealing()) for cls in (visual.Brightness, visual.Redness, visual.Greenness, visual.Blueness)),
    visual.InstanceNoise(strength=0.1, clip=True),
    flip_and_shift.FlipAndShift(),
    simclr_views.SimclrViews(),
    diff_augment.DiffAugment(),
    adaptive.AdaptiveAugmentation(),
)
EVERYTHING = policy.Sequence(augmentations=(*ALONE, policy.Sequence(augmentations=(mixing.MixUp(strength=0.5),))))
IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)).astype(np.float32)
LABELS = np.arange(4)


def state():
    return policy.State(progress=tf.constant(0.25), probability=tf.constant(0.5))


def outcome(images, labels):
    """The view that everything together makes, and the gradient of a function of it."""
    with tf.GradientTape() as tape:
        tape.watch(images)
        view = EVERYTHING({"image": images, "label": labels}, random.Stream(5, "test"), state())
        loss = tf.reduce_sum(view["image"] ** 2)
    return view, tape.gradient(loss, images)


def test_xla_agrees_with_eager_on_everything_together_and_its_gradient():
    arguments = tf.constant(IMAGES), tf.constant(LABELS)
    eager, eager_gradient = outcome(*arguments)
    assert np.isfinite(eager["image"]).all() and np.abs(eager_gradient).max() > 0
    compiled, gradient = tf.function(outcome, jit_compile=True)(*arguments)
    for key, value in eager.items():
        np.testing.assert_allclose(compiled[key], value, atol=1e-4, err_msg=key)
    np.testing.assert_allclose(gradient, eager_gradient, atol=1e-3)


def test_a_graph_on_two_replicas_gives_what_eager_mode_gives_on_one(mirrored):
    def all_of(images):
        return [a({"image": images}, random.Stream(5, "test").fold(i), state())["image"] for i, a in enumerate(ALONE)]

    whole = all_of(tf.constant(IMAGES))
    halves = mirrored.experimental_distribute_values_from_function(lambda c: tf.constant(np.split(IMAGES, 2)[c.replica_id_in_sync_group]))
    parts = mirrored.run(tf.function(all_of), (halves,))
    for augmentation, one, two in zip(ALONE, whole, parts, strict=True):
        joined = np.concatenate([part.numpy() for part in mirrored.experimental_local_results(two)])
        np.testing.assert_allclose(joined, one, atol=1e-5, err_msg=type(augmentation).__name__)


def test_everything_survives_the_way_to_json_and_back():
    restored = experiment.from_json(experiment.to_json(EVERYTHING), policy.Augmentation, resolve)
    assert restored == EVERYTHING


def resolve(name):
    classes = [type(a) for a in EVERYTHING.augmentations] + [mixing.MixUp, policy.Steady, policy.Annealing]
    found = {cls.__name__: cls for cls in classes}[name]
    assert registry.TYPES[name] == found.__module__
    return found


@pytest.mark.parametrize("augmentation", (*ALONE, mixing.CutMix(), mixing.MixUp()), ids=lambda a: type(a).__name__)
def test_every_augmentation_is_a_config_whose_fields_can_be_set(augmentation):
    copy = dataclasses.replace(augmentation)
    assert copy == augmentation
    setattr(copy, dataclasses.fields(copy)[0].name, None)  # flags set fields one by one
    assert copy != augmentation
