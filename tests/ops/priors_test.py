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
