"""Conditional GAN. Mirza, Osindero 2014, arXiv:1411.1784.

Goodfellow's Algorithm 1 on the value function min_G max_D E log D(x | y) + E log(1 - D(G(z | y) | y)) (eq. 2), with the non-saturating generator
loss. y, a label or the features of another image, is concatenated to what both players see: in a hidden layer (the paper's MLPs for MNIST and for
tags), or at every layer (the authors of DCGAN, for MNIST).

Differs from the paper: G moves after D, on fresh latents and labels; labels of fakes are uniform over the classes; latents of the MNIST model are in
(-1, 1), not in (0, 1); a DCGAN's step moves both players (the authors' code moves them in turns); images are in [-1, 1]. The features, words and tags
that the presets train on are synthetic (`pipelines.tags`), of the paper's sizes in `tags_paper`.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import keras
import tensorflow as tf

from pipelines import spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial, dropout_noise, weights
from tfgan_suite.networks import compact, conditional_dcgan, mlp, word_vectors

_KEPT = 0.5
"""The part of hidden units that dropout keeps (sections 4.1 and 4.2)."""


def _sgd() -> optimizers.SGD:
    """From 0.1 down to 1e-6 (sections 4.1 and 4.2)."""
    return optimizers.SGD(learning_rate=0.1, schedule=optimizers.ExponentialDecay(divisor=1.00004, minimum=1e-5), momentum=0.5, final_momentum=0.7)


@dataclasses.dataclass(kw_only=True)
class Config(conditional.AlwaysConditional):
    """Defaults: the paper's for MNIST."""

    terms: alternating.Terms = dataclasses.field(
        default_factory=lambda: (adversarial.Adversarial(loss="non_saturating"), dropout_noise.DropoutNoise())
    )
    """With `DropoutNoise` among them both players drop half of their hidden units; the bodies `dcgan` and `compact` have no dropout."""
    body: str = "mlp"
    """A name in `BODIES`."""
    latent_size: int = 100
    prior: str = "uniform"
    generator_width: int = 1200
    discriminator_width: int = 240
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_sgd)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_sgd)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(body=BODIES)
        if self.dropout and not BODIES[self.body].dropout:
            raise ValueError(f"The body {self.body!r} has no dropout: take DropoutNoise out of model.terms, or choose another body.")

    @property
    def conditional(self) -> bool:
        """Whether the condition is a label."""
        return BODIES[self.body].condition == "label"

    @property
    def dropout(self) -> bool:
        return any(isinstance(t, dropout_noise.DropoutNoise) for t in self.terms)


class Cgan(conditional.ClassConditional, alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm. Dropout is drawn from the step's stream and off in the averaged generator."""

    @classmethod
    def keys_for(cls, config):
        return tuple(dict.fromkeys((*super().keys_for(config), BODIES[config.body].condition)))

    @property
    def condition_keys(self):
        return (BODIES[self.config.body].condition,)

    def build_generator(self):
        options = {"masked": True} if self.config.dropout else {}
        return self._body.generator(latent_size=self.config.latent_size, width=self.config.generator_width, **self._sizes, **options)

    def build_discriminator(self):
        options = {"keep": _KEPT} if self.config.dropout else {}
        return self._body.discriminator(width=self.config.discriminator_width, **self._sizes, **options)

    def sample_conditions(self, stream, batch_size, batch=None):
        conditions = super().sample_conditions(stream, batch_size, batch)
        if batch is None or not self.config.dropout:
            return conditions
        kept = stream.fold("dropout").uniform((batch_size, self._masked_units)) < _KEPT
        return conditions | {"mask": tf.cast(kept, tf.float32) / _KEPT}

    def generate(self, latents, conditions, training):
        return super().generate(latents, self._unmasked(latents) | conditions, training)

    def sample(self, latents, conditions, training=False):
        return super().sample(latents, self._unmasked(latents) | conditions, training)

    @property
    def _body(self) -> "Body":
        return BODIES[self.config.body]

    @property
    def _sizes(self) -> dict[str, int]:
        """What the data decide."""
        if self.config.conditional:
            return {"image_shape": self.data.image_shape, "num_classes": self.num_classes}
        shape = self.data.features["features"].shape
        if len(shape) != 1:
            raise ValueError(f"The body {self.config.body!r} reads features that are one vector per example; those of {self.data.name!r}: {shape}.")
        return {"image_shape": self.data.image_shape, "feature_size": shape[0]}

    @property
    def _masked_units(self) -> int:
        return next(i.shape[1] for i in self.generator.inputs if i.name == "mask")

    def _unmasked(self, latents) -> dict[str, tf.Tensor]:
        """The mask that keeps every unit."""
        return {"mask": tf.ones([tf.shape(latents)[0], self._masked_units])} if self.config.dropout else {}


class Body(NamedTuple):
    """A pair of networks, and the batch key that both read beside latents and image."""

    generator: Callable[..., keras.Model]
    discriminator: Callable[..., keras.Model]
    condition: str = "label"
    dropout: bool = False


def _mlp_discriminator(*, keep: float = 1.0, **options):
    return mlp.discriminator(pieces=(5, 4), keep=(1.0, keep), **options)


def _dcgan_generator(*, width, **options):
    return conditional_dcgan.generator(width=width, units=16 * width, **options)


def _dcgan_discriminator(*, width, **options):
    return conditional_dcgan.discriminator(width=width, units=16 * width, **options)


def _compact_discriminator(*, width, **options):
    return conditional_dcgan.discriminator(width=width, units=8 * width, norm="none", spectral_norm=True, gain=1.2, **options)


BODIES = {
    "mlp": Body(mlp.generator, _mlp_discriminator, dropout=True),
    "dcgan": Body(_dcgan_generator, _dcgan_discriminator),
    "compact": Body(compact.generator, _compact_discriminator),
    "word_vectors": Body(word_vectors.generator, word_vectors.discriminator, condition="features", dropout=True),
}
"""`mlp`: the paper's for MNIST. `dcgan`: the label at every layer of a DCGAN. `compact`: the same in a light D with spectral norm; the label enters
G through batch norm. `word_vectors`: the paper's for tags, conditioned on `features`."""


def _mnist(model: Config, steps: int, batch_size: int) -> experiment.Experiment:
    return experiment.Experiment(
        variant="cgan",
        model=model,
        data=spec.DatasetConfig(source="mnist", batch_size=batch_size),
        training=experiment.Training(steps=steps),
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc", "diversity", "agreement", "intra_fid")),
    )


def _dcgan() -> Config:
    """The rate is constant for half of the steps, then falls linearly to 0."""
    adam = optimizers.Adam(learning_rate=2e-4, beta_1=0.5, beta_2=0.999, schedule=optimizers.LinearDecay(start=0.5))
    return Config(
        terms=(adversarial.Adversarial(loss="non_saturating"), weights.WeightDecay(weight=2.5e-5)),
        body="dcgan",
        generator_width=64,
        discriminator_width=64,
        discriminator_optimizer=adam,
        generator_optimizer=dataclasses.replace(adam),
    )


def _tags(source: str, model: Config, steps: int) -> experiment.Experiment:
    """200 held-out images with 100 words each; there are no pictures to log."""
    return experiment.Experiment(
        variant="cgan",
        model=model,
        data=spec.DatasetConfig(source=source, batch_size=100),
        training=experiment.Training(steps=steps),
        logging=experiment.Logging(samples_every_steps=0),
        evaluation=experiment.Evaluation(metrics=("tags",), extractor="numbers", samples=20_000, reference_samples=200, batch_size=1000),
    )


def _words(**options) -> Config:
    return Config(body="word_vectors", prior="normal", **options)


def _fast() -> optimizers.Adam:
    return optimizers.Adam(learning_rate=1e-3)


PRESETS = {
    "mnist": _mnist(Config(), 150_000, 100),
    "mnist_dcgan": _mnist(_dcgan(), 39_000, 128),  # 200 epochs of 50,000 images, half of the batches for each player
    "tags": _tags(
        "tags:64x16x1000",
        _words(
            terms=(adversarial.Adversarial(loss="non_saturating"),),
            generator_width=400,
            discriminator_width=200,
            discriminator_optimizer=_fast(),
            generator_optimizer=_fast(),
        ),
        5000,
    ),
    "tags_paper": _tags("tags:4096x200x247465", _words(generator_width=2000, discriminator_width=1000), 100_000),
    "demo": experiment.demo(
        "cgan",
        Config(
            body="compact",
            terms=(adversarial.Adversarial(loss="hinge"),),
            latent_size=64,
            prior="normal",
            generator_width=32,
            discriminator_width=32,
            discriminator_optimizer=_fast(),
            generator_optimizer=_fast(),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("cgan", Config(latent_size=8, generator_width=12, discriminator_width=8)),
}
