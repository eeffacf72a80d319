import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import registry
from tfgan_suite.augment import mixing, policy, spatial, visual
from tfgan_suite.ops import random

START = policy.State(progress=tf.constant(0.0), probability=tf.constant(0.0))
SPATIAL = [spatial.ZoomIn, spatial.ZoomOut, spatial.Translation, spatial.TranslationX, spatial.TranslationY]
VISUAL = [visual.Brightness, visual.Redness, visual.Greenness, visual.Blueness, visual.InstanceNoise]
ADVANCED = [spatial.CutOut, mixing.CutMix, mixing.MixUp]
BY_CLASS = pytest.mark.parametrize("cls", SPATIAL + VISUAL + ADVANCED, ids=lambda cls: cls.__name__)


def pictures(rows=4, size=8, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (rows, size, size, 3)).astype(np.float32)


def augmented(augmentation, images, seed=3, state=START):
    return augmentation({"image": tf.constant(images)}, random.Stream(seed, "test"), state)["image"].numpy()


@BY_CLASS
def test_strength_zero_is_the_identity(cls):
    np.testing.assert_allclose(augmented(cls(strength=0.0), pictures()), pictures(), atol=1e-6)


@BY_CLASS
def test_every_example_has_parameters_of_its_own_and_every_stream_others(cls):
    images = np.repeat(pictures(1), 64, axis=0) if not cls.mixes else pictures(64)
    out = augmented(cls(strength=0.5), images)
    changes = (out - images).reshape(64, -1)
    outcomes = 9 if cls in (spatial.TranslationX, spatial.TranslationY) else 40  # 8 pixels move by -4 to 4
    assert len(np.unique(changes.round(6), axis=0)) >= outcomes
    assert not np.array_equal(out, augmented(cls(strength=0.5), images, seed=4))


@BY_CLASS
def test_pixels_get_a_gradient_and_the_rest_of_a_view_stays(cls):
    image, label = tf.constant(pictures()), tf.constant([3, 1, 0, 2])
    with tf.GradientTape() as tape:
        tape.watch(image)
        view = cls(strength=0.3)({"image": image, "label": label, "latents": tf.ones((4, 2))}, random.Stream(0, "test"), START)
        loss = tf.reduce_sum(view["image"] ** 2)
    assert np.abs(tape.gradient(loss, image)).sum(axis=(1, 2, 3)).min() > 0.0
    assert view["label"] is label
    assert set(view) == {"image", "label", "latents"} | ({"mix_partner", "mix_weight", "mixed_label"} if cls.mixes else set())


def test_images_of_a_lower_precision_are_augmented_in_float32():
    images = tf.constant(pictures(), tf.bfloat16)
    half = visual.Brightness(strength=0.02)({"image": images}, random.Stream(0, "test"), START)["image"]
    full = augmented(visual.Brightness(strength=0.02), tf.cast(images, tf.float32), seed=0)
    assert half.dtype == tf.bfloat16
    np.testing.assert_array_equal(half, tf.cast(full, tf.bfloat16))


@BY_CLASS
@pytest.mark.parametrize("strength", [-0.1, 1.5, float("nan")])
def test_a_strength_outside_0_to_1_is_refused(cls, strength):
    with pytest.raises(ValueError, match=rf"{cls.__name__}.strength must lie in \[0, 1\]"):
        cls(strength=strength)


@pytest.mark.parametrize(("progress", "strength"), [(0.0, 0.4), (0.5, 0.3), (1.0, 0.2)])
def test_annealing_goes_from_the_strength_to_its_end(progress, strength):
    state = dataclasses.replace(START, progress=tf.constant(progress))
    assert float(spatial.ZoomIn(strength=0.4, schedule=policy.Annealing(end=0.2)).strength_at(state)) == pytest.approx(strength)
    assert float(spatial.ZoomIn(strength=0.4).strength_at(state)) == pytest.approx(0.4)
    with pytest.raises(ValueError, match="Annealing.end"):
        policy.Annealing(end=-1.0)


def test_instance_noise_annealed_to_nothing_is_the_identity_at_the_end():
    over = dataclasses.replace(START, progress=tf.constant(1.0))
    noise = visual.InstanceNoise(strength=0.5, schedule=policy.Annealing())
    np.testing.assert_allclose(augmented(noise, pictures(), state=over), pictures(), atol=1e-6)


def test_a_sequence_applies_one_after_the_other_with_numbers_of_their_own():
    zero = np.zeros((512, 1, 1, 3), np.float32)
    twice = augmented(policy.Sequence(augmentations=(visual.Brightness(strength=0.2), visual.Brightness(strength=0.1))), zero)[:, 0, 0, 0] / 2
    # The sum of two independent uniforms; were the numbers the same, its largest would be near 0.3 and its variance (0.2 + 0.1)^2 / 3.
    np.testing.assert_allclose(twice.var(), (0.2**2 + 0.1**2) / 3, rtol=0.15)


def test_an_empty_sequence_is_the_identity_and_a_sequence_knows_what_it_holds():
    np.testing.assert_array_equal(augmented(policy.Sequence(), pictures()), pictures())
    assert not policy.Sequence(augmentations=(spatial.ZoomIn(),)).mixes
    assert policy.Sequence(augmentations=(spatial.ZoomIn(), policy.Sequence(augmentations=(mixing.MixUp(),)))).mixes
    assert not policy.Sequence(augmentations=(mixing.MixUp(),)).adaptive


def test_a_sequence_refuses_what_is_no_augmentation_and_to_mix_twice():
    with pytest.raises(ValueError, match="configs of tfgan_suite.augment"):
        policy.Sequence(augmentations=("ZoomIn",))
    with pytest.raises(ValueError, match="mixes at most once.*CutMix, MixUp"):
        policy.Sequence(augmentations=(mixing.CutMix(), mixing.MixUp()))


def test_colour_channels_want_three_before_the_first_step():
    with pytest.raises(ValueError, match="Redness needs images of three channels"):
        policy.Sequence(augmentations=(visual.Brightness(), visual.Redness())).check((8, 8, 1))
    policy.Sequence(augmentations=(visual.Brightness(), visual.Blueness())).check((8, 8, 3))


def test_every_augmentation_of_an_experiment_is_found_by_its_name():
    for cls in SPATIAL + VISUAL + ADVANCED + [policy.Sequence, policy.Steady, policy.Annealing]:
        assert registry.TYPES[cls.__name__] == cls.__module__
