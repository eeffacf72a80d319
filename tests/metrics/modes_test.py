import math

import numpy as np
import pytest

from pipelines import toys
from tfgan_suite.metrics import modes

RING, GRID = toys.MIXTURES["ring8"], toys.MIXTURES["grid25"]


def judged(points, mixture):
    return modes.coverage(np.asarray(points, np.float64), np.asarray(mixture.centers), mixture.deviation)


def oracle(mixture, n=250_000, seed=0):
    random = np.random.RandomState(seed)
    return toys.mixture_points(mixture, random.randint(len(mixture.centers), size=n), random)


@pytest.mark.parametrize("name", toys.MIXTURES)
def test_a_perfect_sampler_covers_all_modes_evenly_and_989_of_1000_points_are_of_high_quality(name):
    mixture = toys.MIXTURES[name]
    found = judged(oracle(mixture), mixture)
    assert found.modes == found.assigned_modes == len(mixture.centers) and found.missing == []
    assert found.high_quality == pytest.approx(1.0 - math.exp(-4.5), abs=0.002)
    assert found.reverse_kl < 1e-3
    cut = 4.5 * math.exp(-4.5) / (1.0 - math.exp(-4.5))  # what the threshold takes from the variance
    assert found.std_ratio == pytest.approx(math.sqrt(1.0 - cut), abs=0.004)


@pytest.mark.parametrize(("mixture", "divergence"), [(RING, 2.079442), (GRID, 3.218876)])
def test_one_center_alone_is_one_mode_at_log_k_and_has_no_variety(mixture, divergence):
    found = judged(np.tile(mixture.centers[3], (100, 1)), mixture)
    assert (found.modes, found.high_quality) == (1, 1.0) and found.std_ratio == pytest.approx(0.0, abs=1e-9)
    assert found.missing == [i for i in range(len(mixture.centers)) if i != 3]
    assert found.reverse_kl == pytest.approx(divergence, abs=1e-6)


def test_two_of_eight_centers_equally_are_at_log_4():
    found = judged(np.repeat(np.asarray(RING.centers)[[1, 6]], 50, axis=0), RING)
    assert found.modes == 2 and found.reverse_kl == pytest.approx(math.log(4.0), rel=1e-12)


def test_points_at_the_origin_are_the_middle_of_the_grid_and_points_between_centers_are_nothing():
    assert judged(np.zeros((10, 2)), GRID).modes == 1
    between = judged(np.ones((10, 2)), GRID)
    assert (between.high_quality, between.modes, between.missing) == (0.0, 0, list(range(25)))
    assert between.figures() == {"modes": 0.0, "high_quality": 0.0, "assigned_modes": 1.0}  # no divergence of no points


def test_uniform_points_are_assigned_to_all_modes_and_are_of_high_quality_by_area():
    points = np.random.RandomState(0).uniform(-4.5, 4.5, (400_000, 2))
    found = judged(points, GRID)
    expected = 25 * math.pi * 0.15**2 / 81  # 0.0218
    assert found.high_quality == pytest.approx(expected, abs=4 * math.sqrt(expected / 400_000))
    assert judged(points[:3000] + [[0.0, 100.0]], GRID).assigned_modes == 5  # far above: the top row, and none of high quality
    assert judged(points[:3000] + [[0.0, 100.0]], GRID).modes == 0


def test_the_threshold_scales_with_the_deviation_of_the_data():
    narrow, wide = toys.MIXTURES["ring8"], toys.MIXTURES["ring8_wgan_gp"]
    for mixture in (narrow, wide):
        offsets = np.array([[2.99, 0.0], [3.01, 0.0]]) * mixture.deviation
        assert judged(np.asarray(mixture.centers[0]) + offsets, mixture).high_quality == 0.5


def test_the_variety_within_a_mode_is_about_its_own_mean_and_over_the_data_s_deviation():
    center = np.asarray(RING.centers[0])
    offsets = np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 1.0], [2.0, -1.0]]) * 0.5 * RING.deviation  # variance 0.125 along each axis
    assert judged(center + offsets, RING).std_ratios == {0: pytest.approx(math.sqrt(0.125))}
    assert judged(center[None], RING).std_ratios == {}


def test_equal_counts_diverge_by_nothing_and_one_class_of_1000_by_log_1000():
    assert modes.kl_to_uniform(np.full(1000, 26)) == pytest.approx(0.0, abs=1e-12)
    assert modes.kl_to_uniform(np.eye(1000)[7]) == pytest.approx(6.907755, abs=1e-6)


def test_a_divergence_of_shares_worked_by_hand():
    assert modes.kl_to_uniform(np.array([3, 1, 0, 0])) == pytest.approx(0.75 * math.log(3.0) + 0.25 * math.log(1.0))


def test_plugging_in_counts_overestimates_as_known():
    """26,000 draws from 1000 equal classes: 999 / 52,000 = 0.0192 to first order."""
    draws = [np.bincount(np.random.RandomState(s).randint(1000, size=26_000), minlength=1000) for s in range(3)]
    assert np.mean([modes.kl_to_uniform(d) for d in draws]) == pytest.approx(0.0196, abs=0.002)


@pytest.mark.parametrize("counts", [np.zeros(4), np.array([1.0, -1.0, 3.0]), np.ones((2, 2))])
def test_what_are_no_counts_is_refused(counts):
    with pytest.raises(ValueError, match="needs counts"):
        modes.kl_to_uniform(counts)


def test_points_of_another_dimension_are_refused():
    with pytest.raises(ValueError, match="the same d"):
        judged(np.zeros((3, 3)), RING)
