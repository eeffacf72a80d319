"""The first GAN. Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio 2014, arXiv:1406.2661.

Algorithm 1 with k = 1 and the non-saturating generator loss of section 3; networks and settings of the authors' MNIST code. As in Algorithm 1 the
generator moves after the discriminator, on fresh latents; the authors' code moves both at once from the same, which is `simultaneous=True`.

The presets on toy distributions train later papers' fully connected networks, under any objective: their `terms` are a configuration as any other.

Differs from the paper: the image reaches the networks in [-1, 1] and is brought to the paper's [0, 1] inside them.
"""

import dataclasses

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers, simultaneous
from tfgan_suite.losses import adversarial, dropout_noise, gradient_penalty
from tfgan_suite.networks import compact, mlp, toy


def _sgd() -> optimizers.SGD:
    return optimizers.SGD(learning_rate=0.1, schedule=optimizers.ExponentialDecay(divisor=1.000004, minimum=1e-5), momentum=0.5, final_momentum=0.7)


@dataclasses.dataclass(kw_only=True)
class Config(simultaneous.Config):
    """Defaults: the authors' MNIST code, whose discriminator minimises half the sum of the two cross-entropies."""

    terms: alternating.Terms = dataclasses.field(
        default_factory=lambda: (adversarial.Adversarial(loss="non_saturating_halved"), dropout_noise.DropoutNoise())
    )
    body: str = "mlp"
    """A name in `BODIES`."""
    latent_size: int = 100
    prior: str = "uniform_unit_variance"
    generator_width: int = 1200
    discriminator_width: int = 240
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_sgd)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_sgd)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class MinimaxGan(simultaneous.SimultaneousGan):
    """The paper's networks; `AlternatingGan`, from which `SimultaneousGan` derives, is its algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        return BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)


def _mlp_discriminator(*, image_shape, width):
    return mlp.discriminator(image_shape=image_shape, width=width, keep=(0.8, 0.5))


def _convolutional_discriminator(*, image_shape, width):
    return compact.discriminator(image_shape=image_shape, width=width, gain=1.2)


BODIES = {
    "mlp": (mlp.generator, _mlp_discriminator),
    "convolutional": (compact.generator, _convolutional_discriminator),
} | toy.BODIES
"""Body -> (generator, discriminator). `mlp`: the paper's for MNIST. `convolutional`: strided, spectral norm in the discriminator, so that minutes are
enough. The others are for vectors: `networks.toy.BODIES`."""


def _toy(source: str, model: Config, *, batch_size: int, steps: int, metrics: tuple[str, ...] = ("modes", "fid", "prdc")) -> experiment.Experiment:
    return experiment.Experiment(
        variant="gan",
        model=model,
        data=spec.DatasetConfig(source=source, batch_size=batch_size),
        training=experiment.Training(steps=steps, steps_per_execution=50),
        evaluation=experiment.Evaluation(metrics=metrics, extractor="numbers", samples=2500, reference_samples=2500),
        health=experiment.Health(min_diversity=0.0),  # all points of one mode are as close as this house's pictures never are
    )


def _falling_adam() -> optimizers.Adam:
    return optimizers.Adam(learning_rate=2e-3, beta_1=0.0, beta_2=0.99, schedule=optimizers.LinearDecay())


def _wgan_gp() -> Config:
    """The toy code of Gulrajani et al. 2017."""
    return Config(
        body="relu_mlp",
        terms=(adversarial.Adversarial(loss="wasserstein"), gradient_penalty.GradientPenalty(weight=0.1)),
        latent_size=2,
        prior="normal",
        generator_width=512,
        discriminator_width=512,
        discriminator_steps=5,
        generator_optimizer=optimizers.Adam(learning_rate=1e-4, beta_1=0.5, beta_2=0.9),
        discriminator_optimizer=optimizers.Adam(learning_rate=1e-4, beta_1=0.5, beta_2=0.9),
    )


def _mnist(**changes) -> experiment.Experiment:
    return experiment.Experiment(
        variant="gan",
        model=Config(**changes),
        data=spec.DatasetConfig(source="mnist", batch_size=100),
        training=experiment.Training(steps=150_000),  # 250 epochs
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc")),
    )


PRESETS = {
    "mnist": _mnist(),
    "mnist_simultaneous": _mnist(simultaneous=True),
    "ring8": _toy(  # quick: what the study of objectives starts from
        "toy:ring8",
        Config(
            body="relu_mlp",
            terms=(adversarial.Adversarial(loss="non_saturating"),),
            latent_size=16,
            prior="normal",
            generator_width=128,
            discriminator_width=128,
            generator_optimizer=_falling_adam(),
            discriminator_optimizer=_falling_adam(),
            average=averaging.Average(decay=0.98),
        ),
        batch_size=256,
        steps=5_000,
    ),
    "ring8_unrolled": _toy(  # the baseline of Metz et al. 2017
        "toy:ring8_unrolled",
        Config(
            body="tanh_mlp",
            terms=(adversarial.Adversarial(loss="non_saturating"),),
            latent_size=256,
            prior="normal",
            generator_width=128,
            discriminator_width=128,
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-4),
        ),
        batch_size=512,
        steps=25_000,
    ),
    "grid25": _toy(  # the baseline of Dumoulin et al. 2017 and Lin et al. 2018; beta_1 is 0.8 in their code, which counts from the other end
        "toy:grid25",
        Config(
            body="maxout_mlp",
            terms=(adversarial.Adversarial(loss="non_saturating"),),
            latent_size=2,
            prior="normal",
            generator_width=400,
            discriminator_width=200,
            generator_optimizer=optimizers.Adam(learning_rate=1e-4, beta_1=0.2),
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-4, beta_1=0.2),
        ),
        batch_size=100,
        steps=400_000,  # 400 epochs
    ),
    "ring8_wgan_gp": _toy("toy:ring8_wgan_gp", _wgan_gp(), batch_size=256, steps=100_000),
    "grid25_wgan_gp": _toy("toy:grid25_wgan_gp", _wgan_gp(), batch_size=256, steps=100_000),
    "swiss_roll": _toy("toy:swiss_roll", _wgan_gp(), batch_size=256, steps=100_000, metrics=("fid", "prdc")),
    "demo": experiment.demo(
        "gan",
        Config(
            body="convolutional",
            terms=(adversarial.Adversarial(loss="non_saturating"),),
            latent_size=64,
            prior="normal",
            generator_width=32,
            discriminator_width=32,
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("gan", Config(latent_size=8, generator_width=16, discriminator_width=8)),
}
