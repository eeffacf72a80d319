import pathlib

import numpy as np
import pytest
import scipy.linalg

from tfgan_suite.metrics import frechet

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "metrics.npz")


def distance(x, y):
    return frechet.frechet_distance(frechet.Moments.of(np.asarray(x, np.float64)), frechet.Moments.of(np.asarray(y, np.float64)))


def standardised(generator, rows, width):
    """Rows whose sample mean is 0 and sample covariance (n - 1) the identity, exactly."""
    x = generator.normal(size=(rows, width))
    x -= x.mean(0)
    return x @ np.linalg.inv(np.linalg.cholesky(np.cov(x, rowvar=False))).T


def test_golden_small():
    np.testing.assert_allclose(distance(GOLDEN["small.real"], GOLDEN["small.fake"]), GOLDEN["small.fid"], rtol=1e-7)


def test_golden_large():
    real, fake = (GOLDEN[f"large.{name}_code"] * GOLDEN["large.scale"] for name in ("real", "fake"))
    np.testing.assert_allclose(distance(real, fake), GOLDEN["large.fid"], rtol=1e-7)


def test_golden_with_fewer_rows_than_features():
    real, fake = GOLDEN["small.real"][: GOLDEN["rankdef.n_real"]], GOLDEN["small.fake"][: GOLDEN["rankdef.n_fake"]]
    np.testing.assert_allclose(distance(real, fake), GOLDEN["rankdef.fid_eigh"], rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-5, 1.0, 1e3])
def test_a_set_against_itself_is_zero_at_any_scale(scale):
    x = np.random.RandomState(0).normal(size=(300, 20)) * scale
    assert abs(distance(x, x)) < 1e-6 * scale**2


def test_two_points_against_two_points_worked_by_hand():
    # means 1 and 2, variances 2 and 2 with n - 1
    np.testing.assert_allclose(distance([[0], [2]], [[1], [3]]), 1.0, rtol=1e-12)


def test_isotropic_gaussians_have_the_closed_form():
    generator = np.random.RandomState(1)
    x, y = standardised(generator, 200, 8), standardised(generator, 300, 8)
    mean = np.arange(8.0)
    # |mu1 - mu2|^2 + d (a - b)^2
    np.testing.assert_allclose(distance(2.0 * x, 0.5 * y + mean), mean @ mean + 8 * 1.5**2, rtol=1e-9)


def test_diagonal_covariances_have_the_closed_form():
    generator = np.random.RandomState(2)
    x, y = standardised(generator, 200, 6), standardised(generator, 200, 6)
    a, b = np.linspace(0.5, 3, 6), np.linspace(2, 0.1, 6)
    np.testing.assert_allclose(distance(x * a, y * b), np.sum((a - b) ** 2), rtol=1e-9)


def test_two_apart_and_three_times_as_wide_are_both_at_4_and_not_at_its_root():
    x = standardised(np.random.RandomState(7), 100, 2)[:, :1]
    np.testing.assert_allclose([distance(x, x + 2.0), distance(x, 3.0 * x)], 4.0, rtol=1e-9)


def test_a_rotation_of_both_changes_nothing_and_a_scale_counts_squared():
    generator = np.random.RandomState(8)
    x, y = generator.normal(size=(90, 5)), 1.0 + 2.0 * generator.normal(size=(80, 5))
    rotation = np.linalg.qr(generator.normal(size=(5, 5)))[0]
    np.testing.assert_allclose(distance(x @ rotation, y @ rotation), distance(x, y), rtol=1e-9)
    np.testing.assert_allclose(distance(7.0 * x, 7.0 * y), 49.0 * distance(x, y), rtol=1e-9)


def test_equals_the_root_of_scipy_for_covariances_that_do_not_commute():
    generator = np.random.RandomState(3)
    x, y = generator.normal(size=(400, 12)) @ generator.normal(size=(12, 12)), generator.normal(size=(400, 12)) @ generator.normal(size=(12, 12))
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    difference = x.mean(0) - y.mean(0)
    expected = difference @ difference + np.trace(a + b - 2 * scipy.linalg.sqrtm(a @ b).real)
    np.testing.assert_allclose(distance(x, y), expected, rtol=1e-9)


def test_is_symmetric():
    generator = np.random.RandomState(4)
    x, y = generator.normal(size=(50, 10)), 2 + generator.normal(size=(80, 10)) * 3
    np.testing.assert_allclose(distance(x, y), distance(y, x), rtol=1e-9)


def test_constant_features_give_the_distance_of_their_means():
    np.testing.assert_allclose(distance(np.zeros((3, 4)), np.full((3, 4), 2.0)), 16.0)


def test_moments_over_batches_equal_numpy_when_the_mean_is_large_against_the_spread():
    x = 1e4 + np.random.RandomState(5).normal(size=(1000, 5))
    moments = frechet.Moments.of(x[i : i + 64] for i in range(0, 1000, 64))
    assert moments.count == 1000
    np.testing.assert_allclose(moments.mean, x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(x, rowvar=False), rtol=0, atol=1e-10)


def test_restored_moments_take_more_rows():
    x = np.random.RandomState(6).normal(size=(100, 4))
    first = frechet.Moments.of(x[:60])
    moments = frechet.Moments.restored(first.count, first.mean, first.covariance)
    moments.update(x[60:])
    np.testing.assert_allclose(moments.covariance, np.cov(x, rowvar=False), atol=1e-12)


def test_features_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="NaN or infinity"):
        frechet.Moments.of(np.array([[1.0, np.nan]]))


def test_one_row_is_refused():
    with pytest.raises(ValueError, match="at least 2 rows"):
        distance([[0.0]], [[1.0], [2.0]])


def test_features_of_two_extractors_are_refused():
    with pytest.raises(ValueError, match="widths 2 and 3"):
        distance(np.eye(3, 2), np.eye(3, 3))
