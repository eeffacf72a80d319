import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import auxiliary_classifier

B, K = 6, 7
NUMBERS = np.random.default_rng(0)
LOGITS = {view: NUMBERS.standard_normal((B, K)).astype(np.float32) for view in ("real", "fake")}
LABELS = {view: NUMBERS.integers(0, K, B).astype(np.int32) for view in ("real", "fake")}


def expected(view):
    """-log softmax by hand in float64."""
    z = LOGITS[view].astype(np.float64)
    return np.mean(np.log(np.exp(z).sum(1)) - z[np.arange(B), LABELS[view]])


def losses(**options):
    """(D's loss, G's loss, gradient of D's loss in the class logits of real and of fake images)."""
    term = auxiliary_classifier.AuxiliaryClassifier(**options)
    logits = {view: tf.constant(value) for view, value in LOGITS.items()}
    views = {view: {"label": tf.constant(value)} for view, value in LABELS.items()}
    scores = {view: {"class_logits": value} for view, value in logits.items()}
    with tf.GradientTape() as tape:
        tape.watch(list(logits.values()))
        discriminator = term.discriminator_loss(views, scores, None)
    gradients = tape.gradient(discriminator, logits, unconnected_gradients="zero")
    return discriminator, term.generator_loss({"fake": views["fake"]}, {"fake": scores["fake"]}, None), gradients


def test_uniform_logits_cost_the_logarithm_of_the_number_of_classes():
    for k in (2, 10, 1000):
        loss = auxiliary_classifier.class_cross_entropy(tf.fill([3, k], 4.0), tf.constant([0, 1, k - 1]))
        np.testing.assert_allclose(loss, np.log(k), rtol=1e-6)


def test_a_certain_and_right_classifier_costs_nothing_and_a_wrong_one_its_margin():
    logits = tf.constant([[40.0, -40.0], [-40.0, 40.0]])
    np.testing.assert_allclose(auxiliary_classifier.class_cross_entropy(logits, tf.constant([0, 1])), 0.0, atol=1e-6)
    np.testing.assert_allclose(auxiliary_classifier.class_cross_entropy(logits, tf.constant([1, 0])), 80.0, rtol=1e-6)


def test_each_player_pays_for_its_own_images_under_their_own_labels():
    discriminator, generator, _ = losses()
    np.testing.assert_allclose([discriminator, generator], [expected("real"), expected("fake")], rtol=1e-5)


def test_generated_images_teach_the_discriminator_no_classes_unless_told():
    _, _, gradients = losses()
    np.testing.assert_array_equal(gradients["fake"], np.zeros((B, K)))
    assert np.abs(gradients["real"]).max() > 0.01
    discriminator, _, gradients = losses(fake_in_discriminator=True)
    np.testing.assert_allclose(discriminator, expected("real") + expected("fake"), rtol=1e-5)
    assert np.abs(gradients["fake"]).max() > 0.01


@pytest.mark.parametrize("weights", [(1.0, 0.1), (0.5, 2.0)])
def test_weights_scale_each_player_s_part(weights):
    discriminator, generator, _ = losses(discriminator_weight=weights[0], generator_weight=weights[1])
    np.testing.assert_allclose([discriminator, generator], [weights[0] * expected("real"), weights[1] * expected("fake")], rtol=1e-5)


def test_a_mixture_of_two_classes_is_classified_as_both_in_their_shares():
    """The cross-entropy with soft targets: -sum_c t_c log softmax_c, with t = w at one class and 1 - w at the other."""
    share = np.linspace(0.1, 0.9, B).astype(np.float32)
    other = (LABELS["real"] + 1) % K
    targets = share[:, None] * np.eye(K)[LABELS["real"]] + (1.0 - share)[:, None] * np.eye(K)[other]
    z = LOGITS["real"].astype(np.float64)
    expected = -np.mean(np.sum(targets * (z - np.log(np.exp(z).sum(1, keepdims=True))), 1))
    view = {"label": tf.constant(LABELS["real"]), "mixed_label": tf.constant(other), "mix_weight": tf.constant(share)}
    loss = auxiliary_classifier.AuxiliaryClassifier().discriminator_loss(
        {"real": view}, {"real": {"class_logits": tf.constant(LOGITS["real"])}}, None
    )
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


@pytest.mark.parametrize("name", ["discriminator_weight", "generator_weight"])
def test_a_negative_weight_is_refused(name):
    with pytest.raises(ValueError, match=f"AuxiliaryClassifier.{name} must be at least 0"):
        auxiliary_classifier.AuxiliaryClassifier(**{name: -1.0})
