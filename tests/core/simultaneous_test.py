import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny

from pipelines import spec
from tfgan_suite.core import averaging, optimizers, run, simultaneous
from tfgan_suite.losses import adversarial, gradient_penalty


@dataclasses.dataclass(kw_only=True)
class Config(tiny.Config, simultaneous.Config):
    simultaneous: bool = True


class Both(simultaneous.SimultaneousGan, tiny.Tiny):
    """The tiny conditional GAN."""


class TwoPoints(simultaneous.SimultaneousGan):
    """G draws the number theta, whatever the latents; D(x) = psi x."""

    def build_generator(self):
        latents = keras.Input((1,), name="latents")
        start = keras.initializers.Constant(self.theta)
        theta = keras.layers.Dense(1, bias_initializer=start)(keras.ops.zeros_like(latents))
        return keras.Model({"latents": latents}, {"image": keras.layers.Reshape((1, 1, 1))(theta)})

    def build_discriminator(self):
        image = keras.Input((1, 1, 1), name="image")
        start = keras.initializers.Constant(self.psi)
        score = keras.layers.Dense(1, use_bias=False, kernel_initializer=start)(keras.layers.Flatten()(image))
        return keras.Model({"image": image}, {"logits": keras.ops.squeeze(score, -1)})

    def point(self):
        """(theta, psi)."""
        return float(self.generator.layers[-2].bias.numpy()[0]), float(self.discriminator.trainable_variables[0].numpy()[0, 0])


def two_points(loss, theta, psi, rate, simultaneously):
    image = spec.Feature(shape=(1, 1, 1), dtype="float32", low=-1.0, high=1.0)
    data = spec.DataSpec(name="points", features={"image": image}, size=8)
    sgd = optimizers.SGD(learning_rate=rate)
    config = simultaneous.Config(
        terms=(adversarial.Adversarial(loss=loss),),
        latent_size=1,
        simultaneous=simultaneously,
        discriminator_optimizer=sgd,
        generator_optimizer=sgd,
        average=averaging.Average(decay=0.0),
    )
    made = type("Made", (TwoPoints,), {"theta": theta, "psi": psi})
    return made(config, data, run.Run(seed=0, phase="train", steps=100))


def real(x):
    return {"image": tf.fill([4, 1, 1, 1], x)}


@pytest.mark.parametrize("simultaneously", [True, False])
def test_at_once_the_generator_answers_the_old_discriminator_and_in_turn_the_new_one(simultaneously):
    """E f(G) - E f(x) with f = psi x at x = -1: psi falls along theta + 1, theta rises along psi."""
    theta, psi, rate = 0.5, 0.2, 0.1
    model = two_points("wasserstein", theta, psi, rate, simultaneously)
    model.train_step(real(-1.0))
    new_psi = psi - rate * (theta + 1.0)
    np.testing.assert_allclose(model.point(), (theta + rate * (psi if simultaneously else new_psi), new_psi), rtol=1e-6)
    assert int(model.step.numpy()) == 1


def test_the_dirac_gan_spirals_out_under_simultaneous_descent_and_circles_under_alternating():
    """Mescheder et al. 2018, section 2, near the equilibrium: |eigenvalue| is sqrt(1 + h^2 / 4) at once and 1 in turn."""
    rate, steps = 0.5, 40
    growth = {}
    for simultaneously in (True, False):
        model = two_points("minimax", 1e-3, 0.0, rate, simultaneously)
        tiny.train(model, [real(0.0)] * steps, graph=True)
        growth[simultaneously] = np.hypot(*model.point()) / 1e-3
    np.testing.assert_allclose(growth[True], (1.0 + rate**2 / 4.0) ** (steps / 2), rtol=1e-3)
    assert 0.85 < growth[False] < 1.15  # on its ellipse, whose axes differ by a factor of 1.134


def build(config):
    if not tf.distribute.has_strategy():
        keras.backend.clear_session()
    keras.utils.set_random_seed(0)
    return Both(config, tiny.data_spec(), run.Run(seed=0, phase="train", steps=8))


@pytest.mark.parametrize(
    "config",
    [
        Config(accumulation=2),
        Config(norm="batch", spectral_norm=False),
        Config(terms=(adversarial.Adversarial(loss="non_saturating"), gradient_penalty.GradientPenalty())),
    ],
    ids=["accumulation", "batch norm", "gradient penalty"],
)
def test_two_replicas_of_b_equal_one_of_2b(mirrored, config):
    keras.backend.clear_session()
    with mirrored.scope():
        two = build(config)
    batches = [tiny.batch(8, seed=i) for i in range(2)]
    tiny.train_mirrored(mirrored, two, batches)
    one = build(config)
    tiny.train(one, batches)
    assert tiny.largest_difference(tiny.weights(two), tiny.weights(one)) < 1e-5


def test_losses_of_both_players_are_logged_by_term_and_read_the_same_scores():
    model = build(Config(terms=(adversarial.Adversarial(loss="wasserstein"), gradient_penalty.R1(gamma=2.0))))
    logs = tiny.train(model, [tiny.batch(8)])[0]
    assert logs["discriminator/loss"] == pytest.approx(logs["discriminator/adversarial"] + logs["discriminator/r1"], rel=1e-5)
    assert logs["discriminator/adversarial"] == pytest.approx(logs["discriminator/fake_logits"] - logs["discriminator/real_logits"], abs=1e-6)
    assert logs["generator/loss"] == pytest.approx(-logs["discriminator/fake_logits"], abs=1e-6)
    assert {"generator/diversity", "generator/gradient_norm", "discriminator/gradient_norm"} <= logs.keys()


@pytest.mark.parametrize("field", ["discriminator_steps", "generator_batches"])
def test_several_moves_of_one_player_are_refused_with_the_remedy(field):
    with pytest.raises(ValueError, match="simultaneous=True moves both players once.*Set them to 1"):
        simultaneous.Config(simultaneous=True, **{field: 2})
