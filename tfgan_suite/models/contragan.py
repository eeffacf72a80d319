"""ContraGAN. Kang and Park 2020, arXiv:2006.12681.

Goodfellow's Algorithm 1 with the hinge loss on scores of the image alone, and beside it the conditional contrastive (2C) loss for both players
(Algorithm 1 of the paper): D has a second head, an embedding, and a vector for each class, its proxy. D draws the embedding of a real image to its
class's proxy and to the embeddings of the other images of its class in the batch, and away from the rest (equation 8); G does so with its images.
G has conditional batch norm. The more examples of a class there are in a batch, the more the loss can compare: with several replicas it compares the
examples of all of them, with `accumulation` those of one micro-batch.

Differs from the paper: a row is never compared with itself, as in the authors' code, where the printed sum may be read otherwise; u moves once in an
update, not once in every pass; batch norm uses the statistics of all replicas; `sndcgan` is the network of SN-GAN with a sum over the last map.
"""

import dataclasses

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial, contrastive
from tfgan_suite.networks import class_conditional, parts


def _adam(learning_rate: float = 2e-4, beta_1: float = 0.5) -> optimizers.Adam:
    return optimizers.Adam(learning_rate=learning_rate, beta_1=beta_1, beta_2=0.999, epsilon=1e-6)


@dataclasses.dataclass(kw_only=True)
class Config(conditional.BodyConfig):
    """Defaults: the authors' code for CIFAR-10."""

    bodies = class_conditional.BODIES
    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="hinge"), contrastive.ConditionalContrast()))
    body: str = "biggan"
    latent_size: int = 80
    generator_width: int = 96
    discriminator_width: int = 96
    embedding_size: int = parts.EMBEDDING_SIZE
    """Of an image's embedding and a class's proxy."""
    discriminator_steps: int = 5
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.9999, start=1000))


class ContraGan(conditional.BodyGan, alternating.AlternatingGan):
    """Networks with an embedding of the image and a proxy of its class; `AlternatingGan` with `ConditionalContrast` is the algorithm."""

    conditioning = "contrastive"

    def build_discriminator(self, **options):
        return super().build_discriminator(embedding_size=self.config.embedding_size, **options)


def _cifar10() -> spec.DatasetConfig:
    return spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Flip(),))


def _tiny_imagenet() -> Config:
    """Batches of 1,024 in four parts: the 2C loss compares the 256 of a part, as the authors' did."""
    return Config(
        latent_size=100,
        generator_width=80,
        discriminator_width=80,
        embedding_size=768,
        discriminator_steps=1,
        accumulation=4,
        discriminator_optimizer=_adam(4e-4, beta_1=0.0),
        generator_optimizer=_adam(1e-4, beta_1=0.0),
        average=averaging.Average(decay=0.9999, start=20_000),
    )


def _imagenet() -> Config:
    """The authors' later embedding; the paper's has 1,024 numbers."""
    return Config(
        latent_size=120,
        embedding_size=1536,
        discriminator_steps=2,
        discriminator_optimizer=_adam(2e-4, beta_1=0.0),
        generator_optimizer=_adam(5e-5, beta_1=0.0),
        average=averaging.Average(decay=0.9999, start=20_000),
    )


def _comparison(body: str, width: int, updates: int, **changes) -> Config:
    """The authors' settings for the paper's table of network bodies, of June 2020."""
    average = averaging.Average(decay=0.9999, start=20_000)
    return Config(body=body, generator_width=width, discriminator_steps=updates, latent_size=128, average=average, **changes)


def _narrow() -> Config:
    """What two cores can train: one update each, at one rate, as BigGAN's preset of this name."""
    return Config(
        body="narrow",
        latent_size=64,
        generator_width=16,
        discriminator_width=16,
        embedding_size=128,
        discriminator_steps=1,
        discriminator_optimizer=optimizers.Adam(learning_rate=5e-4),
        generator_optimizer=optimizers.Adam(learning_rate=5e-4),
        average=averaging.Average(decay=0.999, start=1000),
    )


PRESETS = {
    "cifar10": experiment.published("contragan", Config(), 100_000, _cifar10()),
    "cifar10_resnet": experiment.published("contragan", _comparison("resnet", 256, 2, discriminator_width=128), 100_000, _cifar10()),
    "cifar10_sndcgan": experiment.published("contragan", _comparison("sndcgan", 64, 1, discriminator_width=64), 200_000, _cifar10()),
    "cifar10_narrow": experiment.small("contragan", _narrow(), 10_000, _cifar10(), checkpoints=10),
    "tiny_imagenet": experiment.published(
        "contragan",
        _tiny_imagenet(),
        100_000,
        spec.DatasetConfig(source="folder:tiny-imagenet-200", test_split="val", batch_size=1024, augmentations=(augment.Flip(),)),
    ),
    "imagenet128": experiment.published(
        "contragan",
        _imagenet(),
        200_000,
        spec.DatasetConfig(source="imagenet2012", image_size=(128, 128), test_split="validation", batch_size=256, augmentations=(augment.Flip(),)),
    ),
    "demo": experiment.demo(
        "contragan",
        Config(
            terms=(adversarial.Adversarial(loss="hinge"), contrastive.ConditionalContrast(temperature=0.5)),
            body="compact",
            latent_size=64,
            generator_width=32,
            discriminator_width=32,
            embedding_size=128,
            discriminator_steps=1,
            discriminator_optimizer=optimizers.Adam(learning_rate=1e-3),
            generator_optimizer=optimizers.Adam(learning_rate=1e-3),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug(
        "contragan",
        Config(body="compact", latent_size=8, generator_width=4, discriminator_width=4, embedding_size=8, discriminator_steps=1, generator_batches=2),
    ),
}
