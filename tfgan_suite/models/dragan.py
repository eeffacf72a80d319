"""DRAGAN. Kodali, Abernethy, Hays, Kira 2017, arXiv:1705.07215.

Goodfellow's Algorithm 1 with the non-saturating loss and a penalty that asks the discriminator for slope one around the real images; networks and
settings of the authors' notebook for MNIST.

Differs from the paper: the noise around the data is one-sided, as in the notebook (`centered=True` is the text's); pixels, and with them slopes, are
of [-1, 1], not [0, 1].
"""

import dataclasses

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers
from tfgan_suite.losses import adversarial, gradient_penalty
from tfgan_suite.networks import compact, mlp


def _adam(learning_rate: float = 1e-4) -> optimizers.Adam:
    return optimizers.Adam(learning_rate=learning_rate, beta_1=0.5, beta_2=0.9)


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the authors' notebook."""

    terms: alternating.Terms = dataclasses.field(
        default_factory=lambda: (adversarial.Adversarial(loss="non_saturating"), gradient_penalty.Dragan(weight=10.0))
    )
    body: str = "mlp"
    """A name in `BODIES`."""
    latent_size: int = 100
    prior: str = "uniform"
    generator_width: int = 128
    discriminator_width: int = 128
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class Dragan(alternating.AlternatingGan):
    """The notebook's networks; `AlternatingGan` with a gradient penalty among its terms is the paper's algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        return BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)


def _mlp_generator(*, image_shape, latent_size, width):
    return mlp.generator(image_shape=image_shape, latent_size=latent_size, width=width, layers=1, kernel_initializer="he_normal")


def _mlp_discriminator(*, image_shape, width):
    return mlp.critic(image_shape=image_shape, widths=(width,))


def _compact_discriminator(*, image_shape, width):
    return compact.discriminator(image_shape=image_shape, width=width, norm="layer", spectral_norm=False)


BODIES = {"mlp": (_mlp_generator, _mlp_discriminator), "compact": (compact.generator, _compact_discriminator)}
"""Body -> (generator, discriminator)."""

PRESETS = {
    "mnist": experiment.Experiment(
        variant="dragan",
        model=Config(),
        data=spec.DatasetConfig(source="mnist", batch_size=128),
        training=experiment.Training(steps=200_000),
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc")),
    ),
    "demo": experiment.demo(
        "dragan",
        Config(
            body="compact",
            latent_size=64,
            prior="normal",
            generator_width=32,
            discriminator_width=32,
            generator_optimizer=_adam(1e-3),
            discriminator_optimizer=_adam(1e-3),
            average=averaging.Average(decay=0.995),
        ),
        steps=1500,
    ),
    "debug": experiment.debug("dragan", Config(latent_size=8, generator_width=16, discriminator_width=8)),
}
