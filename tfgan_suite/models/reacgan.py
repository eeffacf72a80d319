"""ReACGAN, a rebooted AC-GAN. Kang, Shim, Cho, Park 2021, arXiv:2111.01118.

Goodfellow's Algorithm 1 with the hinge loss on scores of the image alone, and beside it the data-to-data cross-entropy (D2D-CE) for both players:
AC-GAN's classifier with embeddings and class vectors (proxies) brought to unit length, so that its gradients cannot explode, and with the other
images of the batch in place of the other classes' vectors. A real image's embedding is drawn to its class's proxy and away from images of other
classes; one that is near its proxy and far from an image of another class is left alone. G lowers the same loss on its own images. G has
conditional batch norm.
With several replicas the loss compares the examples of all of them, with `accumulation` those of one micro-batch.

Differs from the paper: D2D-CE is the printed one; the authors' code, which made the published figures, shifts a part of it (`form="studiogan"`). u
moves once in an update, not once in every pass; batch norm uses the statistics of all replicas.
"""

import dataclasses

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial, data_to_data
from tfgan_suite.networks import class_conditional, parts


def _adam(learning_rate: float = 2.8284271e-4, beta_1: float = 0.5) -> optimizers.Adam:
    """ContraGAN's rate for batches of 64 times the root of 2, for batches of 128."""
    return optimizers.Adam(learning_rate=learning_rate, beta_1=beta_1, beta_2=0.999, epsilon=1e-6)


@dataclasses.dataclass(kw_only=True)
class Config(conditional.BodyConfig):
    """Defaults: the authors' code for CIFAR-10."""

    bodies = class_conditional.BODIES
    terms: alternating.Terms = dataclasses.field(
        default_factory=lambda: (adversarial.Adversarial(loss="hinge"), data_to_data.DataToDataCrossEntropy(weight=0.5))
    )
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


class ReacGan(conditional.BodyGan, alternating.AlternatingGan):
    """Networks with an embedding of the image and a proxy of its class; `AlternatingGan` with `DataToDataCrossEntropy` is the algorithm."""

    conditioning = "contrastive"

    def build_discriminator(self, **options):
        return super().build_discriminator(embedding_size=self.config.embedding_size, **options)


def _terms(**contrast) -> alternating.Terms:
    return (adversarial.Adversarial(loss="hinge"), data_to_data.DataToDataCrossEntropy(**contrast))


def _tiny_imagenet() -> Config:
    return Config(
        terms=_terms(weight=0.75, temperature=0.75, margin=1.0),
        latent_size=100,
        generator_width=80,
        discriminator_width=80,
        embedding_size=768,
        discriminator_steps=1,
        discriminator_optimizer=_adam(4e-4, beta_1=0.0),
        generator_optimizer=_adam(1e-4, beta_1=0.0),
        average=averaging.Average(decay=0.9999, start=20_000),
    )


def _imagenet() -> Config:
    return Config(
        terms=_terms(weight=1.0),
        latent_size=120,
        embedding_size=2048,
        discriminator_steps=2,
        discriminator_optimizer=_adam(2e-4, beta_1=0.0),
        generator_optimizer=_adam(5e-5, beta_1=0.0),
        average=averaging.Average(decay=0.9999, start=20_000),
    )


PRESETS = {
    "cifar10": experiment.published(
        "reacgan", Config(), 100_000, spec.DatasetConfig(source="cifar10", batch_size=128, augmentations=(augment.Flip(),))
    ),
    "tiny_imagenet": experiment.published(
        "reacgan",
        _tiny_imagenet(),
        100_000,
        spec.DatasetConfig(source="folder:tiny-imagenet-200", test_split="val", batch_size=1024, augmentations=(augment.Flip(),)),
    ),
    "imagenet128": experiment.published(
        "reacgan",
        _imagenet(),
        500_000,
        spec.DatasetConfig(source="imagenet2012", image_size=(128, 128), test_split="validation", batch_size=256, augmentations=(augment.Flip(),)),
    ),
    "demo": experiment.demo(
        "reacgan",
        Config(
            terms=_terms(),
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
        "reacgan",
        Config(body="compact", latent_size=8, generator_width=4, discriminator_width=4, embedding_size=8, discriminator_steps=1, generator_batches=2),
    ),
}
