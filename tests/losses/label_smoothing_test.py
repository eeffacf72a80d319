import math

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import adversarial, label_smoothing

ENTROPY = -0.9 * math.log(0.9) - 0.1 * math.log(0.1)


def logit(p):
    return tf.constant([math.log(p / (1.0 - p))])


def test_the_least_loss_of_real_images_is_the_targets_entropy_and_lies_at_the_target():
    assert ENTROPY == pytest.approx(0.325083, abs=1e-6)
    np.testing.assert_allclose(label_smoothing.cross_entropy(logit(0.9), 0.9), ENTROPY, rtol=1e-5)
    for p in (0.85, 0.95):
        assert float(label_smoothing.cross_entropy(logit(p), 0.9)) > ENTROPY


def test_the_divergence_is_0_there_and_has_the_same_gradient():
    np.testing.assert_allclose(label_smoothing.divergence(logit(0.9), 0.9), 0.0, atol=1e-6)
    logits = tf.constant([0.3, -2.0, 5.0])
    gradients = []
    for function in (label_smoothing.cross_entropy, label_smoothing.divergence):
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = function(logits, 0.9)
        gradients.append(tape.gradient(loss, logits))
    np.testing.assert_array_equal(*gradients)


@pytest.mark.parametrize(("p", "q"), [(1.0, 1.0), (0.2, 0.6), (3.0, 0.5)])
def test_the_best_discriminator_is_alpha_p_over_p_plus_q(p, q):
    """At densities p and q; 0.45 at equilibrium with alpha = 0.9."""
    best = tf.Variable(logit(0.9 * p / (p + q)))
    with tf.GradientTape() as tape:
        loss = p * label_smoothing.cross_entropy(best, 0.9) + q * label_smoothing.cross_entropy(best, 0.0)
    np.testing.assert_allclose(tape.gradient(loss, best), [0.0], atol=1e-6)


def test_unsmoothed_it_is_the_cross_entropy_of_the_game():
    logits = np.array([-3.0, 0.5, 4.0])
    d = 1.0 / (1.0 + np.exp(-logits))
    for target, expected in ((1.0, -np.log(d).mean()), (0.0, -np.log(1.0 - d).mean())):
        for function in (label_smoothing.cross_entropy, label_smoothing.divergence):
            np.testing.assert_allclose(function(tf.constant(logits, tf.float32), target), expected, rtol=1e-5)


def test_huge_logits_stay_finite():
    assert np.isfinite(label_smoothing.cross_entropy(tf.constant([-300.0, 300.0]), 0.9))


def test_the_term_smooths_real_images_alone_and_lets_the_generator_aim_at_its_own_target():
    term = label_smoothing.SmoothedAdversarial(real_target=0.75, generator_target=0.375, weight=2.0)
    scores = {"real": {"logits": logit(0.75)}, "fake": {"logits": logit(0.375)}}
    np.testing.assert_allclose(term.discriminator_loss({}, scores, None), -2.0 * math.log(1.0 - 0.375), rtol=1e-5)
    np.testing.assert_allclose(term.generator_loss({}, scores, None), 0.0, atol=1e-6)


@pytest.mark.parametrize("target", [0.0, 1.1])
def test_a_target_that_is_no_probability_is_refused(target):
    with pytest.raises(ValueError, match="real_target is a probability in"):
        label_smoothing.SmoothedAdversarial(real_target=target)


def test_at_nine_tenths_it_is_tf_gans_smoothed_loss_less_the_entropy_of_the_target():
    real, fake = tf.constant([1.5, -0.2, 3.0]), tf.constant([-2.0, 0.4, 0.1])
    loss = label_smoothing.SmoothedAdversarial(real_target=0.9).discriminator_loss({}, {"real": {"logits": real}, "fake": {"logits": fake}}, None)
    np.testing.assert_allclose(loss + ENTROPY, adversarial.LOSSES["non_saturating_smoothed"].discriminator(real, fake), rtol=1e-5)
