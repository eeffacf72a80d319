import math
import pathlib
import types

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import mutual_information
from tfgan_suite.ops import random

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "adversarial_losses.npz")
MNIST = (mutual_information.Categorical(classes=10), mutual_information.Continuous(), mutual_information.Continuous())
CONTINUOUS = (mutual_information.Continuous(),)


def bound(codes, vectors, parameters, which=0):
    return float(mutual_information.bound(codes, which, tf.constant(vectors, tf.float32), tf.constant(parameters, tf.float32)))


def test_a_perfect_guess_at_a_category_is_worth_its_entropy_and_a_uniform_one_nothing():
    codes = (mutual_information.Categorical(classes=10),)
    vectors = np.eye(10)
    assert bound(codes, vectors, 40.0 * (2.0 * vectors - 1.0)) == pytest.approx(2.302585, abs=1e-5)
    assert bound(codes, vectors, np.zeros((10, 10))) == pytest.approx(0.0, abs=1e-6)
    assert bound(codes, vectors, np.full((10, 10), 7.0)) == pytest.approx(0.0, abs=1e-6)


def test_cross_entropy_of_a_perfect_mean_is_that_of_a_standard_normal_at_its_mode():
    c = np.linspace(-1.0, 1.0, 9)[:, None].astype(np.float32)
    likelihood = mutual_information.normal_log_likelihood(tf.constant(c), tf.constant(c), tf.zeros_like(c))
    np.testing.assert_allclose(-likelihood, np.full(9, 0.918939), atol=1e-6)


def test_entropy_of_a_uniform_number_under_a_standard_normal_is_the_authors():
    """E c^2 / 2 + log(2 pi) / 2 over U(-1, 1) is 1/6 + 0.918939 = 1.085605; by the midpoint rule."""
    c = (np.arange(10_000) + 0.5) / 5000 - 1.0
    zeros = tf.zeros([10_000, 1])
    entropy = -tf.reduce_mean(mutual_information.normal_log_likelihood(tf.constant(c[:, None], tf.float32), zeros, zeros))
    np.testing.assert_allclose(entropy, 1.085605, atol=1e-5)


def test_a_perfect_mean_of_a_continuous_code_is_worth_a_sixth_and_a_mean_of_zero_nothing():
    c = ((np.arange(10_000) + 0.5) / 5000 - 1.0)[:, None]
    assert bound(CONTINUOUS, c, c) == pytest.approx(1 / 6, abs=1e-5)
    assert bound(CONTINUOUS, c, np.zeros_like(c)) == pytest.approx(0.0, abs=1e-7)


def test_a_learned_deviation_is_worth_the_gain_in_log_likelihood():
    codes = (mutual_information.Continuous(learned_deviation=True),)
    c = np.array([[0.5], [-0.25]])
    parameters = np.concatenate([c, np.log([[0.1], [0.2]])], axis=1)
    # log Q - log p = -log sigma + c^2 / 2 at the mean
    expected = np.mean(-np.log([0.1, 0.2]) + c[:, 0] ** 2 / 2)
    assert bound(codes, c, parameters) == pytest.approx(expected, rel=1e-5)


def test_the_normal_log_likelihood_is_the_golden_one():
    """The official code adds 1e-6 under the logarithm and to twice the variance."""
    x, mean, variance = (tf.constant(GOLDEN[f"infogan_nll.{key}"], tf.float64) for key in ("x", "mu", "var"))
    [key] = [k for k in GOLDEN.files if k.startswith("infogan_nll.") and GOLDEN[k].ndim == 0]
    loss = -tf.reduce_mean(mutual_information.normal_log_likelihood(x, mean, 0.5 * tf.math.log(variance)))
    np.testing.assert_allclose(loss, GOLDEN[key], rtol=2e-5)


def test_each_bound_reads_its_own_columns():
    numbers = np.random.default_rng(0)
    codes = (mutual_information.Continuous(learned_deviation=True), mutual_information.Categorical(classes=3), mutual_information.Continuous())
    vectors, parameters = numbers.uniform(-1, 1, (4, 5)), numbers.standard_normal((4, 6))
    vectors[:, 1:4] = np.eye(3)[[0, 2, 1, 1]]
    for which, (own, q) in enumerate([(slice(0, 1), slice(0, 2)), (slice(1, 4), slice(2, 5)), (slice(4, 5), slice(5, 6))]):
        alone = bound(codes[which : which + 1], vectors[:, own], parameters[:, q])
        assert bound(codes, vectors, parameters, which) == pytest.approx(alone, rel=1e-6)


def test_codes_are_drawn_one_hot_and_uniform_and_independent():
    vectors = mutual_information.draw(MNIST, random.Stream(0), 20_000).numpy()
    assert vectors.shape == (20_000, 12)
    np.testing.assert_array_equal(np.sort(vectors[:, :10], axis=1), np.tile(np.eye(10)[9], (20_000, 1)))
    np.testing.assert_allclose(vectors[:, :10].mean(0), 0.1, atol=0.01)
    assert np.abs(vectors[:, 10:]).max() < 1.0
    np.testing.assert_allclose(vectors[:, 10:].var(0), 1 / 3, atol=0.01)
    assert np.abs(np.corrcoef(vectors[:, [0, 10, 11]].T) - np.eye(3)).max() < 0.03


def test_a_sweep_moves_one_code_from_end_to_end_and_holds_the_others():
    vectors = mutual_information.draw(MNIST, random.Stream(0), 1)
    rows = mutual_information.sweeps(MNIST, vectors, 12)
    assert list(rows) == ["categorical 0", "continuous 1", "continuous 2"]
    np.testing.assert_array_equal(rows["categorical 0"]["codes"][:, :10], np.eye(10)[np.arange(12) % 10])
    np.testing.assert_allclose(rows["continuous 2"]["codes"][:, 11], np.linspace(-1, 1, 12), atol=1e-6)
    np.testing.assert_array_equal(rows["continuous 2"]["codes"][:, :11], np.tile(vectors[:, :11], (12, 1)))


def step(codes):
    return types.SimpleNamespace(model=types.SimpleNamespace(config=types.SimpleNamespace(codes=codes)))


def test_both_players_raise_the_bound_on_generated_images_alone():
    """The views hold no real codes, so a term that asked for them would fail."""
    numbers = np.random.default_rng(1)
    vectors, parameters = mutual_information.draw(MNIST, random.Stream(3), 8), tf.constant(numbers.standard_normal((8, 12)), tf.float32)
    views, scores = {"real": {}, "fake": {"codes": vectors}}, {"real": {}, "fake": {"codes": parameters}}
    for code, weight in ((0, 1.0), (2, 0.3)):
        term = mutual_information.MutualInformation(code=code, weight=weight)
        value = -weight * bound(MNIST, vectors, parameters, code)
        assert float(term.discriminator_loss(views, scores, step(MNIST))) == pytest.approx(value, rel=1e-6)
        assert float(term.generator_loss(views, scores, step(MNIST))) == pytest.approx(value, rel=1e-6)
        assert term.log_name == f"mutual_information_{code}"


def test_gradients_of_saturated_logits_stay_finite():
    """The authors' log(softmax + 1e-8) ends at 18.4 and has no gradient there."""
    logits = tf.constant([[200.0, -200.0]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = mutual_information.categorical_log_likelihood(tf.constant([[0.0, 1.0]]), logits)
    np.testing.assert_allclose(value, [-400.0])
    np.testing.assert_allclose(tape.gradient(value, logits), [[-1.0, 1.0]])


def test_the_entropy_of_a_category_is_the_logarithm_of_its_classes():
    for k in (2, 5, 20):
        codes = (mutual_information.Categorical(classes=k),)
        assert bound(codes, np.eye(k), 60.0 * np.eye(k)) == pytest.approx(math.log(k), abs=1e-5)


def test_a_category_of_one_class_is_refused():
    with pytest.raises(ValueError, match="at least 2 classes"):
        mutual_information.Categorical(classes=1)
