"""Conditional GAN with a projection discriminator. Miyato, Koyama 2018, arXiv:1802.05637.

Goodfellow's Algorithm 1 with the hinge loss. The log ratio of the likelihoods of a pair (x, y) in the data and in the model is
log p(y | x) / q(y | x) + log p(x) / q(x); with log-linear models of the class given the image its first part is an inner product (section 3). So D's
score is <embedding(y), phi(x)> + psi(phi(x)), the image's features against a vector per class, plus a score of the image alone. G has conditional
batch norm. Every kernel of D, the class vectors included, is divided by its spectral norm.

Differs from the paper: u moves once in an update, not once in every pass; D moves first in every step (the authors' code lets G begin).
"""

import dataclasses
import functools

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial
from tfgan_suite.networks import class_conditional, resnet


def _adam() -> optimizers.Adam:
    return optimizers.Adam(learning_rate=2e-4, beta_1=0.0, beta_2=0.9, schedule=optimizers.LinearDecay())


BODIES = class_conditional.BODIES | {
    "sngan_resnet": (resnet.generator, functools.partial(resnet.discriminator, use_bias=False)),
    "large_resnet": (
        functools.partial(resnet.generator, multipliers=(16, 16, 8, 4, 2, 1)),
        functools.partial(resnet.discriminator, multipliers=(1, 2, 4, 8, 16, 16), smallest=4),
    ),
}
"""Body -> (generator, discriminator), beside the shared ones. `sngan_resnet`: the authors' for 32 pixels. `large_resnet`: the paper's for 128."""


@dataclasses.dataclass(kw_only=True)
class Config(conditional.BodyConfig):
    """Defaults: the authors' CIFAR-10 code."""

    bodies = BODIES
    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="hinge"),))
    body: str = "sngan_resnet"
    generator_width: int = 256
    discriminator_width: int = 128
    discriminator_steps: int = 5
    generator_batches: int = 2
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))


class ProjectionGan(conditional.BodyGan, alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm."""

    conditioning = "projection"


def _studiogan() -> Config:
    adam = optimizers.Adam(learning_rate=2e-4, beta_1=0.5, beta_2=0.999, epsilon=1e-6)
    return Config(body="batch_norm_resnet", generator_batches=1, discriminator_optimizer=adam, generator_optimizer=dataclasses.replace(adam))


def _imagenet() -> Config:
    """The rate is constant for 400,000 of the 450,000 steps, then falls linearly to 0. Batches of 64 and 128: four GPUs with 16 and 32 each."""
    adam = optimizers.Adam(learning_rate=2e-4, beta_1=0.0, beta_2=0.9, schedule=optimizers.LinearDecay(start=8 / 9))
    return Config(
        body="large_resnet",
        generator_width=64,
        discriminator_width=64,
        discriminator_optimizer=adam,
        generator_optimizer=dataclasses.replace(adam),
    )


PRESETS = {
    "cifar10": experiment.Experiment(
        variant="projection_gan",
        model=Config(),
        data=spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Dequantize(),)),
        training=experiment.Training(steps=50_000),
        checkpointing=experiment.Checkpointing(every_steps=5000),
        evaluation=experiment.Evaluation(metrics=("fid", "is", "intra_fid"), extractor="inception", samples=5000),
    ),
    "cifar10_studiogan": experiment.published(
        "projection_gan",
        _studiogan(),
        100_000,
        spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Flip(),)),
    ),
    "imagenet128": experiment.published(
        "projection_gan",
        _imagenet(),
        450_000,
        spec.DatasetConfig(source="imagenet2012", image_size=(128, 128), test_split="validation", batch_size=64),
    ),
    "demo": experiment.demo(
        "projection_gan",
        Config(
            body="compact",
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            discriminator_steps=1,
            generator_batches=1,
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            average=averaging.Average(decay=0.995),
        ),
        steps=1500,
    ),
    "debug": experiment.debug(
        "projection_gan", Config(body="compact", latent_size=8, generator_width=4, discriminator_width=4, discriminator_steps=1, generator_batches=2)
    ),
}
