"""DCGAN. Radford, Metz, Chintala 2016, arXiv:1511.06434, with the networks and settings of the authors' Torch code (`torch`) or
of their Theano code, which made the paper's pictures (`theano`).

Goodfellow's Algorithm 1 with the non-saturating loss; both players are strided convolutions with batch normalisation, so the discriminator scores
real and fake images in separate passes.

Differs from the paper: the generator's update draws fresh latents (the Torch code reuses those of the discriminator's); batch statistics are of the
global batch; samples are drawn with collected statistics (the Theano code takes those of the batch of samples); the averaged generator is judged (a
decay of 0 judges the live one).
"""

import dataclasses
import functools

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, optimizers
from tfgan_suite.losses import adversarial, weights
from tfgan_suite.networks import dcgan


@dataclasses.dataclass(kw_only=True)
class Config(alternating.Config):
    """Defaults: the authors' Torch code."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="non_saturating"),))
    body: str = "torch"
    """A name in `BODIES`."""
    latent_size: int = 100
    generator_width: int = 64
    """Channels of the last hidden map; each map before it has twice as many."""
    discriminator_width: int = 64
    """Channels of the first map."""
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)


class Dcgan(alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm."""

    def build_generator(self):
        return BODIES[self.config.body][0](image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.generator_width)

    def build_discriminator(self):
        return BODIES[self.config.body][1](image_shape=self.data.image_shape, width=self.config.discriminator_width)


BODIES = {
    "torch": (dcgan.generator, dcgan.discriminator),
    "theano": (
        functools.partial(dcgan.generator, kernel_size=5, first_norm="flat", epsilon=1e-8),
        functools.partial(dcgan.discriminator, kernel_size=5, epsilon=1e-8),
    ),
}
"""Body -> (generator, discriminator)."""


def _preset(source: str, **options) -> experiment.Experiment:
    """The paper's run on a dataset at 64 pixels, with the Torch code's batch size."""
    return experiment.Experiment(
        variant="dcgan",
        model=Config(),
        data=spec.DatasetConfig(source=source, batch_size=64, image_size=(64, 64), **options),
        training=experiment.Training(steps=100_000),
        evaluation=experiment.Evaluation(extractor="inception"),
    )


PRESETS = {
    "lsun_bedroom": _preset("lsun/bedroom", test_split="validation"),
    "celeb_a": _preset("celeb_a"),
    "celeb_a_theano": experiment.Experiment(
        variant="dcgan",
        model=Config(
            body="theano",
            terms=(adversarial.Adversarial(loss="non_saturating"), weights.WeightDecay(weight=1e-5)),
            prior="uniform",
            generator_width=128,
            discriminator_width=128,
        ),
        data=spec.DatasetConfig(source="celeb_a", batch_size=128, image_size=(64, 64)),
        training=experiment.Training(steps=15_900),  # 25 epochs, of which every other minibatch moves the generator instead
        evaluation=experiment.Evaluation(extractor="inception"),
    ),
    "mnist": experiment.Experiment(
        variant="dcgan",
        model=Config(generator_width=32, discriminator_width=32, average=averaging.Average(decay=0.999)),
        data=spec.DatasetConfig(source="mnist", image_size=(32, 32), resize="margin", batch_size=64),
        training=experiment.Training(steps=10_000),
        checkpointing=experiment.Checkpointing(every_steps=1000, keep=10),
        logging=experiment.Logging(samples_every_steps=1000),
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc")),
    ),
    "stacked_digits": experiment.Experiment(  # as Srivastava et al. 2017 train it, but at 32 pixels
        variant="dcgan",
        model=Config(),
        data=spec.DatasetConfig(source="stacked_digits:mnist", image_size=(32, 32), resize="margin", batch_size=64),
        training=experiment.Training(steps=50_000),
        evaluation=experiment.Evaluation(metrics=("class_modes", "fid"), extractor="channels", samples=26_000),
    ),
    "demo": experiment.demo(
        "dcgan",
        Config(
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            discriminator_optimizer=optimizers.Adam(learning_rate=2e-4),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("dcgan", Config(latent_size=8, generator_width=4, discriminator_width=4)),
}
