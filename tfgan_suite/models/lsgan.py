"""LSGAN. Mao, Li, Xie, Lau, Wang, Smolley 2017, arXiv:1611.04076.

Goodfellow's Algorithm 1 with the least-squares loss of eq. 9 (targets 0 for fake, 1 for real and for the generator) on linear outputs; network and
settings of the authors' code for LSUN at 112 pixels.

Differs from the paper: the loss is the batch's mean (the authors' code sums), and the generator's update draws fresh latents (theirs reuses those of
the discriminator's).
"""

import dataclasses
import functools

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers
from tfgan_suite.losses import least_squares
from tfgan_suite.networks import compact, dcgan, lsgan


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the authors' code for LSUN."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (least_squares.LeastSquares(),))
    body: str = "lsgan"
    """A name in `BODIES`."""
    latent_size: int = 1024
    prior: str = "uniform"
    generator_width: int = 64
    discriminator_width: int = 64
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: optimizers.Adam(learning_rate=1e-3))
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: optimizers.Adam(learning_rate=1e-3))
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class Lsgan(alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        return BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)


BODIES = {
    "lsgan": (lsgan.generator, lsgan.discriminator),
    "dcgan": (dcgan.generator, dcgan.discriminator),
    "compact": (compact.generator, functools.partial(compact.discriminator, gain=1.2)),
}
"""Body -> (generator, discriminator). `compact`: a small pair with spectral norm in the discriminator, so that minutes are enough."""


def _lsun(**changes) -> experiment.Experiment:
    return experiment.Experiment(
        variant="lsgan",
        model=Config(**changes),
        data=spec.DatasetConfig(source="lsun/bedroom", test_split="validation", batch_size=64, image_size=(112, 112)),
        training=experiment.Training(steps=1_000_000),
        evaluation=experiment.Evaluation(extractor="inception"),
    )


PRESETS = {
    "lsun_bedroom": _lsun(),
    "lsun_bedroom_pearson": _lsun(terms=(least_squares.LeastSquares(fake_target=-1.0, real_target=1.0, generator_target=0.0),)),
    "demo": experiment.demo(
        "lsgan",
        Config(
            body="compact",
            latent_size=64,
            prior="normal",
            generator_width=32,
            discriminator_width=32,
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("lsgan", Config(body="dcgan", latent_size=8, prior="normal", generator_width=4, discriminator_width=4)),
}
