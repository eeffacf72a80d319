import pathlib

import numpy as np
import pytest

from tfgan_suite.metrics import kernel

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "metrics.npz")


def test_golden_small():
    value = kernel.squared_discrepancy(GOLDEN["small.real"], GOLDEN["small.fake"])
    np.testing.assert_allclose(value, GOLDEN["small.kid_mmd2_unbiased"], atol=1e-9)


def test_golden_large():
    real, fake = (GOLDEN[f"large.{name}_code"] * GOLDEN["large.scale"] for name in ("real", "fake"))
    np.testing.assert_allclose(kernel.squared_discrepancy(real, fake), GOLDEN["large.kid_mmd2_unbiased"], atol=1e-9)


def test_golden_subsets():
    real, fake = GOLDEN["small.real"], GOLDEN["small.fake"]
    pairs = zip(GOLDEN["small.kid_subset_idx_real"], GOLDEN["small.kid_subset_idx_fake"], strict=True)
    values = [kernel.squared_discrepancy(real[i], fake[j]) for i, j in pairs]
    np.testing.assert_allclose(values, GOLDEN["small.kid_subset_values"], atol=1e-9)


def test_golden_mean_and_standard_deviation_over_subsets(monkeypatch):
    pairs = list(zip(GOLDEN["small.kid_subset_idx_real"], GOLDEN["small.kid_subset_idx_fake"], strict=True))
    monkeypatch.setattr(kernel, "subsets", lambda *arguments: pairs)
    mean, std = kernel.kernel_distance(GOLDEN["small.real"], GOLDEN["small.fake"])
    np.testing.assert_allclose([mean, std], [GOLDEN["small.kid_subset_mean"], GOLDEN["small.kid_subset_std"]], atol=1e-9)


def test_zero_features_are_at_distance_zero():
    assert kernel.squared_discrepancy(np.zeros((4, 3)), np.zeros((5, 3))) == 0.0


def test_opposite_constants_are_at_distance_sixteen():
    # |c|^2 = d: k(c, c) = (1 + 1)^3 = 8 in each set, k(c, -c) = 0
    np.testing.assert_allclose(kernel.squared_discrepancy(np.ones((6, 5)), -np.ones((4, 5))), 16.0)


def test_a_set_against_itself_is_negative_by_its_diagonal():
    x = np.random.RandomState(0).normal(size=(20, 7))
    k = (x @ x.T / 7 + 1) ** 3
    n, total = len(x), k.sum()
    off = total - np.trace(k)
    np.testing.assert_allclose(kernel.squared_discrepancy(x, x), 2 * (off / (n * (n - 1)) - total / n**2), rtol=1e-10)


def test_is_unbiased_between_samples_of_one_distribution():
    generator = np.random.RandomState(1)
    values = [kernel.squared_discrepancy(generator.normal(size=(60, 8)), generator.normal(size=(60, 8))) for _ in range(60)]
    assert abs(np.mean(values)) < 3 * np.std(values, ddof=1) / np.sqrt(60)


def test_subsets_are_drawn_without_replacement_from_all_rows_and_repeat_with_the_seed():
    pairs = kernel.subsets(30, 40, 50, 20, seed=7)
    assert all(len(set(i)) == 20 and len(set(j)) == 20 for i, j in pairs)
    assert set(np.concatenate([j for _, j in pairs])) == set(range(40))
    np.testing.assert_array_equal(pairs[3][1], kernel.subsets(30, 40, 50, 20, seed=7)[3][1])


def test_a_subset_larger_than_the_smaller_set_is_refused():
    with pytest.raises(ValueError, match="subset size 31 for 30 and 40 rows"):
        kernel.subsets(30, 40, 1, 31, seed=0)
