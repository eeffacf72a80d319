import numpy as np
import pytest

from tfgan_suite.layers import gaussian_noise


def test_the_numbers_are_scaled_and_added():
    x, normal = np.array([[1.0, 2.0, 3.0]], np.float32), np.array([[-1.0, 0.0, 2.0]], np.float32)
    np.testing.assert_allclose(gaussian_noise.GaussianNoise(0.5)(x, normal), [[0.5, 2.0, 4.0]])


def test_a_negative_deviation_is_refused():
    with pytest.raises(ValueError, match="at least 0; received -0.1"):
        gaussian_noise.GaussianNoise(-0.1)
