import colorsys

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import color

COLORS = np.random.default_rng(0).uniform(-1, 1, (1, 2, 5, 3)).astype(np.float32)
GREY = COLORS.mean(axis=3, keepdims=True)


def mapped(matrix, colors=COLORS):
    return color.apply(tf.constant(colors), matrix).numpy()


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (lambda: color.brightness(tf.constant([0.3])), COLORS + 0.3),
        (lambda: color.contrast(tf.constant([0.5])), 0.5 * COLORS),
        (lambda: color.saturation(tf.constant([2.5])), GREY + 2.5 * (COLORS - GREY)),
        (lambda: color.luma_flip(tf.constant([True])), COLORS - 2 * GREY),
        (lambda: color.luma_flip(tf.constant([False])), COLORS),
        (lambda: color.hue(tf.constant([2 * np.pi / 3])), COLORS[..., [2, 0, 1]]),  # a third of the circle: red becomes green
        (lambda: color.contrast(tf.constant([0.5])) @ color.brightness(tf.constant([0.3])), 0.5 * (COLORS + 0.3)),
    ],
)
def test_every_map_is_its_formula(matrix, expected):
    np.testing.assert_allclose(mapped(matrix()), expected, atol=1e-6)


def test_hue_turns_as_in_hsv_where_the_two_agree():
    # At a multiple of a third of the circle the axis of greys turns pure colours into pure colours, as HSV does.
    red = np.array([1.0, 0.0, 0.0], np.float32).reshape(1, 1, 1, 3)
    for third in (1, 2):
        expected = colorsys.hsv_to_rgb(third / 3, 1.0, 1.0)
        np.testing.assert_allclose(mapped(color.hue(tf.constant([2 * np.pi * third / 3])), red).ravel(), expected, atol=1e-6)


def test_grey_images_are_those_whose_channels_are_averaged():
    matrix = color.brightness(tf.constant([0.3])) @ color.saturation(tf.constant([3.0])) @ color.contrast(tf.constant([0.7]))
    np.testing.assert_allclose(mapped(matrix, GREY), mapped(matrix, np.repeat(GREY, 3, 3)).mean(axis=3, keepdims=True), atol=1e-6)
