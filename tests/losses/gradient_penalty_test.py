import pathlib
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import layer_norm
from tfgan_suite.losses import gradient_penalty
from tfgan_suite.networks import dcgan
from tfgan_suite.ops import random

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "gradient_penalty.npz")
ACTIVATIONS = {"tanh": tf.tanh, "lrelu": lambda x: tf.nn.leaky_relu(x, 0.2)}
REAL, FAKE, NOISE, EPSILON = (GOLDEN[key] for key in ("real", "fake", "dra_noise", "eps"))
SENTENCE = GOLDEN["sentence"]
PENALTIES = {
    "wgan_gp": lambda score: gradient_penalty.gradient_penalty(score, REAL, FAKE, EPSILON[:, 0]),
    "one_sided": lambda score: gradient_penalty.one_sided_gradient_penalty(score, REAL, FAKE, EPSILON[:, 0]),
    "r1_half": lambda score: gradient_penalty.r1(score, tf.constant(REAL)),
    "r2_half": lambda score: gradient_penalty.r1(score, tf.constant(FAKE)),
    "dragan_studiogan": lambda score: gradient_penalty.dragan(score, tf.constant(REAL), EPSILON[:, 0], NOISE),
}


class Critic:
    """act(flat(x) W1 + b1) W2 + b2, the golden critic."""

    def __init__(self, activation, first="W1"):
        self.activation = ACTIVATIONS[activation]
        self.weights = [tf.Variable(GOLDEN[key]) for key in (first, "b1", "W2")]
        self.bias = tf.constant(GOLDEN["b2"])

    def __call__(self, *inputs):
        flat = tf.concat([tf.reshape(x, (x.shape[0], -1)) for x in inputs], 1)
        first, bias, second = self.weights
        return tf.squeeze(tf.matmul(self.activation(tf.matmul(flat, first) + bias), second) + self.bias, -1)


def assert_golden(value, key):
    np.testing.assert_allclose(value, GOLDEN[key], rtol=0, atol=3e-5 * max(1.0, np.abs(GOLDEN[key]).max()), err_msg=key)


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_penalties_and_their_gradients_are_the_golden_ones(activation, penalty):
    critic = Critic(activation)
    with tf.GradientTape() as tape:
        value = PENALTIES[penalty](critic)
    assert_golden(value, f"{activation}.{penalty}")
    for name, gradient in zip(("W1", "b1", "W2"), tape.gradient(value, critic.weights, unconnected_gradients="zero"), strict=True):
        assert_golden(gradient, f"{activation}.{penalty}.grad_{name}")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_matching_aware_penalty_is_the_golden_one(activation):
    critic = Critic(activation, "W1_cond")
    with tf.GradientTape() as tape:
        value = 2.0 * gradient_penalty.matching_aware_gradient_penalty(critic, tf.constant(REAL), tf.constant(SENTENCE))
    assert_golden(value, f"{activation}.ma_gp")
    for name, gradient in zip(("W1_cond", "b1", "W2"), tape.gradient(value, critic.weights, unconnected_gradients="zero"), strict=True):
        assert_golden(gradient, f"{activation}.ma_gp.grad_{name}")


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_norms_are_taken_example_by_example(activation):
    critic = Critic(activation)
    assert_golden(gradient_penalty.gradient_norm(critic, tf.constant(REAL)), f"{activation}.norm_real")
    between = gradient_penalty.interpolate(REAL, FAKE, tf.constant(EPSILON[:, 0]))
    assert_golden(gradient_penalty.gradient_norm(critic, between), f"{activation}.norm_interp")


def linear(*a):
    a = tf.Variable(np.array(a, np.float32))
    return a, lambda x: tf.linalg.matvec(x, a)


def points(b=6, n=2, seed=0):
    generator = np.random.default_rng(seed)
    return (*(tf.constant(generator.standard_normal((b, n)), tf.float32) for _ in range(2)), tf.constant(generator.uniform(size=b), tf.float32))


def test_penalty_of_a_linear_critic_is_its_slope_less_one_squared_whatever_the_data():
    a, score = linear(3.0, 4.0)
    with tf.GradientTape() as tape:
        value = gradient_penalty.gradient_penalty(score, *points())
    np.testing.assert_allclose(value, 16.0, rtol=1e-5)
    np.testing.assert_allclose(tape.gradient(value, a), [4.8, 6.4], rtol=1e-5)  # 2 (|a| - 1) a / |a|


def test_one_sided_penalty_leaves_gentle_slopes_free():
    _, gentle = linear(0.3, 0.4)
    assert gradient_penalty.one_sided_gradient_penalty(gentle, *points()) == 0.0
    _, steep = linear(3.0, 4.0)
    np.testing.assert_allclose(gradient_penalty.one_sided_gradient_penalty(steep, *points()), 16.0, rtol=1e-5)


def test_zero_centred_and_r1_penalties_of_a_linear_critic_are_its_squared_slope():
    _, score = linear(3.0, 4.0)
    np.testing.assert_allclose(gradient_penalty.zero_centered_gradient_penalty(score, *points()), 25.0, rtol=1e-5)
    np.testing.assert_allclose(gradient_penalty.r1(score, points()[0]), 12.5, rtol=1e-5)


def test_dragan_penalty_of_a_linear_critic_is_its_slope_less_one_squared():
    _, score = linear(3.0, 4.0)
    real, noise, epsilon = points()
    np.testing.assert_allclose(gradient_penalty.dragan(score, real, epsilon, noise), 16.0, rtol=1e-5)


def test_which_fake_meets_which_real_image_matters_only_through_the_points_between():
    real, fake, epsilon = points()
    shuffled = tf.gather(fake, [3, 1, 5, 0, 2, 4])
    _, score = linear(3.0, 4.0)
    first, second = (gradient_penalty.gradient_penalty(score, real, f, epsilon) for f in (fake, shuffled))
    np.testing.assert_allclose(first, second, rtol=1e-6)  # a slope that is the same everywhere

    def curved(x):
        return 0.5 * tf.reduce_sum(x**2, 1)

    together = tf.gather(real, [3, 1, 5, 0, 2, 4]), shuffled, tf.gather(epsilon, [3, 1, 5, 0, 2, 4])
    first, second = gradient_penalty.gradient_penalty(curved, real, fake, epsilon), gradient_penalty.gradient_penalty(curved, *together)
    np.testing.assert_allclose(first, second, rtol=1e-6)  # the same pairs in another order
    assert abs(float(gradient_penalty.gradient_penalty(curved, real, shuffled, epsilon) - first)) > 1e-3


def test_a_target_slope_is_asked_for_relatively():
    """Karras et al. 2018: lambda / target^2 E(|grad| - target)^2."""
    _, score = linear(3.0, 4.0)
    np.testing.assert_allclose(gradient_penalty.gradient_penalty(score, *points(), target=750.0), (5.0 - 750.0) ** 2 / 750.0**2, rtol=1e-5)


def test_penalty_of_half_the_squared_norm_sees_the_interpolated_points():
    real, fake, epsilon = points()
    between = epsilon[:, None] * real + (1 - epsilon[:, None]) * fake
    expected = np.mean((np.linalg.norm(between, axis=1) - 1.0) ** 2)
    np.testing.assert_allclose(gradient_penalty.gradient_penalty(lambda x: 0.5 * tf.reduce_sum(x**2, 1), real, fake, epsilon), expected, rtol=1e-5)


def test_matching_aware_penalty_of_a_linear_critic():
    """D = w x + v e: (|w|^2 + |v|^2)^3."""
    w, v = np.array([0.5, 0.5], np.float32), np.array([0.1, 0.7], np.float32)
    x, e, _ = points()
    value = gradient_penalty.matching_aware_gradient_penalty(lambda x, e: tf.linalg.matvec(x, w) + tf.linalg.matvec(e, v), x, e)
    np.testing.assert_allclose(value, (np.sum(w**2) + np.sum(v**2)) ** 3, rtol=1e-5)


def test_a_critic_with_zero_weights_gives_finite_gradients():
    for activation in ACTIVATIONS:
        critic = Critic(activation)
        for weight in critic.weights:
            weight.assign(tf.zeros_like(weight))
        for penalty in PENALTIES.values():
            with tf.GradientTape() as tape:
                value = penalty(critic)
            for gradient in tape.gradient(value, critic.weights, unconnected_gradients="zero"):
                assert np.isfinite(gradient).all()


def test_a_critic_with_layer_norm_can_be_penalised():
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Conv2D(4, 3), layer_norm.LayerNorm(), keras.layers.LeakyReLU(0.2), keras.layers.Flatten(), keras.layers.Dense(1)]
    critic = keras.Sequential([keras.Input((4, 4, 3)), *layers])
    with tf.GradientTape() as tape:
        value = gradient_penalty.gradient_penalty(lambda x: critic(x)[:, 0], REAL, FAKE, EPSILON[:, 0])
    gradients = tape.gradient(value, [v.value for v in critic.trainable_variables], unconnected_gradients="zero")
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in gradients)
    assert max(np.abs(g).max() for g in gradients) > 1e-3


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_penalty_in_half_precision_is_near_the_one_in_float32(policy):
    critics = []
    for name in ("float32", policy):
        keras.config.set_dtype_policy(name)
        critics.append(dcgan.discriminator(image_shape=(16, 16, 3), width=16, norm="none"))
        keras.config.set_dtype_policy("float32")
    for a, b in zip(critics[1].variables, critics[0].variables, strict=True):
        b.assign(4.0 * b)
        a.assign(b)
    generator = np.random.default_rng(0)
    real, fake = (tf.constant(generator.uniform(-1.0, 1.0, (8, 16, 16, 3)), tf.float32) for _ in range(2))
    values = []
    for critic in critics:
        with tf.GradientTape() as tape:
            value = gradient_penalty.r1(lambda x, critic=critic: critic({"image": x})["logits"], real)
            value += gradient_penalty.gradient_penalty(lambda x, critic=critic: critic({"image": x})["logits"], real, fake, tf.linspace(0.0, 1.0, 8))
        assert all(np.isfinite(g).all() for g in tape.gradient(value, [v.value for v in critic.trainable_variables]))
        values.append(value)
    np.testing.assert_allclose(values[1], values[0], rtol=0.02)


def test_drift_is_the_mean_squared_score():
    np.testing.assert_allclose(gradient_penalty.drift(tf.constant([1.0, -3.0])), 5.0)


def test_dragan_takes_the_deviation_of_the_global_batch(mirrored):
    real, noise = (tf.constant(GOLDEN[key][:4]) for key in ("real", "dra_noise"))
    epsilon = tf.constant(EPSILON[:4, 0])

    def local():
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        half = [tf.ensure_shape(tf.gather(tf.reshape(x, (2, 2, *x.shape[1:])), replica), (2, *x.shape[1:])) for x in (real, epsilon, noise)]
        return gradient_penalty.dragan(critic, *half)

    critic = Critic("tanh")
    parts = mirrored.experimental_local_results(mirrored.run(tf.function(local, autograph=False)))
    np.testing.assert_allclose(np.mean([p.numpy() for p in parts]), gradient_penalty.dragan(critic, real, epsilon, noise), rtol=1e-5)


def dirac_gan_radius(gamma, rate, steps):
    """Mescheder et al. 2018, section 2: p at 0, q at theta, D(x) = psi x, both players moving at once; how far from the equilibrium at 0."""
    theta, psi = tf.Variable(1e-3), tf.Variable(0.0)
    for _ in range(steps):
        with tf.GradientTape(persistent=True) as tape:
            answer = -tf.nn.softplus(psi * theta)
            loss = -answer + gamma * gradient_penalty.r1(lambda x: psi * x[:, 0], tf.zeros([1, 1]))
        d, g = tape.gradient(loss, psi), tape.gradient(answer, theta)
        psi.assign_sub(rate * d)
        theta.assign_sub(rate * g)
    return float(tf.sqrt(theta**2 + psi**2))


def test_the_dirac_gan_spirals_out_without_a_penalty_and_converges_with_r1():
    np.testing.assert_allclose(dirac_gan_radius(0.0, 0.1, 20) / 1e-3, (1 + 0.1**2 / 4) ** 10, rtol=1e-4)
    assert dirac_gan_radius(1.0, 0.1, 200) < 1e-5


class TestTerms:
    """Each term against its pure function, on the golden critic under a label that scales the score."""

    @staticmethod
    def step(critic):
        def score(view):
            return {"logits": critic(view["image"]) * view["scale"]}

        return types.SimpleNamespace(score=score, random=random.Stream(0))

    views = {
        "real": {"image": tf.constant(REAL), "scale": tf.constant(2.0)},
        "fake": {"image": tf.constant(FAKE), "scale": tf.constant(3.0)},
    }
    scores = {"real": {"logits": tf.constant([1.0, -3.0])}}

    def value(self, term, critic):
        assert term.generator_loss(self.views, self.scores, None) == 0.0
        return term.discriminator_loss(self.views, self.scores, self.step(critic))

    def test_gradient_penalty_scores_its_points_under_the_real_conditions(self):
        critic = Critic("tanh")
        epsilon = random.Stream(0).uniform((5,))
        for term, pure in (
            (gradient_penalty.GradientPenalty(weight=3.0), gradient_penalty.gradient_penalty),
            (gradient_penalty.GradientPenalty(weight=3.0, one_sided=True), gradient_penalty.one_sided_gradient_penalty),
            (gradient_penalty.ZeroCenteredGradientPenalty(weight=3.0), gradient_penalty.zero_centered_gradient_penalty),
        ):
            expected = 3.0 * pure(lambda x: 2.0 * critic(x), REAL, FAKE, epsilon)
            np.testing.assert_allclose(self.value(term, critic), expected, rtol=1e-6)

    def test_r1_and_r2_halve_gamma_and_keep_each_views_conditions(self):
        critic = Critic("tanh")
        for term, image, scale in ((gradient_penalty.R1(gamma=4.0), REAL, 2.0), (gradient_penalty.R2(gamma=4.0), FAKE, 3.0)):
            norms = gradient_penalty.squared_gradient_norm(critic, tf.constant(image)) * scale**2
            np.testing.assert_allclose(self.value(term, critic), 2.0 * tf.reduce_mean(norms), rtol=1e-5)

    def test_dragan_noise_is_one_sided_unless_centred(self):
        critic = Critic("tanh")
        for centered, low in ((False, 0.0), (True, -1.0)):
            noise = random.Stream(0).fold("noise").uniform(REAL.shape, low, 1.0)
            epsilon = random.Stream(0).fold("epsilon").uniform((5,))
            expected = 10.0 * gradient_penalty.dragan(lambda x: 2.0 * critic(x), tf.constant(REAL), epsilon, noise)
            np.testing.assert_allclose(self.value(gradient_penalty.Dragan(centered=centered), critic), expected, rtol=1e-5)

    def test_matching_aware_penalty_reads_the_condition_of_the_real_view(self):
        critic = Critic("tanh", "W1_cond")
        views = {"real": {"image": tf.constant(REAL), "text": tf.constant(SENTENCE)}}
        step = types.SimpleNamespace(score=lambda view: {"logits": critic(view["image"], view["text"])})
        value = gradient_penalty.MatchingAwareGradientPenalty().discriminator_loss(views, {}, step)
        np.testing.assert_allclose(value, GOLDEN["tanh.ma_gp"], rtol=1e-4)

    def test_drift_is_weighted_by_a_thousandth(self):
        np.testing.assert_allclose(self.value(gradient_penalty.Drift(), None), 0.005, rtol=1e-6)
