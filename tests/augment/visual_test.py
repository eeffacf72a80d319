import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import policy, visual
from tfgan_suite.ops import random

START = policy.State(progress=tf.constant(0.0), probability=tf.constant(0.0))


def changed(augmentation, values):
    """Values in [0, 1] in, values out."""
    view = augmentation({"image": tf.constant(2 * values - 1, tf.float32)}, random.Stream(0, "test"), START)
    return (view["image"].numpy() + 1) / 2


@pytest.mark.parametrize(
    ("cls", "channels"),
    [(visual.Brightness, (0, 1, 2)), (visual.Redness, (0,)), (visual.Greenness, (1,)), (visual.Blueness, (2,))],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_one_number_per_image_is_added_to_the_channels_and_clipped(cls, channels):
    values = np.broadcast_to(np.array([0.5, 0.5, 0.5, 0.9, 0.05])[:, None], (512, 5, 3))[:, :, None, :]
    out = changed(cls(strength=0.2), values)
    amount = out[:, 0, 0, channels[0]] - 0.5
    assert -0.2 <= amount.min() < -0.19 and 0.19 < amount.max() <= 0.2
    touched = np.isin(np.arange(3), channels)
    np.testing.assert_allclose(out, np.clip(values + amount[:, None, None, None] * touched, 0, 1), atol=1e-6)


def test_clipped_values_pass_no_gradient():
    images = tf.constant(np.linspace(-1, 1, 64, dtype=np.float32).reshape(4, 4, 4, 1))
    with tf.GradientTape() as tape:
        tape.watch(images)
        out = visual.Brightness(strength=1.0)({"image": images}, random.Stream(0, "test"), START)["image"]
    gradient = tape.gradient(out, images).numpy()
    saturated = np.abs(out) == 1.0
    assert 0 < saturated.sum() < 64
    np.testing.assert_array_equal(gradient, ~saturated)


@pytest.mark.parametrize(("measure", "deviation"), [("deviation", 0.04), ("variance", 0.2)])
def test_instance_noise_is_normal_of_the_stated_size_for_each_value(measure, deviation):
    noise = changed(visual.InstanceNoise(strength=0.04, measure=measure), np.full((64, 8, 8, 3), 0.5)) - 0.5
    np.testing.assert_allclose(noise.std(), deviation, rtol=0.03)
    np.testing.assert_allclose(np.mean(noise**4) / noise.var() ** 2, 3.0, rtol=0.1)  # a normal's kurtosis
    assert len(np.unique(noise)) > 0.99 * noise.size


def test_instance_noise_leaves_the_range_unless_it_is_clipped():
    white = np.ones((2, 8, 8, 3))
    assert changed(visual.InstanceNoise(strength=0.1), white).max() > 1.0
    clipped = changed(visual.InstanceNoise(strength=0.1, clip=True), white)
    assert clipped.max() <= 1.0 and clipped.min() < 1.0


def test_another_measure_is_refused():
    with pytest.raises(ValueError, match="InstanceNoise.measure must be deviation or variance"):
        visual.InstanceNoise(measure="range")
