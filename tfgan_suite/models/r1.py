"""GAN with zero-centred gradient penalties. Mescheder, Geiger, Nowozin 2018, arXiv:1801.04406.

Goodfellow's Algorithm 1 with the non-saturating loss and R1 (eq. 9), gamma / 2 times the squared slope of the discriminator at real images: enough to
make training converge near the equilibrium, without any normalisation. The ResNet and the settings are the authors'. With classes the generator reads
the label's embedding, and the discriminator's logit is the one of the example's own label.

Differs from the paper: its R2 (eq. 10) is `losses.gradient_penalty.R2`, in place of R1 or beside it; the authors' code leaves out the half, so that
gamma 20 is its setting of 10.
"""

import dataclasses

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial, gradient_penalty
from tfgan_suite.networks import compact, damped_resnet


def _rmsprop() -> optimizers.RMSprop:
    return optimizers.RMSprop(learning_rate=1e-4, rho=0.99)


def _terms(gamma: float) -> alternating.Terms:
    return (adversarial.Adversarial(loss="non_saturating"), gradient_penalty.R1(gamma=gamma))


@dataclasses.dataclass(kw_only=True)
class Config(conditional.Config):
    """Defaults: the paper's, the widths those of the authors' code."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: _terms(gamma=10.0))
    body: str = "resnet"
    """A name in `BODIES`."""
    latent_size: int = 256
    generator_width: int = 64
    generator_widest: int = 512
    """Channels of the generator's maps double towards its input up to this many; `resnet` alone reads it."""
    discriminator_width: int = 64
    discriminator_widest: int = 1024
    """The same of the discriminator's towards its output."""
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_rmsprop)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_rmsprop)

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class R1Gan(conditional.LabelConditional, alternating.AlternatingGan):
    """The authors' networks; `AlternatingGan` with R1 among its terms is the paper's algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](self.config, image_shape=self.data.image_shape, num_classes=self.num_classes)

    def build_discriminator(self):
        return BODIES[self.config.body][1](self.config, image_shape=self.data.image_shape, num_classes=self.num_classes)


def _resnet_generator(config, **options):
    return damped_resnet.generator(latent_size=config.latent_size, width=config.generator_width, widest=config.generator_widest, **options)


def _resnet_discriminator(config, **options):
    return damped_resnet.discriminator(width=config.discriminator_width, widest=config.discriminator_widest, **options)


def _compact_generator(config, **options):
    return compact.generator(latent_size=config.latent_size, width=config.generator_width, **options)


def _compact_discriminator(config, **options):
    return compact.discriminator(width=config.discriminator_width, spectral_norm=False, **options)


BODIES = {"resnet": (_resnet_generator, _resnet_discriminator), "compact": (_compact_generator, _compact_discriminator)}
"""Body -> (generator, discriminator)."""


def _preset(source: str, side: int, batch_size: int, width: int, widest: int, **options) -> experiment.Experiment:
    """A run of the authors' code."""
    return experiment.Experiment(
        variant="r1",
        model=Config(generator_width=width, generator_widest=widest, discriminator_width=width, discriminator_widest=widest),
        data=spec.DatasetConfig(source=source, batch_size=batch_size, image_size=(side, side), **options),
        training=experiment.Training(steps=500_000),  # the code sets no end
        evaluation=experiment.Evaluation(extractor="inception"),
    )


PRESETS = {
    "lsun_bedroom256": _preset("lsun/bedroom", 256, 64, 64, 1024, test_split="validation"),
    "celebahq1024": _preset("celeb_a_hq/1024", 1024, 24, 16, 512, split="train[3000:]", test_split="train[:3000]"),
    "cifar10_conditional": experiment.Experiment(  # the authors' network at an eighth of the width, not a published run
        variant="r1",
        model=Config(conditional=True, generator_width=16, generator_widest=128, discriminator_width=16, discriminator_widest=128),
        data=spec.DatasetConfig(source="cifar10", batch_size=64),
        training=experiment.Training(steps=100_000),
        checkpointing=experiment.Checkpointing(every_steps=5000),
        evaluation=experiment.Evaluation(metrics=("fid", "is"), extractor="inception"),
    ),
    "demo": experiment.demo(
        "r1",
        Config(
            body="compact",
            terms=_terms(gamma=1.0),
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
            average=averaging.Average(decay=0.995),
        ),
        steps=1500,
    ),
    "debug": experiment.debug("r1", Config(conditional=True, latent_size=8, generator_width=4, discriminator_width=4)),
}
