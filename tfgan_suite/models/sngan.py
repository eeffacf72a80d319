"""SN-GAN on a ResNet. Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957; with classes the projection discriminator and conditional batch
normalisation of Miyato and Koyama 2018, arXiv:1802.05637.

Goodfellow's Algorithm 1 with the hinge loss (eq. 16 and 17) and every kernel of the discriminator divided by its spectral norm (eq. 8).

Differs from the paper: u moves once in an update, not once in every pass; the discriminator moves first in every step (the authors' code lets the
generator begin).
"""

import dataclasses
import functools

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial
from tfgan_suite.networks import compact, resnet


@dataclasses.dataclass(kw_only=True)
class Config(conditional.Config):
    """Defaults: the authors' CIFAR-10 code."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="hinge"),))
    body: str = "resnet"
    """A name in `BODIES`."""
    generator_width: int = 256
    discriminator_width: int = 128
    gain: float = 1.0
    """The kernels in use are gain * W / sigma(W); 1 is the paper's, `networks.compact` learns faster with 1.2."""
    discriminator_steps: int = 5
    generator_batches: int = 2
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(
        default_factory=lambda: optimizers.Adam(learning_rate=2e-4, beta_1=0.0, beta_2=0.9, schedule=optimizers.LinearDecay())
    )
    generator_optimizer: optimizers.Optimizer = dataclasses.field(
        default_factory=lambda: optimizers.Adam(learning_rate=2e-4, beta_1=0.0, beta_2=0.9, schedule=optimizers.LinearDecay())
    )
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class Sngan(conditional.LabelConditional, alternating.AlternatingGan):
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
            image_shape=self.data.image_shape,
            width=self.config.discriminator_width,
            num_classes=self.num_classes,
            gain=self.config.gain,
            soft_labels=self.soft_labels,
        )


BODIES = {
    "resnet": (resnet.generator, functools.partial(resnet.discriminator, use_bias=False)),
    "compact": (compact.generator, compact.discriminator),
}
"""Body -> (generator, discriminator). `resnet`: the authors', whose logits have no bias."""


def _fast() -> optimizers.Adam:
    return optimizers.Adam(learning_rate=1e-3, beta_1=0.5, beta_2=0.999)


def _small(**changes) -> Config:
    """The compact body, in which two minutes on two cores show something: one update each at a rate five times the usual one."""
    return Config(
        body="compact",
        latent_size=64,
        generator_width=32,
        discriminator_width=32,
        gain=1.2,
        discriminator_steps=1,
        generator_batches=1,
        discriminator_optimizer=_fast(),
        generator_optimizer=_fast(),
        average=averaging.Average(decay=0.995),
        **changes,
    )


def _cifar10(**changes) -> experiment.Experiment:
    return experiment.Experiment(
        variant="sngan",
        model=Config(**changes),
        data=spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Dequantize(),)),
        training=experiment.Training(steps=50_000),
        checkpointing=experiment.Checkpointing(every_steps=5000),
        evaluation=experiment.Evaluation(metrics=("fid", "is"), extractor="inception", samples=5000),
    )


PRESETS = {
    "cifar10": _cifar10(),
    "cifar10_conditional": _cifar10(conditional=True),
    "demo": experiment.demo("sngan", _small(conditional=True), steps=1000),
    "demo_unconditional": experiment.demo("sngan", _small(), steps=2500),
    "debug": experiment.debug("sngan", Config(conditional=True, latent_size=8, generator_width=8, discriminator_width=8, discriminator_steps=1)),
}
