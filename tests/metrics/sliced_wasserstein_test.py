import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import compat
from tfgan_suite.metrics import sliced_wasserstein


def noise(n, side=32, seed=0, channels=3):
    return np.random.RandomState(seed).randint(0, 256, (n, side, side, channels)).astype(np.uint8)


def test_shifted_gaussians_are_at_the_mean_length_of_the_projected_shift():
    """E |<v, u>| over unit vectors u of the plane is 2 |v| / pi."""
    rows = np.random.RandomState(0).standard_normal((2000, 2)).astype(np.float32)
    value = sliced_wasserstein.sliced_distance(rows, rows + np.array([3.0, 4.0], np.float32), np.random.RandomState(1))
    assert value == pytest.approx(2 * 5.0 / np.pi, rel=0.05)


def test_rows_in_another_order_are_at_no_distance():
    rows = np.random.RandomState(0).standard_normal((500, 7)).astype(np.float32)
    assert sliced_wasserstein.sliced_distance(rows, rows[::-1], np.random.RandomState(1)) == pytest.approx(0.0, abs=1e-6)


def test_there_is_a_figure_per_halving_down_to_16_pixels_and_their_mean():
    found = sliced_wasserstein.distances(noise(8, 64), noise(8, 64, seed=1))
    assert list(found) == ["sliced_wasserstein", "sliced_wasserstein_64", "sliced_wasserstein_32", "sliced_wasserstein_16"]
    assert found["sliced_wasserstein"] == pytest.approx(np.mean(list(found.values())[1:]))
    assert [sliced_wasserstein.levels(*shape) for shape in ((32, 32), (28, 28), (48, 32), (31, 64), (16, 16))] == [2, 1, 2, 1, 1]


def test_images_of_the_same_kind_are_near_and_smoother_ones_far():
    smooth = tf.image.resize(tf.image.resize(noise(64, seed=2), (8, 8), antialias=True), (32, 32)).numpy()
    near = sliced_wasserstein.distances(noise(64), noise(64, seed=1))["sliced_wasserstein"]
    far = sliced_wasserstein.distances(noise(64), smooth)["sliced_wasserstein"]
    assert near < 0.05 and far > 3 * near


def test_it_is_a_function_of_the_images_and_the_seed():
    x, y = noise(4), noise(4, seed=1)
    assert sliced_wasserstein.distances(x, y, seed=3) == sliced_wasserstein.distances(x, y, seed=3)
    assert sliced_wasserstein.distances(x, y, seed=3) != sliced_wasserstein.distances(x, y, seed=4)


def test_the_pyramid_adds_up_to_the_image():
    """TF-GAN's: each level plus the one below, enlarged by cv2's rule, is the level before; of a constant the details are 0."""
    fine, coarse = sliced_wasserstein._pyramid(np.full((2, 32, 32, 1), 77, np.uint8))
    np.testing.assert_allclose(fine, 0.0, atol=1e-4)
    np.testing.assert_allclose(coarse, 77.0, rtol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_flat_part_of_an_image_does_no_harm_though_tfgans_own_distance_fails_on_it(channels):
    x, y = noise(4, channels=channels), noise(4, seed=1, channels=channels)
    x[:, :16] = 0
    assert np.isfinite(list(sliced_wasserstein.distances(x, y).values())).all()
    if channels == 3:
        with compat.without_deprecation_logs():
            theirs = compat.tfgan_eval().sliced_wasserstein_distance(tf.constant(x, tf.float32), tf.constant(y, tf.float32))
        assert np.isnan(theirs[0][1])


def test_as_many_of_the_larger_set_are_taken_as_the_smaller_has():
    x, y = noise(4), noise(9, seed=1)
    assert sliced_wasserstein.distances(x, y) == sliced_wasserstein.distances(x, y[:4])


@pytest.mark.parametrize("other", [noise(4, 16), noise(4, 32, channels=1), noise(0)])
def test_images_that_cannot_be_compared_are_refused(other):
    with pytest.raises(ValueError, match="of one size, at least 16 pixels"):
        sliced_wasserstein.distances(noise(4), other)
