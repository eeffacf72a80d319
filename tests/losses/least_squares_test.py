import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite import registry
from tfgan_suite.losses import adversarial, least_squares


def test_the_losses_are_half_the_squared_distances_from_their_targets():
    real, fake = tf.constant([1.0, 3.0]), tf.constant([0.0, 2.0])
    game = least_squares.LeastSquares(fake_target=-1.0, real_target=2.0, generator_target=0.5, weight=3.0)
    scores = {"real": {"logits": real}, "fake": {"logits": fake}}
    np.testing.assert_allclose(game.discriminator_loss({}, scores, None), 3.0 * (0.5 * (1.0 + 1.0) / 2 + 0.5 * (1.0 + 9.0) / 2))
    np.testing.assert_allclose(game.generator_loss({}, scores, None), 3.0 * 0.5 * (0.25 + 2.25) / 2)


def test_an_experiment_may_hold_the_term():
    experiment = registry.experiment("dcgan/debug")
    experiment.model.terms = (least_squares.LeastSquares(fake_target=-1.0, generator_target=0.0),)
    assert registry.load(registry.dump(experiment)) == experiment


@pytest.mark.parametrize(
    "name, game",
    [
        ("least_squares", least_squares.LeastSquares()),
        ("least_squares_pearson", least_squares.LeastSquares(fake_target=-1.0, real_target=1.0, generator_target=0.0)),
    ],
)
def test_the_published_targets_are_the_games_of_those_names(name, game):
    numbers = np.random.default_rng(0)
    scores = {view: {"logits": tf.constant(numbers.standard_normal(8), tf.float32)} for view in ("real", "fake")}
    for player in ("discriminator_loss", "generator_loss"):
        np.testing.assert_allclose(getattr(game, player)({}, scores, None), getattr(adversarial.Adversarial(loss=name), player)({}, scores, None))


def test_a_trained_score_tells_two_gaussians_apart_as_the_paper_says():
    """Mao et al. 2017, eq. 5: D* = (b p + a q) / (p + q); p = N(-1, 1), q = N(1, 1), a = -1, b = 2."""
    keras.utils.set_random_seed(0)
    numbers = np.random.default_rng(0)
    real, fake = (tf.constant(numbers.standard_normal((4096, 1)) + shift, tf.float32) for shift in (-1.0, 1.0))
    layers = [keras.layers.Dense(32, activation="tanh"), keras.layers.Dense(32, activation="tanh"), keras.layers.Dense(1)]
    network = keras.Sequential([keras.Input((1,)), *layers])
    optimizer = keras.optimizers.Adam(1e-2)
    optimizer.build(network.trainable_variables)

    @tf.function(autograph=False)
    def step():
        with tf.GradientTape() as tape:
            loss = least_squares.discriminator(network(real)[:, 0], network(fake)[:, 0], fake_target=-1.0, real_target=2.0)
        optimizer.apply(tape.gradient(loss, [v.value for v in network.trainable_variables]), network.trainable_variables)

    for _ in range(200):
        step()
    x = np.linspace(-2.5, 2.5, 21, dtype=np.float32)
    p, q = (np.exp(-((x - shift) ** 2) / 2.0) for shift in (-1.0, 1.0))
    np.testing.assert_allclose(network(x[:, None])[:, 0], (2.0 * p - 1.0 * q) / (p + q), atol=0.2)
