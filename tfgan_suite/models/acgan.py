"""AC-GAN. Odena, Olah, Shlens 2017, arXiv:1610.09585.

Goodfellow's Algorithm 1 with a second head on the discriminator that classifies (section 3): D maximises L_S + L_C, G maximises L_C - L_S, where L_S
is the game itself and L_C the log-likelihood of the right class. The label reaches G through conditional batch norm, and D not at all.

Differs from the paper: the bodies and the published settings are those of later studies (StudioGAN's "ACGAN-Mod"; the conditional model of WGAN-GP,
Gulrajani et al. 2017), in which D's classifier learns from real images alone and L_S is a hinge or a Wasserstein loss. `fake_in_discriminator` and
`loss` of the terms bring the paper's back. There is one D for all classes (the paper trains one model per ten classes of ImageNet).
"""

import dataclasses
import functools

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial, auxiliary_classifier, gradient_penalty
from tfgan_suite.networks import class_conditional, resnet


def _adam() -> optimizers.Adam:
    return optimizers.Adam(learning_rate=2e-4, beta_1=0.5, beta_2=0.999, epsilon=1e-6)


BODIES = class_conditional.BODIES | {
    "wasserstein_resnet": (
        functools.partial(resnet.generator, epsilon=1e-5),
        functools.partial(resnet.discriminator, spectral_norm=False, pool="mean"),
    ),
}
"""Body -> (generator, discriminator), beside the shared ones. `wasserstein_resnet`: WGAN-GP's, for a gradient penalty."""


@dataclasses.dataclass(kw_only=True)
class Config(conditional.BodyConfig):
    """Defaults: ACGAN-Mod of StudioGAN for CIFAR-10."""

    bodies = BODIES
    terms: alternating.Terms = dataclasses.field(
        default_factory=lambda: (adversarial.Adversarial(loss="hinge"), auxiliary_classifier.AuxiliaryClassifier())
    )
    body: str = "batch_norm_resnet"
    generator_width: int = 256
    discriminator_width: int = 128
    discriminator_steps: int = 5
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))


class Acgan(conditional.BodyGan, alternating.AlternatingGan):
    """Networks with a head of classes; `AlternatingGan` with `AuxiliaryClassifier` among its terms is the algorithm."""

    conditioning = "auxiliary"


def _wasserstein() -> Config:
    """Gulrajani et al. 2017, appendix F: D's class loss on real images, weight 1, G's weight 0.1 (the authors' code)."""
    decaying = optimizers.Adam(learning_rate=2e-4, beta_1=0.0, beta_2=0.9, schedule=optimizers.LinearDecay())
    return Config(
        terms=(
            adversarial.Adversarial(loss="wasserstein"),
            gradient_penalty.GradientPenalty(weight=10.0),
            auxiliary_classifier.AuxiliaryClassifier(generator_weight=0.1),
        ),
        body="wasserstein_resnet",
        generator_width=128,
        generator_batches=2,
        discriminator_optimizer=decaying,
        generator_optimizer=dataclasses.replace(decaying),
    )


def _biggan() -> Config:
    """StudioGAN's "ACGAN-Mod-Big"."""
    average = averaging.Average(decay=0.9999, start=1000)
    return Config(body="biggan", latent_size=80, generator_width=96, discriminator_width=96, average=average)


def _cifar10(model: Config, augmentation: augment.Augmentation) -> experiment.Experiment:
    return experiment.published("acgan", model, 100_000, spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augmentation,)))


PRESETS = {
    "cifar10": _cifar10(Config(), augment.Flip()),
    "cifar10_biggan": _cifar10(_biggan(), augment.Flip()),
    "cifar10_wgan_gp": _cifar10(_wasserstein(), augment.Dequantize()),
    "demo": experiment.demo(
        "acgan",
        Config(
            body="compact",
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            discriminator_steps=1,
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("acgan", Config(body="compact", latent_size=8, generator_width=4, discriminator_width=4, discriminator_steps=1)),
}
