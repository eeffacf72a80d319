import pathlib

import numpy as np
import pytest

from tfgan_suite.metrics import precision_recall

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "metrics.npz")
NAMES = ("precision", "recall", "density", "coverage")


def brute_force(real, fake, k):
    def distances(a, b):
        return np.sqrt(((a[:, None].astype(np.float64) - b[None]) ** 2).sum(-1))

    between = distances(real, fake)
    real_radii, fake_radii = np.sort(distances(real, real), 1)[:, k], np.sort(distances(fake, fake), 1)[:, k]
    inside = between < real_radii[:, None]
    return inside.any(0).mean(), (between < fake_radii[None]).any(1).mean(), inside.sum(0).mean() / k, (between.min(1) < real_radii).mean()


def figures(real, fake, k, **keywords):
    found = precision_recall.precision_recall_density_coverage(real, fake, k=k, **keywords)
    return [found[name] for name in NAMES]


@pytest.mark.parametrize("k", [3, 5])
def test_golden_small(k):
    found = figures(GOLDEN["small.real"], GOLDEN["small.fake"], k)
    np.testing.assert_allclose(found, [GOLDEN[f"small.prdc_k{k}.{name}"] for name in NAMES], rtol=1e-12)


def test_golden_large():
    real, fake = (GOLDEN[f"large.{name}_code"] * GOLDEN["large.scale"] for name in ("real", "fake"))
    np.testing.assert_allclose(figures(real, fake, 5), [GOLDEN[f"large.prdc_k5.{name}"] for name in NAMES], rtol=1e-12)


@pytest.mark.parametrize("tile", [7, 32, 1000])
def test_tiles_equal_brute_force(tile):
    generator = np.random.RandomState(0)
    real, fake = generator.normal(size=(90, 5)), 0.3 + generator.normal(size=(75, 5)) * 1.2
    np.testing.assert_allclose(figures(real, fake, 4, tile=tile), brute_force(real, fake, 4), atol=1e-12)


def test_identical_sets_are_all_one():
    x = np.random.RandomState(1).normal(size=(200, 6)).astype(np.float32)
    np.testing.assert_allclose(figures(x, x, 5), 1.0)


def test_sets_far_apart_are_all_zero():
    x = np.random.RandomState(2).normal(size=(60, 4))
    np.testing.assert_array_equal(figures(x, x + 1e3, 3), 0.0)


def test_copies_of_one_real_point_have_precision_one_recall_zero_and_the_coverage_of_the_balls_around_it():
    real = np.random.RandomState(3).normal(size=(50, 3)) + 100.0
    fake = np.repeat(real[7:8], 20, axis=0)
    distances = np.linalg.norm(real[:, None] - real[None], axis=-1)
    covered = (distances[:, 7] < np.sort(distances, 1)[:, 5]).mean()
    precision, recall, _, coverage = figures(real, fake, 5)
    assert (precision, recall) == (1.0, 0.0)
    assert coverage == pytest.approx(covered)


def test_radii_are_distances_to_the_kth_other_point():
    points = np.array([[0.0], [1.0], [3.0], [7.0]])
    np.testing.assert_allclose(precision_recall.squared_radii(points, 2), [9.0, 4.0, 9.0, 36.0])


def test_a_set_of_k_points_is_refused():
    with pytest.raises(ValueError, match="k 5 for 5 and 9 rows"):
        figures(np.eye(5), np.ones((9, 5)), 5)
