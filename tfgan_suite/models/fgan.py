"""f-GAN. Nowozin, Cseke, Tomioka 2016, arXiv:1606.00709.

Any f-divergence of `losses.divergences` is minimised through its lower bound F(theta, omega) = E_P g_f(V(x)) - E_Q f*(g_f(V(x))). Algorithm 1, the
single-step method, moves both players at once and needs no inner loop (theorem 2 shows that it converges near a saddle point):

    sample X_P = {x_1, ..., x_B} from P and X_Q = {x'_1, ..., x'_B} from Q_theta
    omega <- omega + eta grad_omega F(theta, omega)
    theta <- theta - eta grad_theta F(theta, omega)

`core.simultaneous` is that step; `simultaneous=False` alternates as Goodfellow et al. do. The term's `generator` says whether the last line is taken
as it stands (`theory`) or ascends E_Q g_f(V(x)) instead (`alternative`, section 3.2).

Differs from the paper: V reads pixels in [-1, 1]; the number of steps of the MNIST presets is ours.
"""

import dataclasses

import keras

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers, simultaneous
from tfgan_suite.losses import divergences
from tfgan_suite.networks import compact, mlp


@dataclasses.dataclass(kw_only=True)
class Config(simultaneous.Config):
    """Defaults: the paper's for MNIST."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (divergences.FDivergence(divergence="kl"),))
    simultaneous: bool = True
    body: str = "mlp"
    """A name in `BODIES`."""
    latent_size: int = 100
    prior: str = "uniform"
    generator_width: int = 1200
    discriminator_width: int = 240
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class Fgan(simultaneous.SimultaneousGan):
    """The paper's networks; `SimultaneousGan` is its algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        return BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)


def _mlp_generator(*, image_shape, latent_size, width):
    return mlp.generator(image_shape=image_shape, latent_size=latent_size, width=width, norm="batch")


def _mlp_variational(*, image_shape, width):
    start = keras.initializers.RandomUniform(-0.05, 0.05)
    return mlp.critic(image_shape=image_shape, widths=(width, width), activation="elu", kernel_initializer=start)


def _compact_variational(*, image_shape, width):
    return compact.discriminator(image_shape=image_shape, width=width, gain=1.2)


BODIES = {"mlp": (_mlp_generator, _mlp_variational), "compact": (compact.generator, _compact_variational)}
"""Body -> (generator, variational function)."""


def _mnist(divergence: str) -> experiment.Experiment:
    return experiment.Experiment(
        variant="fgan",
        model=Config(terms=(divergences.FDivergence(divergence=divergence),)),
        data=spec.DatasetConfig(source="mnist", batch_size=4096),
        training=experiment.Training(steps=10_000),
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc")),
    )


PRESETS = {
    "mnist_kl": _mnist("kl"),
    "mnist_reverse_kl": _mnist("reverse_kl"),
    "mnist_pearson": _mnist("pearson"),
    "mnist_neyman": _mnist("neyman"),
    "mnist_squared_hellinger": _mnist("squared_hellinger"),
    "mnist_jeffrey": _mnist("jeffrey"),
    "mnist_jensen_shannon": _mnist("jensen_shannon"),
    "mnist_gan": _mnist("gan"),
    "demo": experiment.demo(
        "fgan",
        Config(
            terms=(divergences.FDivergence(divergence="jensen_shannon"),),
            body="compact",
            latent_size=64,
            prior="normal",
            generator_width=32,
            discriminator_width=32,
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("fgan", Config(latent_size=8, generator_width=16, discriminator_width=8)),
}
