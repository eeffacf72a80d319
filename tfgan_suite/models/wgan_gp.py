"""WGAN-GP. Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville 2017, arXiv:1704.00028.

Algorithm 1: n_critic critic steps on the Wasserstein estimate plus lambda times the squared distance from 1 of the critic's gradient norm on straight
lines between real and fake images, then one generator step. No batch norm in the critic: the penalty is per example.

Differs from the paper: the critic moves first in every step (the authors' code begins with the generator).
"""

import dataclasses
import functools

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers
from tfgan_suite.losses import adversarial, gradient_penalty
from tfgan_suite.networks import compact, dcgan, good_resnet, resnet


def _adam() -> optimizers.Adam:
    return optimizers.Adam(learning_rate=2e-4, beta_1=0.0, beta_2=0.9, schedule=optimizers.LinearDecay())


def _constant(beta_1: float) -> optimizers.Adam:
    return optimizers.Adam(learning_rate=1e-4, beta_1=beta_1, beta_2=0.9)


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the authors' ResNet for CIFAR-10."""

    terms: alternating.Terms = dataclasses.field(
        default_factory=lambda: (adversarial.Adversarial(loss="wasserstein"), gradient_penalty.GradientPenalty(weight=10.0))
    )
    body: str = "resnet"
    """A name in `BODIES`."""
    latent_size: int = 128
    generator_width: int = 128
    discriminator_width: int = 128
    discriminator_steps: int = 5
    """n_critic of Algorithm 1."""
    generator_batches: int = 2
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class WganGp(alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` with a gradient penalty among its terms is its algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        return BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)


def _resnet_generator(*, image_shape, latent_size, width):
    return resnet.generator(image_shape=image_shape, latent_size=latent_size, width=width, epsilon=1e-5)


def _resnet_critic(*, image_shape, width):
    return resnet.discriminator(image_shape=image_shape, width=width, spectral_norm=False, pool="mean")


def _compact_critic(*, image_shape, width):
    return compact.discriminator(image_shape=image_shape, width=width, norm="layer", spectral_norm=False)


_five = {"kernel_size": 5, "use_bias": True, "initializer": "he"}

BODIES = {
    "resnet": (_resnet_generator, _resnet_critic),
    "convolutional": (
        functools.partial(dcgan.generator, first_norm="flat", **_five),
        functools.partial(dcgan.discriminator, norm="none", **_five),
    ),
    "good_resnet": (good_resnet.generator, good_resnet.discriminator),
    "compact": (compact.generator, _compact_critic),
}
"""Body -> (generator, critic). `resnet` and `convolutional` are the authors' for CIFAR-10, with critics that are not normalised; `good_resnet` is
theirs for 64 pixels, with a layer-normalised critic."""


def _cifar10(model: Config, steps: int) -> experiment.Experiment:
    return experiment.Experiment(
        variant="wgan_gp",
        model=model,
        data=spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Dequantize(),)),
        training=experiment.Training(steps=steps),
        checkpointing=experiment.Checkpointing(every_steps=5000),
        evaluation=experiment.Evaluation(
            metrics=("fid", "is"), extractor="inception", samples=50_000, reference_split="train", reference_samples=50_000
        ),
    )


def _lsun(side: int) -> experiment.Experiment:
    return experiment.Experiment(
        variant="wgan_gp",
        model=Config(
            body="good_resnet",
            generator_width=64,
            discriminator_width=64,
            generator_batches=1,
            discriminator_optimizer=_constant(0.0),
            generator_optimizer=_constant(0.0),
        ),
        data=spec.DatasetConfig(source="lsun/bedroom", test_split="validation", batch_size=64, image_size=(side, side)),
        training=experiment.Training(steps=200_000),
        evaluation=experiment.Evaluation(extractor="inception"),
    )


PRESETS = {
    "cifar10": _cifar10(Config(), 100_000),
    "cifar10_drift": _cifar10(  # with the term that ProGAN added
        Config(terms=(adversarial.Adversarial(loss="wasserstein"), gradient_penalty.GradientPenalty(), gradient_penalty.Drift())), 100_000
    ),
    "cifar10_convolutional": _cifar10(
        Config(body="convolutional", generator_batches=1, discriminator_optimizer=_constant(0.5), generator_optimizer=_constant(0.5)), 200_000
    ),
    "lsun_bedroom64": _lsun(64),
    "lsun_bedroom128": _lsun(128),
    "demo": experiment.demo(
        "wgan_gp",
        Config(
            body="compact",
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            discriminator_steps=2,
            generator_batches=1,
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3, beta_1=0.0, beta_2=0.9),
            generator_optimizer=optimizers.Adam(learning_rate=1e-3, beta_1=0.0, beta_2=0.9),
            average=averaging.Average(decay=0.995),
        ),
        steps=1500,
    ),
    "debug": experiment.debug("wgan_gp", Config(latent_size=8, generator_width=4, discriminator_width=4, discriminator_steps=1)),
}
