"""Conditional GAN with a projection discriminator. Miyato, Koyama 2018, arXiv:1802.05637.

Goodfellow's Algorithm 1 with the hinge loss. The log ratio of the likelihoods of a pair (x, y) in the data and in the model is
log p(y | x) / q(y | x) + log p(x) / q(x); with log-linear models of the class given the image its first part is an inner product (section 3). So D's
score is <embedding(y), phi(x)> + psi(phi(x)), the image's features against a vector per class, plus a score of the image alone. G has conditional
batch norm. Every kernel of D, the class vectors included, is divided by its spectral norm.

Differs from the paper: u moves once in an update, not once in every pass; D moves first in every step (the authors' code lets G begin).
"""

import dataclasses

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial
from tfgan_suite.networks import class_conditional, resnet


def _adam() -> optimizers.Adam:
    return optimizers.Adam(learning_rate=2e-4, beta_1=0.0, beta_2=0.9, schedule=optimizers.LinearDecay())


@dataclasses.dataclass(kw_only=True)
class Config(conditional.AlwaysConditional):
    """Defaults: the authors' CIFAR-10 code."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="hinge"),))
    body: str = "sngan_resnet"
    """A name in `BODIES`."""
    generator_width: int = 256
    discriminator_width: int = 128
    discriminator_steps: int = 5
    generator_batches: int = 2
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class ProjectionGan(conditional.ClassConditional, alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](
            image_shape=self.data.image_shape,
            latent_size=self.config.latent_size,
            width=self.config.generator_width,
            num_classes=self.num_classes,
        )

    def build_discriminator(self):
        return BODIES[self.config.body][1](
            image_shape=self.data.image_shape, width=self.config.discriminator_width, num_classes=self.num_classes, conditioning="projection"
        )


def _sngan_discriminator(**options):
    return resnet.discriminator(use_bias=False, **options)


def _large_generator(**options):
    return resnet.generator(multipliers=(16, 16, 8, 4, 2, 1), **options)


def _large_discriminator(**options):
    return resnet.discriminator(multipliers=(1, 2, 4, 8, 16, 16), smallest=4, **options)


def _batch_norm_generator(**options):
    return resnet.generator(initializer="orthogonal", epsilon=1e-4, **options)


def _batch_norm_discriminator(**options):
    return resnet.discriminator(norm="batch", spectral_norm=False, initializer="orthogonal", **options)


BODIES = class_conditional.BODIES | {
    "sngan_resnet": (resnet.generator, _sngan_discriminator),
    "large_resnet": (_large_generator, _large_discriminator),
    "batch_norm_resnet": (_batch_norm_generator, _batch_norm_discriminator),
}
"""Body -> (generator, discriminator), beside the shared ones. `sngan_resnet`: the authors' for 32 pixels. `large_resnet`: 128 pixels, the paper's.
`batch_norm_resnet`: StudioGAN's for 32 pixels, batch norm in both players in place of spectral norm."""


def _preset(model: Config, steps: int, data: spec.DatasetConfig, **evaluation) -> experiment.Experiment:
    return experiment.Experiment(
        variant="projection_gan",
        model=model,
        data=data,
        training=experiment.Training(steps=steps),
        checkpointing=experiment.Checkpointing(every_steps=5000),
        evaluation=experiment.Evaluation(metrics=("fid", "is", "intra_fid"), extractor="inception", **evaluation),
    )


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
    "cifar10": _preset(
        Config(), 50_000, spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Dequantize(),)), samples=5000
    ),
    "cifar10_studiogan": _preset(
        _studiogan(), 100_000, spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Flip(),)),
        samples=50_000, reference_split="train", reference_samples=50_000,
    ),
    "imagenet128": _preset(
        _imagenet(), 450_000, spec.DatasetConfig(source="imagenet2012", image_size=(128, 128), test_split="validation", batch_size=64),
        samples=50_000, reference_split="train", reference_samples=50_000,
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
}  # fmt: skip
