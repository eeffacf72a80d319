import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import diff_augment, policy
from tfgan_suite.ops import random

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "diffaugment.npz")
START = policy.State(progress=tf.constant(0.0), probability=tf.constant(0.0))


def given(case, key):
    return tf.constant(GOLDEN[f"{case}.{key}"].astype(np.float32))


def steps(case):
    """{operation: images -> images} with the stored draws, in the policy's order."""
    return {
        "brightness": lambda x: diff_augment.brightness(x, given(case, "u_brightness")),
        "saturation": lambda x: diff_augment.saturation(x, given(case, "u_saturation")),
        "contrast": lambda x: diff_augment.contrast(x, given(case, "u_contrast")),
        # The stored shifts say where pixels come from: out[i, j] = x[i + shift_rows, j + shift_cols].
        "translation": lambda x: diff_augment.translate(x, -given(case, "shift_rows"), -given(case, "shift_cols")),
        "cutout": lambda x: diff_augment.cut(x, given(case, "cutout_row"), given(case, "cutout_col")),
    }


@pytest.mark.parametrize("case", [0, 1])
def test_every_operation_is_the_authors(case):
    images = everything = given(case, "x")
    for name, function in steps(case).items():
        np.testing.assert_allclose(function(images), GOLDEN[f"{case}.out_{name}"], atol=1e-5)
        everything = function(everything)
    np.testing.assert_allclose(everything, GOLDEN[f"{case}.out_color_translation_cutout"], atol=1e-5)


@pytest.mark.parametrize(("height", "width", "shifts", "side"), [(16, 8, (2, 1), (8, 4)), (10, 7, (1, 1), (5, 4))])
def test_draws_reach_the_authors_ranges(height, width, shifts, side):
    ramp = np.zeros((512, height, width, 2), np.float32)
    ramp[..., 0], ramp[..., 1] = np.arange(1, height + 1)[:, None], np.arange(1, width + 1)
    moved = diff_augment.translation(tf.constant(ramp), random.Stream(0, "test")).numpy()[:, height // 2, width // 2]
    for axis, (size, most) in enumerate(zip((height, width), shifts, strict=True)):
        assert set(size // 2 + 1 - moved[:, axis]) == set(range(-most, most + 1))
    holes = diff_augment.cutout(tf.constant(ramp), random.Stream(0, "test")).numpy()[..., 0] == 0
    for axis, size, most in ((2, height, side[0]), (1, width, side[1])):
        lengths = holes.any(axis=axis).sum(axis=1)
        assert lengths.max() == most and lengths.min() == (most + 1) // 2  # where it overhangs most, half of it is inside
        assert holes.any(axis=(0, axis)).all() and size == holes.any(axis=axis).shape[1]


def test_an_empty_policy_is_the_identity_and_a_policy_does_what_it_names():
    images = given(0, "x")
    view = {"image": images}
    np.testing.assert_array_equal(diff_augment.DiffAugment(policy="")(view, random.Stream(0, "test"), START)["image"], images)
    out = diff_augment.DiffAugment(policy="cutout")(view, random.Stream(0, "test"), START)["image"].numpy()
    assert (out == images.numpy()).any() and set(out[out != images.numpy()]) == {0.0}


@pytest.mark.parametrize("dtype", [tf.float32, tf.bfloat16, tf.float16])
def test_images_keep_their_shape_and_type(dtype):
    images = tf.cast(given(0, "x"), dtype)
    out = diff_augment.DiffAugment()({"image": images}, random.Stream(0, "test"), START)["image"]
    assert (out.shape, out.dtype) == (images.shape, dtype)


def test_an_unknown_operation_is_refused_with_those_that_exist():
    with pytest.raises(ValueError, match="unknown operation 'colour'. Allowed, with commas between them: color, translation, cutout"):
        diff_augment.DiffAugment(policy="colour,cutout")
