"""LSGAN. Mao, Li, Xie, Lau, Wang, Smolley 2017, arXiv:1611.04076.

Goodfellow's Algorithm 1 with the least-squares loss of eq. 9 (targets 0 for fake, 1 for real and for the generator) on linear outputs.

Differs from the paper: the networks are DCGAN's at any resolution (the paper draws LSUN at 112 pixels with its own), and the loss is the batch's
mean (the authors' code sums).
"""

import dataclasses

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers
from tfgan_suite.losses import adversarial
from tfgan_suite.networks import dcgan


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the paper's for LSUN. `loss` `least_squares_pearson` is its other choice of targets (eq. 8)."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="least_squares"),))
    latent_size: int = 1024
    generator_width: int = 64
    discriminator_width: int = 64
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: optimizers.Adam(learning_rate=1e-3))
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: optimizers.Adam(learning_rate=1e-3))
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))


class Lsgan(alternating.AlternatingGan):
    """DCGAN's networks under a least-squares objective."""

    def build_generator(self):
        return dcgan.generator(image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        return dcgan.discriminator(image_shape=self.data.image_shape, width=self.config.discriminator_width)


PRESETS = {
    "lsun_bedroom": experiment.Experiment(
        variant="lsgan",
        model=Config(),
        data=spec.DatasetConfig(source="lsun/bedroom", test_split="validation", batch_size=64, image_size=(64, 64)),
        training=experiment.Training(steps=100_000),
        evaluation=experiment.Evaluation(extractor="inception"),
    ),
    "demo": experiment.demo(
        "lsgan",
        Config(
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            discriminator_optimizer=optimizers.Adam(learning_rate=2e-4),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("lsgan", Config(latent_size=8, generator_width=4, discriminator_width=4)),
}
