import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.augment import flip_and_shift, policy
from tfgan_suite.ops import random

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "consistency.npz")
START = policy.State(progress=tf.constant(0.0), probability=tf.constant(0.0))


@pytest.mark.parametrize(("flips", "shifts", "expected"), [(1, 0, "flip"), (0, 1, "translation"), (1, 1, "flip_then_translation")])
def test_flips_and_shifts_are_those_of_the_golden_vectors(flips, shifts, expected):
    flipped = tf.constant(GOLDEN["aug.flip_uniform"] < 0.5 * flips)
    down, right = (tf.constant(-shifts * GOLDEN[f"aug.shift_{axis}"], tf.float32) for axis in ("rows", "cols"))  # stored: where pixels come from
    out = flip_and_shift.flip_and_shift(tf.constant(GOLDEN["aug.x"]), flipped, down, right)
    np.testing.assert_allclose(out, GOLDEN[f"aug.out_{expected}"], atol=1e-6)


def test_half_are_flipped_and_shifts_reach_an_eighth_of_each_side():
    ramp = np.zeros((1024, 17, 24, 2), np.float32)  # 17 / 8 is rounded down to 2
    ramp[..., 0], ramp[..., 1] = np.arange(17)[:, None], np.arange(24)
    out = flip_and_shift.FlipAndShift()({"image": tf.constant(ramp)}, random.Stream(0, "test"), START)["image"].numpy()
    flipped = out[:, 8, 13, 1] < out[:, 8, 12, 1]
    assert abs(flipped.mean() - 0.5) < 0.06
    rows, columns = 8 - out[:, 8, 12, 0], np.where(flipped, out[:, 8, 12, 1] - 11, 12 - out[:, 8, 12, 1])
    for shifts, most in ((rows, 2), (columns, 3)):
        values, counts = np.unique(shifts, return_counts=True)
        np.testing.assert_array_equal(values, np.arange(-most, most + 1))
        np.testing.assert_allclose(counts / 1024, 1 / (2 * most + 1), atol=0.05)


def test_shares_outside_0_to_1_are_refused():
    with pytest.raises(ValueError, match="FlipAndShift.flip must lie in"):
        flip_and_shift.FlipAndShift(flip=2.0)
    with pytest.raises(ValueError, match="FlipAndShift.shift must lie in"):
        flip_and_shift.FlipAndShift(shift=-0.1)
