import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import compat
from tfgan_suite.losses import adversarial

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "adversarial_losses.npz")
NAMES = {"non_saturating": ("vanilla", "logistic"), "hinge": ("hinge",), "wasserstein": ("wasserstein",), "least_squares": ("least_squares",)}
CASES = [(ours, f"{prefix}{theirs}") for ours, all_theirs in NAMES.items() for theirs in all_theirs for prefix in ("", "extreme.")]
EVERY = pytest.mark.parametrize("name", adversarial.LOSSES)


def logits(prefix):
    return tf.constant(GOLDEN[f"{prefix}logit_real"]), tf.constant(GOLDEN[f"{prefix}logit_fake"])


def assert_close(value, expected, key):
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-5 * max(1.0, np.abs(expected).max()), err_msg=key)


@pytest.mark.parametrize("name, case", CASES)
def test_losses_and_gradients_are_the_golden_ones(name, case):
    """`extreme`: logits up to 80 in magnitude, and exact ties of the hinge, where its gradient is 0."""
    real, fake = logits("extreme." if case.startswith("extreme.") else "")
    loss = adversarial.LOSSES[name]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        discriminator, generator = loss.discriminator(real, fake), loss.generator(fake)
    values = {"d_loss": discriminator, "g_loss": generator, "grad_g_fake": tape.gradient(generator, fake)}
    values |= {"grad_d_real": tape.gradient(discriminator, real), "grad_d_fake": tape.gradient(discriminator, fake)}
    for key, value in values.items():
        assert_close(value, GOLDEN[f"{case}.{key}"], key)


@pytest.mark.parametrize("prefix", ["", "extreme."])
def test_minimax_generator_is_the_golden_one(prefix):
    _, fake = logits(prefix)
    with tf.GradientTape() as tape:
        tape.watch(fake)
        loss = adversarial.LOSSES["minimax"].generator(fake)
    assert_close(loss, GOLDEN[f"{prefix}minimax.g_loss"], "g_loss")
    assert_close(tape.gradient(loss, fake), GOLDEN[f"{prefix}minimax.grad_g_fake"], "grad_g_fake")


@pytest.mark.parametrize(
    "name, discriminator, generator",
    [
        ("non_saturating", 2 * np.log(2), np.log(2)),
        ("non_saturating_halved", np.log(2), np.log(2)),
        ("non_saturating_smoothed", 2 * np.log(2), np.log(2)),
        ("minimax", 2 * np.log(2), -np.log(2)),
        ("reverse_kl", 2 * np.log(2), 0.0),
        ("least_squares", 0.5, 0.5),
        ("least_squares_pearson", 1.0, 0.0),
        ("wasserstein", 0.0, 0.0),
        ("hinge", 2.0, 0.0),
    ],
)
def test_values_at_zero_logits(name, discriminator, generator):
    zeros = tf.zeros([5])
    np.testing.assert_allclose(adversarial.LOSSES[name].discriminator(zeros, zeros), discriminator, atol=1e-6)
    np.testing.assert_allclose(adversarial.LOSSES[name].generator(zeros), generator, atol=1e-6)


def test_minimax_saturates_where_the_discriminator_rejects_and_non_saturating_does_not():
    fake = tf.constant([-10.0])
    for name, slope in (("minimax", -4.5398e-5), ("non_saturating", -0.999955)):
        with tf.GradientTape() as tape:
            tape.watch(fake)
            loss = adversarial.LOSSES[name].generator(fake)
        np.testing.assert_allclose(tape.gradient(loss, fake), [slope], rtol=1e-4)


def risk(name, score, p, q, surely_real, surely_fake):
    """p times the loss of `score` on real plus q times that on fake, each with the other half at its minimum of zero."""
    at, surely_real, surely_fake = (tf.constant([x], tf.float32) for x in (score, surely_real, surely_fake))
    discriminator = adversarial.LOSSES[name].discriminator
    return p * discriminator(at, surely_fake) + q * discriminator(surely_real, at)


@pytest.mark.parametrize("name, fake_target", [("least_squares", 0.0), ("least_squares_pearson", -1.0)])
def test_least_squares_is_least_at_the_mixture_of_its_targets(name, fake_target):
    """Mao et al. 2017, eq. 5: D* = (b p + a q) / (p + q)."""
    p, q = 0.6, 0.3
    best = (p + fake_target * q) / (p + q)
    values = [risk(name, score, p, q, 1.0, fake_target) for score in (best - 0.05, best, best + 0.05)]
    assert values[1] < min(values[0], values[2])


def test_cross_entropy_is_least_at_the_log_ratio_of_the_densities():
    """Goodfellow et al. 2014, proposition 1: D* = p / (p + q)."""
    p, q = 0.7, 0.2
    values = [risk("non_saturating", np.log(p / q) + shift, p, q, 40.0, -40.0) for shift in (-0.05, 0.0, 0.05)]
    assert values[1] < min(values[0], values[2])


def test_smoothing_pulls_real_scores_to_the_target_nine_tenths_and_leaves_fakes_alone():
    real, fake = tf.constant([np.log(9.0)], tf.float32), tf.constant([0.3])
    with tf.GradientTape() as tape:
        tape.watch([real, fake])
        loss = adversarial.LOSSES["non_saturating_smoothed"].discriminator(real, fake)
    gradients = tape.gradient(loss, [real, fake])
    np.testing.assert_allclose(gradients[0], [0.0], atol=1e-6)
    np.testing.assert_allclose(gradients[1], [1 / (1 + np.exp(-0.3))], rtol=1e-5)


def test_on_disjoint_points_the_cross_entropy_game_says_the_same_at_any_distance_and_the_wasserstein_game_says_the_distance():
    """p at 0, q at t: the value of the game tends to -log 4 + 2 JSD with JSD = log 2, for t = 0.01 as for t = 2; a critic of slope 1 says |t|."""
    for t in (0.01, 2.0):
        steep, gentle = 4000.0 / t, -1.0
        real, fake = tf.constant([0.5 * steep * t]), tf.constant([0.5 * steep * t - steep * t])
        value = -adversarial.LOSSES["minimax"].discriminator(real, fake)
        np.testing.assert_allclose(value, -np.log(4.0) + 2.0 * np.log(2.0), atol=1e-6)
        distance = -adversarial.LOSSES["wasserstein"].discriminator(tf.constant([0.0]), tf.constant([gentle * t]))
        np.testing.assert_allclose(distance, t, rtol=1e-6)


def test_the_reverse_kl_generator_pays_that_divergence_at_the_best_discriminator():
    """With s = log p / q, E_q[-s] = KL(q, p); of P = (.6, .3, .1) and Q = (.2, .3, .5) 0.584996."""
    p, q = np.array([0.6, 0.3, 0.1]), np.array([0.2, 0.3, 0.5])
    paid = sum(q[i] * float(adversarial.LOSSES["reverse_kl"].generator(tf.constant([np.log(p[i] / q[i])], tf.float32))) for i in range(3))
    np.testing.assert_allclose(paid, 0.584996, atol=1e-6)


@EVERY
def test_nothing_is_left_in_tensorflows_loss_collection(name):
    loss = adversarial.LOSSES[name]
    graph = tf.Graph()
    with graph.as_default():
        loss.discriminator(tf.zeros([3]), tf.zeros([3]))
        loss.generator(tf.zeros([3]))
    assert not graph.get_all_collection_keys()


@EVERY
def test_graph_and_xla_equal_eager_with_gradients(name):
    loss = adversarial.LOSSES[name]
    real, fake = logits("")

    def step(real, fake):
        with tf.GradientTape() as tape:
            tape.watch([real, fake])
            total = loss.discriminator(real, fake) + 2.0 * loss.generator(fake)
        return [total, *tape.gradient(total, [real, fake])]

    for compiled in (False, True):
        for a, b in zip(tf.function(step, jit_compile=compiled, autograph=False)(real, fake), step(real, fake), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@EVERY
def test_the_mean_over_two_replicas_is_the_loss_of_the_whole_batch(mirrored, name):
    loss = adversarial.LOSSES[name]
    real, fake = GOLDEN["logit_real"], GOLDEN["logit_fake"]

    def local():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        r, f = (tf.gather(tf.reshape(x, (2, -1)), replica) for x in (real, fake))
        return loss.discriminator(r, f), loss.generator(f)

    parts = mirrored.run(tf.function(local, autograph=False))
    whole = loss.discriminator(tf.constant(real), tf.constant(fake)), loss.generator(tf.constant(fake))
    for part, expected in zip(parts, whole, strict=True):
        np.testing.assert_allclose(np.mean([x.numpy() for x in mirrored.experimental_local_results(part)]), expected, rtol=1e-5, atol=1e-6)


def test_tf_gans_minimax_generator_differs_from_the_paper_by_a_constant_which_is_why_ours_is_used():
    _, fake = logits("")
    theirs = compat.tfgan_losses().minimax_generator_loss(fake, loss_collection=None)
    np.testing.assert_allclose(theirs - adversarial.LOSSES["minimax"].generator(fake), -np.log1p(np.exp(-1.0)), rtol=1e-5)


class TestTerm:
    scores = {"real": {"logits": tf.constant([1.0, 3.0])}, "fake": {"logits": tf.constant([-2.0, 0.0])}}

    def test_both_players_play_the_chosen_game_with_its_weight(self):
        term = adversarial.Adversarial(loss="hinge", weight=0.5)
        np.testing.assert_allclose(term.discriminator_loss({}, self.scores, None), 0.5 * (0.0 + 0.5))
        np.testing.assert_allclose(term.generator_loss({}, self.scores, None), 0.5 * 1.0)

    def test_default_is_the_non_saturating_game(self):
        assert adversarial.Adversarial().loss == "non_saturating"

    def test_an_unknown_game_is_refused_at_construction_with_the_alternatives(self):
        with pytest.raises(ValueError, match="'hinges' is unknown.*non_saturating.*wasserstein, hinge"):
            adversarial.Adversarial(loss="hinges")
