import math

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.ops import priors, random

MOMENTS = {"normal": (math.inf, 1.0), "uniform": (1.0, 1 / 3), "uniform_unit_variance": (math.sqrt(3.0), 1.0)}


@pytest.mark.parametrize("name", MOMENTS)
def test_training_and_export_draw_from_the_same_distribution(name):
    limit, variance = MOMENTS[name]
    prior = priors.PRIORS[name]
    for x in (prior.draw(random.Stream(0), (1000, 40), math.inf), prior.rows(tf.range(1000, dtype=tf.int64), 40, tf.fill([1000], math.inf))):
        assert np.abs(x).max() <= limit + 1e-6
        np.testing.assert_allclose([np.mean(x), np.var(x)], [0.0, variance], atol=0.02)


@pytest.mark.parametrize("name", MOMENTS)
def test_truncation_bounds_every_prior(name):
    prior = priors.PRIORS[name]
    assert np.abs(prior.draw(random.Stream(0), (100, 40), 0.5)).max() <= 0.5
    rows = np.abs(prior.rows(tf.constant([3, 4], tf.int64), 40, tf.constant([0.5, 0.25])))
    assert rows[0].max() <= 0.5 and 0.0 < rows[1].max() <= 0.25


def test_every_prior_is_tested_here():
    assert set(MOMENTS) == set(priors.PRIORS)


def way(name, a, b, *shares):
    a, b = (tf.constant(np.repeat([x], len(shares), 0), tf.float32) for x in (a, b))
    return priors.PRIORS[name].between(a, b, tf.constant(shares, tf.float32)).numpy()


def test_the_great_circle_keeps_the_length_and_turns_evenly():
    shares = (0.0, 0.25, 0.5, 1.0)
    angles = np.multiply(shares, np.pi / 2)
    np.testing.assert_allclose(way("normal", [2, 0], [0, 2], *shares), np.transpose([2 * np.cos(angles), 2 * np.sin(angles)]), atol=1e-6)


def test_near_latents_are_joined_as_in_double_precision():
    a, b = np.array([1.0, 2.0, -1.0]), np.array([1.0002, 2.0001, -0.9997])
    angle = np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
    expected = (np.sin(0.7 * angle) * a + np.sin(0.3 * angle) * b) / np.sin(angle)
    np.testing.assert_allclose(way("normal", a, b, 0.3), [expected], atol=1e-6)


@pytest.mark.parametrize("a, b, middle", [([1, 2], [3, 6], [2, 4]), ([1, 0], [-1, 0], [0, 0]), ([0, 0], [0, 0], [0, 0])])
def test_parallel_latents_are_joined_by_a_straight_line(a, b, middle):
    np.testing.assert_allclose(way("normal", a, b, 0.5), [middle], atol=1e-6)


@pytest.mark.parametrize("name", ["uniform", "uniform_unit_variance"])
def test_uniform_latents_are_joined_by_a_straight_line_which_stays_in_their_box(name):
    np.testing.assert_allclose(way(name, [1, -1], [-1, 0], 0.0, 0.25, 1.0), [[1, -1], [0.5, -0.75], [-1, 0]])


@pytest.mark.parametrize("name", MOMENTS)
def test_the_ends_of_the_way_are_the_latents_bit_for_bit(name):
    a, b = (np.random.default_rng(seed).normal(size=64).astype(np.float32) for seed in (0, 1))
    np.testing.assert_array_equal(way(name, a, b, 0.0, 1.0), [a, b])
