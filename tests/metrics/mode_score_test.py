import numpy as np
import pytest

from tfgan_suite.metrics import inception_score, mode_score

PROBABILITIES = np.random.RandomState(0).dirichlet(np.full(6, 0.3), size=200)
REAL = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.1])


def kl(p, q):
    return float(np.sum(p * np.log(p / q)))


def inception(probabilities):
    return inception_score.inception_score(probabilities, 1)[0]


def test_it_is_the_formula():
    mean = PROBABILITIES.mean(0)
    certainty = np.mean([kl(p, mean) for p in PROBABILITIES])
    assert mode_score.mode_score(PROBABILITIES, REAL) == pytest.approx(np.exp(certainty - kl(mean, REAL)), rel=1e-9)


def test_where_the_classes_are_as_frequent_as_in_the_data_it_is_the_inception_score():
    assert mode_score.mode_score(PROBABILITIES, PROBABILITIES.mean(0)) == pytest.approx(inception(PROBABILITIES), rel=1e-9)


@pytest.mark.parametrize("classes", [2, 7, 1000])
def test_a_sample_of_one_certain_class_scores_one_over_their_number(classes):
    collapsed = np.eye(classes)[np.full(20, 1)]
    assert mode_score.mode_score(collapsed, np.full(classes, 1.0 / classes)) == pytest.approx(1.0 / classes, rel=1e-9)


def test_half_of_either_of_two_classes_at_nine_to_one():
    rows = np.repeat([[0.9, 0.1], [0.1, 0.9]], 10, axis=0)
    assert mode_score.mode_score(rows, np.array([0.5, 0.5])) == pytest.approx(1.444934, abs=1e-6)  # exp(0.368064)


@pytest.mark.parametrize("real", [REAL, np.full(6, 1 / 6), np.array([0.95, 0.01, 0.01, 0.01, 0.01, 0.01])])
def test_the_formula_of_che_is_the_inception_score_whatever_the_data(real):
    assert mode_score.mode_score_che(PROBABILITIES, real) == pytest.approx(inception(PROBABILITIES), rel=1e-9)


def test_a_class_that_the_data_lack_scores_nothing():
    assert mode_score.mode_score(np.eye(3), np.array([0.5, 0.5, 0.0])) == 0.0
    assert mode_score.mode_score(np.eye(3)[:2], np.array([0.5, 0.5, 0.0])) == pytest.approx(2.0)


@pytest.mark.parametrize(("p", "real"), [(np.ones((3, 2)), [0.5, 0.5]), (np.eye(2), [0.5, 0.6]), (np.eye(2), [1.0]), (np.eye(2), [1.5, -0.5])])
def test_what_are_no_probabilities_is_refused(p, real):
    with pytest.raises(ValueError, match="sum to 1"):
        mode_score.mode_score(p, np.array(real))
