import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import policy, simclr_views
from tfgan_suite.ops import random

START = policy.State(progress=tf.constant(0.0), probability=tf.constant(0.0))
STILL = {"min_area": 1.0, "max_aspect": 1.0, "flip": 0.0}
COLORLESS = {"jitter": 0.0, "grey": 0.0}


def seen(images, **settings):
    view = simclr_views.SimclrViews(**settings)({"image": tf.constant(images)}, random.Stream(0, "test"), START)
    return view["image"].numpy()


def test_with_everything_off_views_are_the_images():
    images = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(seen(images, **STILL, **COLORLESS), images, atol=1e-6)
    np.testing.assert_allclose(seen(images, **STILL | {"flip": 1.0}, **COLORLESS), images[:, :, ::-1], atol=1e-6)


def test_windows_have_the_areas_and_aspects_of_simclr_and_lie_inside():
    ramp = np.zeros((1024, 20, 20, 3), np.float32)
    ramp[..., 0], ramp[..., 1] = np.arange(20)[:, None] / 20, np.arange(20) / 20
    out = seen(ramp, flip=0.0, **COLORLESS)[:, 9:11, 9:11]
    tall, wide = 20 * (out[:, 1, 0, 0] - out[:, 0, 0, 0]), 20 * (out[:, 0, 1, 1] - out[:, 0, 0, 1])
    area, aspect = tall * wide, wide / tall
    assert area.min() >= 0.08 - 1e-4 and area.min() < 0.1 and area.max() > 0.9
    free = (tall < 0.999) & (wide < 0.999)
    assert aspect[free].min() >= 0.75 - 1e-3 and aspect[free].max() <= 4 / 3 + 1e-3 and aspect.min() < 0.78 and aspect.max() > 1.3
    np.testing.assert_allclose(np.median(area), 0.54, atol=0.05)  # uniform in [0.08, 1]
    centre = 20 * (out[:, 0, 0, 0] + out[:, 1, 0, 0]) / 2 + 0.5
    assert (np.abs(centre - 10) <= (1 - tall) * 10 + 1e-3).all() and (centre - 10).std() > 1.0


def test_colours_are_multiplied_blended_and_turned_in_the_ranges_of_the_strength():
    grey = np.full((1024, 4, 4, 3), -0.2, np.float32)  # 0.4 of [0, 1]: only brightness moves an even grey
    factor = (seen(grey, **STILL, jitter=1.0, grey=0.0) + 1) / 0.8
    np.testing.assert_allclose(factor.std(axis=(1, 2, 3)), 0.0, atol=1e-6)
    assert 0.6 <= factor.min() < 0.61 and 1.39 < factor.max() <= 1.4 + 1e-6
    changed = np.abs((seen(grey, **STILL)[:, 0, 0, 0] + 1) / 0.8 - 1) > 1e-6
    assert abs(changed.mean() - 0.8) < 0.05


def test_contrast_leaves_the_mean_luminance_and_saturation_each_pixels():
    rng = np.random.default_rng(0)
    images = np.repeat(rng.uniform(-0.3, 0.1, (1, 4, 4, 3)), 64, axis=0).astype(np.float32)  # far from the clips
    weights = np.array([0.299, 0.587, 0.114])
    luminance = ((images + 1) / 2) @ weights
    view = simclr_views.SimclrViews(**STILL, jitter=1.0, grey=1.0)
    out = (view({"image": tf.constant(images)}, random.Stream(0, "test"), START)["image"].numpy() + 1) / 2
    np.testing.assert_allclose(out.std(axis=3), 0.0, atol=1e-6)  # grey
    # With the hue at rest, grey = b (c Y + (1 - c) mean Y): an affine function of the luminance, whose mean is b times that of before.
    rest = simclr_views.SimclrViews(**STILL, jitter=1.0, grey=0.0, strength=0.5)
    u = random.Stream(0, "test").fold("colors").fold("jitter").uniform((64, 4), -1.0, 1.0).numpy() * 0.5
    matrix = rest.colors(tf.constant((images + 1) / 2), random.Stream(0, "test").fold("colors")).numpy()
    b, c, s = (1 + 0.8 * u[:, i] for i in range(3))
    np.testing.assert_allclose(matrix[:, :3].sum(axis=2), ((b * c) + (1 - c) * b * luminance.mean((1, 2)))[:, None].repeat(3, 1), rtol=1e-5)
    singular = np.linalg.det(matrix[:, :3, :3])
    np.testing.assert_allclose(singular, (b * c) ** 3 * s**2, rtol=1e-4)  # a turn has determinant 1, saturation scales two of three axes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grey": 1.5}, r"SimclrViews.grey must lie in \[0, 1\]"),
        ({"min_area": 0.0}, "min_area must lie above 0"),
        ({"max_aspect": 0.5}, "max_aspect must be at least 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        simclr_views.SimclrViews(**settings)


def test_grey_images_are_refused_before_the_first_step():
    with pytest.raises(ValueError, match="three channels.*Use FlipAndShift"):
        simclr_views.SimclrViews().check((8, 8, 1))
