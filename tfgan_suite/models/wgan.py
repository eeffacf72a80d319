"""WGAN. Arjovsky, Chintala, Bottou 2017, arXiv:1701.07875.

Algorithm 1: n_critic critic steps on the Wasserstein estimate, each followed by clipping every critic weight into [-c, c], then one generator step;
RMSProp throughout. The networks are DCGAN's with a linear output.

Differs from the paper: no longer runs of the critic at the start (the authors' code makes 100 critic steps in the first 25 generator steps and at
every 500th); batch statistics are of the global batch.
"""

import dataclasses

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers
from tfgan_suite.losses import adversarial, weights
from tfgan_suite.networks import compact, dcgan, toy


def _rmsprop() -> optimizers.RMSprop:
    return optimizers.RMSprop(learning_rate=5e-5, rho=0.99)


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the authors' code."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="wasserstein"),))
    clip: float = 0.01
    """c of Algorithm 1."""
    body: str = "dcgan"
    """A name in `BODIES`."""
    latent_size: int = 100
    generator_width: int = 64
    discriminator_width: int = 64
    discriminator_steps: int = 5
    """n_critic of Algorithm 1."""
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_rmsprop)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_rmsprop)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        if self.body not in BODIES:
            raise ValueError(f"Unknown body {self.body!r}. Allowed: {', '.join(BODIES)}.")


class Wgan(alternating.AlternatingGan):
    """A weight-clipped critic; the optimizer applies the clipping after each update (Algorithm 1, line 7)."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        critic = BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)
        weights.constrain(critic, weights.Clip(self.config.clip))
        return critic


def _compact_critic(*, image_shape, width):
    return compact.discriminator(image_shape=image_shape, width=width, norm="batch", spectral_norm=False)


BODIES = {"dcgan": (dcgan.generator, dcgan.discriminator), "compact": (compact.generator, _compact_critic)} | toy.BODIES
"""Body -> (generator, critic). Those of `networks.toy.BODIES` are for vectors."""


def _preset(source: str, **options) -> experiment.Experiment:
    return experiment.Experiment(
        variant="wgan",
        model=Config(),
        data=spec.DatasetConfig(source=source, batch_size=64, **options),
        training=experiment.Training(steps=100_000),
        evaluation=experiment.Evaluation(extractor="inception"),
    )


PRESETS = {
    "lsun_bedroom": _preset("lsun/bedroom", test_split="validation", image_size=(64, 64)),
    "cifar10": _preset("cifar10"),
    "demo": experiment.demo(
        "wgan",
        Config(
            body="compact",
            clip=0.02,
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            discriminator_steps=3,
            discriminator_optimizer=optimizers.RMSprop(learning_rate=5e-4, rho=0.99),
            generator_optimizer=optimizers.RMSprop(learning_rate=5e-4, rho=0.99),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("wgan", Config(latent_size=8, generator_width=4, discriminator_width=4, discriminator_steps=2)),
}
