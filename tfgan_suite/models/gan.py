"""The first GAN. Goodfellow, Pouget-Abadie, Mirza, Xu, Warde-Farley, Ozair, Courville, Bengio 2014, arXiv:1406.2661.

Algorithm 1 with k = 1 and the non-saturating generator loss of section 3; networks and settings of the authors' MNIST code.

Differs from the paper: the generator moves after the discriminator, on fresh latents (the authors' code moves both
at once from the same); the image reaches the networks in [-1, 1] and is brought to the paper's [0, 1] inside them.
"""

import dataclasses

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers
from tfgan_suite.losses import adversarial, dropout_noise
from tfgan_suite.networks import compact, mlp


def _sgd() -> optimizers.SGD:
    return optimizers.SGD(learning_rate=0.1, schedule=optimizers.ExponentialDecay(divisor=1.000004, minimum=1e-5), momentum=0.5, final_momentum=0.7)


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
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
        if self.body not in BODIES:
            raise ValueError(f"Unknown body {self.body!r}. Allowed: {', '.join(BODIES)}.")


class MinimaxGan(alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        return BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)


def _mlp_discriminator(*, image_shape, width):
    return mlp.discriminator(image_shape=image_shape, width=width, keep=(0.8, 0.5))


def _convolutional_discriminator(*, image_shape, width):
    return compact.discriminator(image_shape=image_shape, width=width, spectral_norm=False)


BODIES = {
    "mlp": (mlp.generator, _mlp_discriminator),
    "convolutional": (compact.generator, _convolutional_discriminator),
}
"""Body -> (generator, discriminator). `mlp`: the paper's for MNIST. `convolutional`: strided, no normalisation in the discriminator."""

PRESETS = {
    "mnist": experiment.Experiment(
        variant="gan",
        model=Config(),
        data=spec.DatasetConfig(source="mnist", batch_size=100),
        training=experiment.Training(steps=150_000),  # 250 epochs
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc")),
    ),
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
            discriminator_optimizer=optimizers.Adam(learning_rate=2e-4),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("gan", Config(latent_size=8, generator_width=16, discriminator_width=8)),
}
