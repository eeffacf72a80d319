import types

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import policy, spatial, visual
from tfgan_suite.metrics import augmentation_leak, catalog
from tfgan_suite.ops import random


def pictures(n, seed, side=16):
    """Smooth random images with a little noise, uint8, far from black and from white, of varying brightness."""
    numbers = np.random.RandomState(seed)
    coarse = numbers.uniform(60, 160, (n, 5, 5, 3)) + numbers.uniform(0, 60, (n, 1, 1, 1))
    fine = tf.image.resize(coarse, (side, side), method="bicubic").numpy() + 3.0 * numbers.standard_normal((n, side, side, 3))
    return fine.clip(30, 250).astype(np.uint8)


def leaks(real, fake):
    found = augmentation_leak.figures(types.SimpleNamespace(reference=types.SimpleNamespace(images=real)), types.SimpleNamespace(images=fake))
    return {name: fields["value"] for name, fields in found.items()}


def augmented(augmentation, images):
    state = policy.State(progress=tf.zeros([]), probability=tf.zeros([]))
    view = augmentation({"image": tf.constant(images / 127.5 - 1.0, tf.float32)}, random.Stream(0, 0), state)
    return np.round((view["image"].numpy() + 1.0) * 127.5).clip(0, 255).astype(np.uint8)


def test_a_shift_of_one_channel_is_measured_in_deviations_of_the_real_images():
    real = np.full((2, 4, 4, 3), 100, np.uint8)
    real[1] = 120  # the means deviate by 10
    fake = real + np.array([0, 0, 5], np.uint8)
    np.testing.assert_allclose(augmentation_leak.color_distances(real, fake), [0.0, 0.0, 0.5])


def test_shifts_of_mean_zero_count_as_a_wider_distribution():
    real, fake = (np.broadcast_to(np.array(v, np.uint8)[:, None, None, None], (4, 4, 4, 1)) for v in ([90, 90, 110, 110], [84, 96, 104, 116]))
    np.testing.assert_allclose(augmentation_leak.color_distances(real, fake), [0.6])  # each quarter moved by 6, over a deviation of 10


def test_black_rectangles_count_by_their_pixels_and_lines_not_at_all():
    images = np.full((4, 16, 16, 3), 128, np.uint8)
    images[0, 3:9, 10:15] = 0
    images[1, 0:2, 14:16] = augmentation_leak.BLACK  # in the corner, as small as it may be
    images[2, 5] = images[2, :, 9] = 0
    images[3, 3:9, 10:15, 0] = 0  # not black: one channel alone
    np.testing.assert_allclose(augmentation_leak.black_shares(images), [30 / 256, 4 / 256, 0.0, 0.0])


@pytest.mark.parametrize("side", ["left", "right", "top", "bottom"])
def test_a_mirrored_margin_agrees_wholly_on_its_border(side):
    noise = np.random.RandomState(0).randint(0, 256, (3, 18, 18, 3)).astype(np.uint8)
    padding = {"left": (2, (4, 0)), "right": (2, (0, 4)), "top": (1, (4, 0)), "bottom": (1, (0, 4))}
    axis, margins = padding[side]
    mirrored = np.pad(noise, [margins if i == axis else (0, 0) for i in range(4)], "reflect")
    plain = np.random.RandomState(1).randint(0, 256, mirrored.shape).astype(np.uint8)
    rise = augmentation_leak.reflections(mirrored) - augmentation_leak.reflections(plain)
    assert (rise > 0.15).all()  # of the 1/4 that one border of four adds, as plain noise agrees a little by chance


def test_a_slope_has_no_mirror_and_a_flat_image_none_either():
    slope = np.broadcast_to((10 * np.arange(16, dtype=np.uint8))[:, None] + 5 * np.arange(16, dtype=np.uint8), (1, 16, 16))[..., None]
    assert augmentation_leak.reflections(slope).item() == pytest.approx(-1.0)
    assert augmentation_leak.reflections(np.full((1, 16, 16, 3), 77, np.uint8)).item() == 0.0


def test_images_of_the_same_distribution_leak_about_nothing():
    found = leaks(pictures(400, 0), pictures(400, 1))
    assert list(found) == ["leak_color", "leak_color_red", "leak_color_green", "leak_color_blue", "leak_black", "leak_reflection"]
    assert max(abs(value) for value in found.values()) < 0.2 and found["leak_black"] == 0.0


@pytest.mark.parametrize(
    ("augmentation", "signature", "others"),
    [
        (visual.Blueness, "leak_color_blue", ("leak_color_red", "leak_color_green", "leak_black")),
        (visual.Brightness, "leak_color", ("leak_black",)),
        (spatial.CutOut, "leak_black", ()),
        (spatial.Translation, "leak_reflection", ("leak_black",)),
    ],
)
def test_an_augmentation_of_real_images_shows_more_the_stronger_it_is(augmentation, signature, others):
    real, fresh = pictures(300, 0), pictures(300, 1)
    none, some, much = (leaks(real, augmented(augmentation(strength=s), fresh)) for s in (0.0, 0.2, 0.5))
    assert none[signature] + 0.01 < some[signature] < much[signature] - 0.01
    assert all(abs(much[other] - none[other]) < 0.02 for other in others)


def test_grey_images_have_one_colour_and_all_figures_are_better_lower():
    found = leaks(pictures(20, 0)[..., :1], pictures(20, 1)[..., :1])
    assert list(found) == ["leak_color", "leak_black", "leak_reflection"]
    assert not any(catalog.higher_is_better(name) for name in found)
