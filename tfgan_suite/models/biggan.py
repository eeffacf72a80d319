"""BigGAN. Brock, Donahue, Simonyan 2019, arXiv:1809.11096.

Goodfellow's Algorithm 1 with the hinge loss on SAGAN's players (spectral norm and self-attention in both, two learning rates), made wide and trained
on large batches (section 3). Every block of the generator has its own chunk of the latents, which with one embedding of the class, shared by all,
sets gain and offset of its batch norms; kernels begin orthogonal, and may be held near orthogonal (eq. 3) so that samples stay good when latents are
truncated (section 3.1). What is judged is a moving average of the generator, from some step on, with statistics collected anew.

Differs from the paper: u moves once in each update of the network it belongs to, not once in every pass; at 32 and 64 pixels, which the paper lacks,
the networks are those of StudioGAN and BigGAN-PyTorch. Micro-batches (`accumulation`) are batch-normalised one by one.
"""

import dataclasses
import functools

from pipelines import augment, spec
from tfgan_suite import experiment
from tfgan_suite.augment import adaptive, diff_augment, policy, spatial, visual
from tfgan_suite.core import alternating, averaging, conditional, optimizers
from tfgan_suite.losses import adversarial, augmentation_contrast, consistency, weights
from tfgan_suite.networks import biggan, class_conditional, resnet


def _adam(learning_rate: float = 2e-4, beta_1: float = 0.5, epsilon: float = 1e-6) -> optimizers.Adam:
    return optimizers.Adam(learning_rate=learning_rate, beta_1=beta_1, beta_2=0.999, epsilon=epsilon)


BODIES = {
    "biggan": (biggan.generator, biggan.discriminator),
    "studiogan": class_conditional.BODIES["biggan"],
    "unshared": (
        functools.partial(resnet.generator, multipliers=(4, 4, 4, 4), spectral_norm=True, class_gain="one_hot", initializer="normal", epsilon=1e-5),
        functools.partial(biggan.discriminator, multipliers=(4, 4, 4, 4), attention=(), initializer="normal"),
    ),
    "narrow": class_conditional.BODIES["narrow"],
    "compact": class_conditional.BODIES["attentive"],
}
"""Body -> (generator, discriminator). `studiogan` differs from `biggan` in the epsilon of its batch norms. `unshared`: BigGAN-PyTorch's for CIFAR-10,
gains per class, no chunks, no attention. `narrow` and `compact`: small ones, the latter without chunks."""


@dataclasses.dataclass(kw_only=True)
class Config(conditional.BodyConfig):
    """Defaults: StudioGAN's, for CIFAR-10."""

    bodies = BODIES
    terms: alternating.Terms = dataclasses.field(default_factory=lambda: (adversarial.Adversarial(loss="hinge"),))
    latent_size: int = 80
    """A multiple of the number of chunks: 4 at 32 pixels, and one more for each doubling."""
    body: str = "studiogan"
    generator_width: int = 96
    discriminator_width: int = 96
    discriminator_steps: int = 5
    discriminator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    generator_optimizer: optimizers.Optimizer = dataclasses.field(default_factory=_adam)
    average: averaging.Average = dataclasses.field(default_factory=lambda: averaging.Average(decay=0.9999, start=1000))


class BigGan(conditional.BodyGan, alternating.AlternatingGan):
    """The paper's networks; `AlternatingGan` is its algorithm."""

    conditioning = "projection"


def _cifar10(batch_size: int = 64, *augmentations) -> spec.DatasetConfig:
    return spec.DatasetConfig(source="cifar10", batch_size=batch_size, augmentations=augmentations)


def _pytorch(**changes) -> Config:
    """BigGAN-PyTorch's script for CIFAR-10."""
    return Config(
        body="unshared",
        latent_size=128,
        generator_width=64,
        discriminator_width=64,
        discriminator_steps=4,
        discriminator_optimizer=_adam(2e-4, 0.0, 1e-8),
        generator_optimizer=_adam(2e-4, 0.0, 1e-8),
        **changes,
    )


def _augmentation_study(*terms, **changes) -> experiment.Experiment:
    """Zhao et al. 2020, arXiv:2006.02595, who print batch, steps, loss and average. Rates and updates are StudioGAN's; G has 256 channels.

    Real images are cropped and flipped anyway; what is studied comes on top.
    """
    settings = {"body": "biggan", "generator_width": 64, "discriminator_width": 64, "average": averaging.Average(decay=0.9999)}
    model = Config(terms=(adversarial.Adversarial(loss="hinge"), *terms), **settings, **changes)
    return _held_out(experiment.published("biggan", model, 100_000, _cifar10(256, augment.PadAndCrop(), augment.Flip())))


def _held_out(preset: experiment.Experiment) -> experiment.Experiment:
    """The preset judged by 10,000 samples against the 10,000 test images, as both studies of augmentations on CIFAR-10 do."""
    return dataclasses.replace(preset, evaluation=experiment.Evaluation(metrics=("fid", "is"), extractor="inception"))


def _bcr(augmentation: policy.Augmentation, weight: float = 10.0) -> consistency.BalancedConsistency:
    return consistency.BalancedConsistency(augmentation=augmentation, real_weight=weight, fake_weight=weight)


def _two_rates(**changes) -> Config:
    """One update each, at 4e-4 and 1e-4, averaged from step 20,000."""
    return Config(
        discriminator_steps=1,
        discriminator_optimizer=_adam(4e-4, 0.0),
        generator_optimizer=_adam(1e-4, 0.0),
        average=averaging.Average(decay=0.9999, start=20_000),
        **changes,
    )


def _imagenet(*terms) -> experiment.Experiment:
    """BigGAN-PyTorch's script: batches of 2048 as eight micro-batches. The steps are compare_gan's."""
    model = _two_rates(body="biggan", latent_size=120, accumulation=8, terms=(adversarial.Adversarial(loss="hinge"), *terms))
    data = spec.DatasetConfig(source="imagenet2012", image_size=(128, 128), test_split="validation", batch_size=2048)
    return experiment.published("biggan", model, 250_000, data)


def _small(width: int, *, body: str, learning_rate: float, average: averaging.Average) -> Config:
    """What two cores can train: one update each, at one rate."""
    return Config(
        body=body,
        latent_size=64,
        generator_width=width,
        discriminator_width=width,
        discriminator_steps=1,
        discriminator_optimizer=optimizers.Adam(learning_rate=learning_rate),
        generator_optimizer=optimizers.Adam(learning_rate=learning_rate),
        average=average,
    )


PRESETS = {
    "cifar10": experiment.published("biggan", Config(), 100_000, _cifar10(64, augment.Flip())),
    "cifar10_pytorch": experiment.published("biggan", _pytorch(), 500_000 // 4, _cifar10(50)),  # 500 epochs of 1,000 batches, four in each step
    "cifar10_augmentation_study": _augmentation_study(),
    "cifar10_translation": _augmentation_study(augmentations=(spatial.Translation(strength=0.1),)),
    "cifar10_cr": _augmentation_study(consistency.ConsistencyRegularization()),
    "cifar10_bcr_translation": _augmentation_study(_bcr(spatial.Translation(strength=0.4))),
    "cifar10_bcr_translation_brightness": _augmentation_study(
        _bcr(policy.Sequence(augmentations=(spatial.Translation(strength=0.3), visual.Brightness(strength=0.3))), weight=15.0)
    ),
    "cifar10_bcr_cntr": _augmentation_study(_bcr(spatial.Translation(strength=0.4), weight=5.0), augmentation_contrast.AugmentationContrast()),
    "cifar10_icr": _augmentation_study(consistency.BalancedConsistency(), consistency.LatentConsistency()),
    "cifar10_diffaugment": _held_out(
        experiment.published(  # 1,000 epochs of 1,000 batches, four in each step
            "biggan",
            _pytorch(augmentations=(diff_augment.DiffAugment(policy="translation,cutout"),)),
            1_000_000 // 4,
            _cifar10(50, augment.Flip()),
        )
    ),
    "cifar10_ada": experiment.published(
        "biggan",
        Config(terms=(adversarial.Adversarial(loss="non_saturating"),), augmentations=(adaptive.AdaptiveAugmentation(),)),
        200_000,
        _cifar10(64, augment.Flip()),
    ),
    "cifar10_narrow": experiment.small(
        "biggan",
        _small(16, body="narrow", learning_rate=5e-4, average=averaging.Average(decay=0.999, start=1000)),
        10_000,
        _cifar10(64, augment.Flip()),
        checkpoints=10,
    ),
    "tiny_imagenet": experiment.published(
        "biggan",
        _two_rates(latent_size=100, generator_width=80, discriminator_width=80),
        100_000,
        spec.DatasetConfig(source="folder:tiny-imagenet-200", test_split="val", batch_size=1024, augmentations=(augment.Flip(),)),
    ),
    "imagenet128": _imagenet(),
    "imagenet128_orthogonal": _imagenet(weights.OrthogonalRegularization()),
    "demo": experiment.demo("biggan", _small(16, body="narrow", learning_rate=1e-3, average=averaging.Average(decay=0.995)), steps=1000),
    "debug": experiment.debug(
        "biggan",
        Config(body="compact", latent_size=8, generator_width=8, discriminator_width=8, discriminator_steps=1, average=averaging.Average(start=1)),
    ),
}
"""`imagenet128_orthogonal` is the paper's choice for truncated sampling (section 3.1); BigGAN-PyTorch's scripts have the regularisation off.

From `cifar10_augmentation_study` to `cifar10_icr`: that baseline of Zhao et al. 2020, and what they add to it; `cifar10_bcr_cntr` is their best.
`cifar10_translation` shows both players the same augmented images. `cifar10_icr` has StudioGAN's weights. `cifar10_diffaugment`: the script of Zhao,
Liu, Lin, Zhu, Han 2020 (arXiv:2006.10738). `cifar10_ada`: StudioGAN's."""
