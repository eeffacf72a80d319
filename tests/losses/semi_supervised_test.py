import math
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import semi_supervised

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "semi_supervised.npz")
LOGITS = {name: tf.constant(GOLDEN[f"logits_{name}"]) for name in ("labelled", "unlabelled", "generated")}


def log_sum_exp(logits):
    return tf.reduce_logsumexp(logits, -1)


def discriminator_loss(term, labelled, unlabelled, generated, labels):
    scores = {
        "labelled": {"class_logits": labelled},
        "real": {"logits": log_sum_exp(unlabelled)},
        "fake": {"logits": log_sum_exp(generated)},
    }
    return term.discriminator_loss({"labelled": {"label": tf.constant(labels)}}, scores, None)


def test_losses_equal_the_golden_values_of_the_authors_code():
    value = semi_supervised.supervised(LOGITS["labelled"], GOLDEN["labels"])
    np.testing.assert_allclose(value, GOLDEN["loss_labelled"], rtol=1e-5)
    value = 0.5 * semi_supervised.unsupervised(log_sum_exp(LOGITS["unlabelled"]), log_sum_exp(LOGITS["generated"]))
    np.testing.assert_allclose(value, GOLDEN["loss_unlabelled"], rtol=1e-5)
    value = discriminator_loss(semi_supervised.SemiSupervised(), *LOGITS.values(), GOLDEN["labels"])
    np.testing.assert_allclose(value, GOLDEN["d_total_unlabeled_weight_1"], rtol=1e-5)
    value = semi_supervised.saturating_generator(log_sum_exp(LOGITS["generated"]))
    np.testing.assert_allclose(value, GOLDEN["g_loss_minibatch_variant"], rtol=1e-5)


def test_gradients_equal_the_golden_ones():
    with tf.GradientTape() as tape:
        tape.watch(LOGITS)
        loss = discriminator_loss(semi_supervised.SemiSupervised(), *LOGITS.values(), GOLDEN["labels"])
    gradients = tape.gradient(loss, LOGITS)
    for name, gradient in gradients.items():
        np.testing.assert_allclose(gradient, GOLDEN[f"grad_{name}"], atol=1e-6)


def test_the_discriminators_probability_is_one_minus_that_of_the_last_of_k_plus_1_classes():
    logits = np.random.default_rng(0).standard_normal((20, 7)) * 5.0
    everything = np.concatenate([logits, np.zeros((20, 1))], 1)
    softmax = np.exp(everything) / np.exp(everything).sum(1, keepdims=True)
    np.testing.assert_allclose(tf.sigmoid(log_sum_exp(tf.constant(logits))), 1.0 - softmax[:, -1], atol=1e-6)
    np.testing.assert_allclose(tf.sigmoid(log_sum_exp(LOGITS["unlabelled"])), GOLDEN["p_real_unlabelled"], rtol=1e-5)
    np.testing.assert_allclose(1.0 - GOLDEN["k_plus_1_probabilities_unlabelled"][:, -1], GOLDEN["p_real_unlabelled"], rtol=1e-6)


def test_the_cross_entropy_of_k_plus_1_classes_is_that_of_real_and_that_of_the_class():
    logits, labels = GOLDEN["logits_labelled"].astype(np.float64), GOLDEN["labels"]
    everything = np.concatenate([logits, np.zeros((10, 1))], 1)
    whole = np.mean(np.log(np.exp(everything).sum(1)) - logits[np.arange(10), labels])
    real = np.mean(np.log1p(np.exp(-np.log(np.exp(logits).sum(1)))))
    np.testing.assert_allclose(real + semi_supervised.supervised(tf.constant(logits), labels), whole, rtol=1e-9)


def test_at_zero_logits_of_ten_classes_the_losses_are_their_closed_forms():
    zeros = tf.zeros([4, 10])
    value = semi_supervised.unsupervised(log_sum_exp(zeros), log_sum_exp(zeros))
    np.testing.assert_allclose(value, math.log(1.1) + math.log(11.0), rtol=1e-6)
    np.testing.assert_allclose(semi_supervised.supervised(zeros, tf.range(4)), math.log(10.0), rtol=1e-6)
    np.testing.assert_allclose(tf.sigmoid(log_sum_exp(zeros)), np.full(4, 10.0 / 11.0), rtol=1e-6)


def test_the_unsupervised_part_is_binary_cross_entropy_on_the_log_sum():
    real, fake = log_sum_exp(LOGITS["unlabelled"]), log_sum_exp(LOGITS["generated"])
    p, q = (1.0 / (1.0 + np.exp(-x.numpy().astype(np.float64))) for x in (real, fake))
    np.testing.assert_allclose(semi_supervised.unsupervised(real, fake), -np.log(p).mean() - np.log(1.0 - q).mean(), rtol=1e-5)


def test_a_constant_on_all_logits_changes_the_unsupervised_part_alone():
    shifted = {name: logits + 3.0 for name, logits in LOGITS.items()}
    before, after = (semi_supervised.supervised(x["labelled"], GOLDEN["labels"]) for x in (LOGITS, shifted))
    np.testing.assert_allclose(after, before, rtol=1e-5)
    before, after = (semi_supervised.unsupervised(log_sum_exp(x["unlabelled"]), log_sum_exp(x["generated"])) for x in (LOGITS, shifted))
    assert abs(float(after - before)) > 0.1


def test_huge_logits_stay_finite():
    huge = tf.constant([[200.0, -200.0], [-200.0, 200.0]])
    values = [
        semi_supervised.supervised(huge, tf.constant([1, 1])),
        semi_supervised.unsupervised(log_sum_exp(huge), log_sum_exp(-huge)),
        semi_supervised.saturating_generator(log_sum_exp(huge)),
        semi_supervised.non_saturating_generator(log_sum_exp(huge)),
    ]
    assert np.isfinite(values).all()


@pytest.mark.parametrize(
    ("generator", "value"), [("none", 0.0), ("saturating", -math.log(11.0)), ("non_saturating", math.log(1.1))], ids=lambda value: str(value)[:6]
)
def test_what_the_generator_is_told(generator, value):
    term = semi_supervised.SemiSupervised(generator=generator)
    scores = {"fake": {"logits": log_sum_exp(tf.zeros([4, 10]))}}
    np.testing.assert_allclose(term.generator_loss({}, scores, None), value, rtol=1e-6)


def test_without_the_unsupervised_part_only_labelled_images_count():
    term = semi_supervised.SemiSupervised(unlabelled_weight=0.0)
    np.testing.assert_allclose(discriminator_loss(term, *LOGITS.values(), GOLDEN["labels"]), GOLDEN["loss_labelled"], rtol=1e-5)


def test_an_unknown_generator_loss_is_refused():
    with pytest.raises(ValueError, match="generator='minimax' is unknown. It is one of none, saturating, non_saturating"):
        semi_supervised.SemiSupervised(generator="minimax")
