"""SN-GAN on its standard CNN, called SNDCGAN. Miyato, Kataoka, Koyama, Yoshida 2018, arXiv:1802.05957, table 3; with classes the projection
discriminator of Miyato and Koyama 2018, arXiv:1802.05637.

Goodfellow's Algorithm 1 with the hinge or the non-saturating loss, every kernel of the discriminator divided by its spectral norm.

Differs from the paper: u moves once in an update, not once in every pass. The presets are those of later studies, which fixed what the paper varies.
"""

import dataclasses

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.augment import adaptive, diff_augment, spatial
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial, consistency
from tfgan_suite.networks import sndcgan


@dataclasses.dataclass(kw_only=True)
class Config(conditional.Config):
    """Defaults: Zhao et al. 2020 (arXiv:2006.02595) for CIFAR-10."""

    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="hinge"),))
    prior: str = "uniform"
    width: int = 64
    """Channels of the widest maps; the smallest have eight times as many."""
    gain: float = 1.0
    """The kernels in use are gain * W / sigma(W)."""
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.0))


class Sndcgan(conditional.LabelConditional, alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm."""

    def build_generator(self):
        return sndcgan.generator(
            image_shape=self.data.image_shape, latent_size=self.config.latent_size, width=self.config.width, num_classes=self.num_classes
        )

    def build_discriminator(self):
        return sndcgan.discriminator(
            image_shape=self.data.image_shape,
            width=self.config.width,
            num_classes=self.num_classes,
            gain=self.config.gain,
            soft_labels=self.soft_labels,
        )


def _cifar10(*host_augmentations, **changes) -> experiment.Experiment:
    return experiment.Experiment(
        variant="sndcgan",
        model=Config(**changes),
        data=spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=host_augmentations or (augment.Flip(),)),
        training=experiment.Training(steps=200_000),
        checkpointing=experiment.Checkpointing(every_steps=5000),
        evaluation=experiment.Evaluation(metrics=("fid", "is"), extractor="inception"),
    )


def _augmentation_study(*terms, **changes) -> experiment.Experiment:
    """Zhao et al. 2020: real images are cropped and flipped anyway; what is studied comes on top. 10,000 samples against the test images."""
    return _cifar10(augment.PadAndCrop(), augment.Flip(), terms=(adversarial.Adversarial(loss="hinge"), *terms), **changes)


def _fast() -> optimizers.Adam:
    return optimizers.Adam(learning_rate=1e-3)


PRESETS = {
    "cifar10": _cifar10(),
    "cifar10_conditional": _cifar10(conditional=True),
    "cifar10_augmentation_study": _augmentation_study(),
    "cifar10_zoomout": _augmentation_study(augmentations=(spatial.ZoomOut(strength=0.3),)),
    "cifar10_cr": _augmentation_study(consistency.ConsistencyRegularization()),
    "cifar10_bcr_zoomout": _augmentation_study(consistency.BalancedConsistency(augmentation=spatial.ZoomOut(strength=0.4))),
    "cifar10_icr": _augmentation_study(consistency.BalancedConsistency(), consistency.LatentConsistency(discriminator_weight=5.0)),
    "cifar10_diffaugment": _augmentation_study(augmentations=(diff_augment.DiffAugment(policy="translation,cutout"),)),
    "cifar10_ada": _augmentation_study(augmentations=(adaptive.AdaptiveAugmentation(),)),
    "cifar10_small": experiment.Experiment(
        variant="sndcgan",
        model=Config(
            conditional=True,
            prior="normal",
            width=32,
            generator_optimizer=optimizers.Adam(learning_rate=4e-4),
            discriminator_optimizer=optimizers.Adam(learning_rate=4e-4),
            average=averaging.Average(decay=0.999),
        ),
        data=spec.DatasetConfig(source="cifar10", batch_size=64, augmentations=(augment.Flip(),)),
        training=experiment.Training(steps=12_000),
        checkpointing=experiment.Checkpointing(every_steps=1000, keep=12),
        logging=experiment.Logging(samples_every_steps=1000),
        evaluation=experiment.Evaluation(metrics=("fid", "kid", "prdc")),
    ),
    "cifar10_narrow": experiment.small(
        "sndcgan",
        Config(
            prior="normal",
            width=16,
            generator_optimizer=optimizers.Adam(learning_rate=5e-4),
            discriminator_optimizer=optimizers.Adam(learning_rate=5e-4),
            average=averaging.Average(decay=0.995),
        ),
        2500,
        spec.DatasetConfig(source="cifar10", batch_size=64),
        checkpoints=1,
    ),
    "celebahq128": experiment.Experiment(
        variant="sndcgan",
        model=Config(terms=(adversarial.Adversarial(loss="non_saturating"),)),
        data=spec.DatasetConfig(source="celeb_a_hq/128", batch_size=64, split="train[3000:]", test_split="train[:3000]"),
        training=experiment.Training(steps=100_000),
        evaluation=experiment.Evaluation(extractor="inception", samples=3000, reference_samples=3000),
    ),
    "demo": experiment.demo(
        "sndcgan",
        Config(
            conditional=True,
            prior="normal",
            latent_size=64,
            width=16,
            gain=1.2,
            generator_optimizer=_fast(),
            discriminator_optimizer=_fast(),
            average=averaging.Average(decay=0.995),
        ),
    ),
    "debug": experiment.debug("sndcgan", Config(conditional=True, latent_size=8, width=4)),
}
"""From `cifar10_augmentation_study` to `cifar10_ada`: that baseline and what Zhao et al. 2020 and others add to it. `cifar10_bcr_zoomout` is the
best on this network. In `cifar10_zoomout` both players see the same augmented images, at a strength among the best of the curve. The weights of
`cifar10_icr` are those of Zhao et al. 2021 as remembered, its sigma is BigGAN's. DiffAugment and ADA were not published on this network: they have
BigGAN's policy and their authors' defaults. `cifar10_narrow` is what a study on two cores changes: minutes a run, no augmentation of its own."""
