import numpy as np
import pytest

from tfgan_suite.layers import dropout
from tfgan_suite.ops import random


def test_units_are_kept_and_rescaled_where_the_number_is_below_keep():
    x, uniform = np.array([[1.0, 2.0, 3.0]], np.float32), np.array([[0.1, 0.79, 0.8]], np.float32)
    np.testing.assert_allclose(dropout.Dropout(0.8)(x, uniform), [[1.25, 2.5, 0.0]])


def test_the_mean_over_masks_is_the_input():
    y = dropout.Dropout(0.5)(np.ones((1000, 50), np.float32), random.Stream(0).uniform((1000, 50)))
    np.testing.assert_allclose(np.mean(y), 1.0, atol=0.02)


def test_keeping_nothing_is_refused():
    with pytest.raises(ValueError, match="keep in"):
        dropout.Dropout(0.0)
