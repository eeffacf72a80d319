"""SAGAN: self-attention in both players. Zhang, Goodfellow, Metaxas, Odena 2019, arXiv:1805.08318.

Goodfellow's Algorithm 1 with the hinge loss (eq. 4), one update of either player per step at rates of their own (section 4.2), and every kernel of
both divided by its spectral norm (section 4.1). Self-attention (section 3) follows one block of each. Labels enter the generator by conditional
batch norm and the discriminator by projection.

Differs from the paper: u moves once in each update of the network it belongs to, and in no other pass (the authors' code moves D's on real images,
G's in every step); the discriminator moves first, where the authors' code takes both gradients from one pass; the attention is that of their code
(maxima of 2x2 blocks, a convolution back), `attention_form="paper"` brings eq. 1 to 3.
"""

import dataclasses
import functools

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.layers import attention
from tfgan_suite.losses import adversarial
from tfgan_suite.networks import class_conditional, resnet


def _adam(learning_rate: float, beta_2: float = 0.9) -> optimizers.Adam:
    return optimizers.Adam(learning_rate=learning_rate, beta_1=0.0, beta_2=beta_2)


_ORTHOGONAL = {"spectral_norm": True, "class_gain": "one_hot", "initializer": "orthogonal", "epsilon": 1e-4}

BODIES = {
    "resnet": (
        functools.partial(resnet.generator, **_ORTHOGONAL, attention=(16,)),
        functools.partial(resnet.discriminator, attention=(16,), initializer="orthogonal"),
    ),
    "resnet64": (
        functools.partial(resnet.generator, **_ORTHOGONAL, attention=(32,), multipliers=(16, 8, 4, 2, 1)),
        functools.partial(resnet.discriminator, multipliers=(1, 2, 4, 8, 16), smallest=4, attention=(32,), initializer="orthogonal"),
    ),
    "resnet128": (
        functools.partial(
            resnet.generator, multipliers=(16, 16, 8, 4, 2, 1), spectral_norm=True, attention=(32,), initializer="xavier", epsilon=1e-5
        ),
        functools.partial(resnet.discriminator, multipliers=(1, 2, 4, 8, 16, 16), smallest=4, attention=(32,), initializer="xavier"),
    ),
    "compact": class_conditional.BODIES["attentive"],
}
"""Body -> (generator, discriminator). `resnet` and `resnet64`: StudioGAN's for 32 and 64 pixels, attention at half the side. `resnet128`: the
authors' code, attention at 32. `compact`: the small body of the demo, no spectral norm in the generator."""


@dataclasses.dataclass(kw_only=True)
class Config(conditional.BodyConfig):
    """Defaults: the paper's, for ImageNet at 128 pixels."""

    bodies = BODIES
    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="hinge"),))
    body: str = "resnet128"
    attention_form: str = "pooled"
    """A name in `layers.attention.FORMS`."""
    generator_width: int = 64
    discriminator_width: int = 64
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: _adam(4e-4))
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=lambda: _adam(1e-4))
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))

    def __post_init__(self):
        super().__post_init__()
        self.choose(attention_form=attention.FORMS)


class Sagan(conditional.BodyGan, alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm."""

    conditioning = "projection"

    def build_generator(self, **options):
        return super().build_generator(attention_form=self.config.attention_form, **options)

    def build_discriminator(self, **options):
        return super().build_discriminator(attention_form=self.config.attention_form, **options)


def _cifar10() -> Config:
    """StudioGAN's: one rate for both, and five updates of the discriminator instead of two rates."""
    adam = optimizers.Adam(learning_rate=2e-4, beta_1=0.5, beta_2=0.999, epsilon=1e-6)
    return Config(
        body="resnet",
        generator_width=256,
        discriminator_width=128,
        discriminator_steps=5,
        discriminator_optimizer=adam,
        generator_optimizer=dataclasses.replace(adam),
    )


def _tiny_imagenet() -> Config:
    """StudioGAN's for 64 pixels."""
    optimizer = {"beta_1": 0.0, "beta_2": 0.999, "epsilon": 1e-6}
    return Config(
        body="resnet64",
        discriminator_optimizer=optimizers.Adam(learning_rate=4e-4, **optimizer),
        generator_optimizer=optimizers.Adam(learning_rate=1e-4, **optimizer),
    )


PRESETS = {
    "cifar10": experiment.published(
        "sagan", _cifar10(), 100_000, spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Flip(),))
    ),
    "tiny_imagenet": experiment.published(
        "sagan",
        _tiny_imagenet(),
        100_000,
        spec.DatasetConfig(source="folder:tiny-imagenet-200", test_split="val", batch_size=256, augmentations=(augment.Flip(),)),
    ),
    "imagenet128": experiment.published(
        "sagan", Config(), 1_000_000, spec.DatasetConfig(source="imagenet2012", image_size=(128, 128), test_split="validation", batch_size=256)
    ),
    "demo": experiment.demo(
        "sagan",
        Config(
            body="compact",
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            average=averaging.Average(decay=0.995),
        ),
        steps=1500,
    ),
    "debug": experiment.debug("sagan", Config(body="compact", latent_size=8, generator_width=8, discriminator_width=8)),
}
