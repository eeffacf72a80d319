import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import compat
from tfgan_suite.metrics import inception_score

GOLDEN = np.load(pathlib.Path(__file__).parents[1] / "golden" / "metrics.npz")


@pytest.mark.parametrize("case", ["is", "is_uneven"])
def test_golden(case):
    probabilities = GOLDEN[f"{case}.probs"]
    tolerance = {"rtol": 1e-9}
    np.testing.assert_allclose(inception_score.split_scores(probabilities, 10), GOLDEN[f"{case}.split_scores"], **tolerance)
    mean, std = inception_score.inception_score(probabilities, 10)
    np.testing.assert_allclose(mean, GOLDEN[f"{case}.mean"], **tolerance)
    np.testing.assert_allclose(std, GOLDEN[f"{case}.std_population"], rtol=1e-9)
    np.testing.assert_allclose(inception_score.inception_score(probabilities, 1)[0], GOLDEN[f"{case}.single_split"], **tolerance)


def test_equals_tfgan_on_logits():
    logits = np.random.RandomState(0).normal(size=(200, 12)) * 3
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    expected = compat.tfgan_eval().classifier_score_from_logits(tf.constant(logits))
    np.testing.assert_allclose(inception_score.inception_score(probabilities, 1)[0], expected, rtol=1e-12)


def test_uniform_probabilities_score_one():
    np.testing.assert_allclose(inception_score.inception_score(np.full((20, 4), 0.25), 2), (1.0, 0.0), atol=1e-12)


def test_certain_and_balanced_classes_score_their_number():
    np.testing.assert_allclose(inception_score.inception_score(np.tile(np.eye(7), (3, 1)), 3), (7.0, 0.0), rtol=1e-12)


def test_one_certain_class_scores_one():
    np.testing.assert_allclose(inception_score.inception_score(np.eye(5)[np.zeros(10, int)], 1)[0], 1.0, rtol=1e-12)


def test_a_mixture_of_two_classes_has_the_closed_form():
    e = 0.1
    probabilities = np.array([[1 - e, e], [e, 1 - e]])
    expected = np.exp((1 - e) * np.log((1 - e) / 0.5) + e * np.log(e / 0.5))
    np.testing.assert_allclose(inception_score.inception_score(probabilities, 1)[0], expected, rtol=1e-12)


def test_one_split_does_not_depend_on_the_order():
    probabilities = GOLDEN["is.probs"]
    shuffled = probabilities[np.random.RandomState(0).permutation(len(probabilities))]
    np.testing.assert_allclose(inception_score.split_scores(shuffled, 1), inception_score.split_scores(probabilities, 1), rtol=1e-12)


def test_numbers_that_are_no_probabilities_are_refused():
    with pytest.raises(ValueError, match="rows sum to 1"):
        inception_score.inception_score(np.ones((4, 3)), 2)


def test_more_splits_than_rows_are_refused():
    with pytest.raises(ValueError, match="11 splits of 10 rows"):
        inception_score.inception_score(np.full((10, 2), 0.5), 11)
