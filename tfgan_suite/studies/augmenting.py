"""Augmentations and the ways of using them, by the names that a study of them goes by. Zhao et al. 2020, arXiv:2006.02595, sections 3 to 5."""

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.augment import adaptive, diff_augment, mixing, policy, spatial, visual
from tfgan_suite.losses import augmentation_contrast, consistency

Augmentation = policy.Augmentation


class Kind(NamedTuple):
    """A row of the table of augmentations."""

    make: Callable[..., policy.Graded]
    strengths: tuple[float, ...]
    """Those of the paper, as far as they can be read off its figures."""
    family: str
    """As the paper groups them: spatial, visual, or other."""
    signature: str = ""
    """The score of `metrics.augmentation_leak` that shows it in samples, where one does."""


_WIDE, _BRIGHT, _NARROW = (0.1, 0.2, 0.3, 0.4, 0.5), (0.02, 0.06, 0.1, 0.2, 0.3), (0.02, 0.04, 0.06, 0.08, 0.1)

AUGMENTATIONS = {
    "zoom_in": Kind(spatial.ZoomIn, _WIDE, "spatial"),
    "zoom_out": Kind(spatial.ZoomOut, _WIDE, "spatial", signature="leak_reflection"),
    "translation": Kind(spatial.Translation, _WIDE, "spatial", signature="leak_reflection"),
    "translation_x": Kind(spatial.TranslationX, _WIDE, "spatial", signature="leak_reflection"),
    "translation_y": Kind(spatial.TranslationY, _WIDE, "spatial", signature="leak_reflection"),
    "cutout": Kind(spatial.CutOut, _WIDE, "spatial", signature="leak_black"),
    "cutmix": Kind(mixing.CutMix, _WIDE, "spatial"),
    "mixup": Kind(mixing.MixUp, _NARROW, "visual"),
    "brightness": Kind(visual.Brightness, _BRIGHT, "visual", signature="leak_color"),
    "redness": Kind(visual.Redness, _NARROW, "visual", signature="leak_color_red"),
    "greenness": Kind(visual.Greenness, _NARROW, "visual", signature="leak_color_green"),
    "blueness": Kind(visual.Blueness, _NARROW, "visual", signature="leak_color_blue"),
    "instance_noise": Kind(visual.InstanceNoise, _NARROW, "other"),
}
"""Name -> augmentation. `+` between names applies them one after another."""


class Mode(NamedTuple):
    """A way of using an augmentation."""

    title: str
    changes: Callable[[Augmentation | None, experiments.Experiment], dict[str, Any]]
    """(the augmentation, the preset) -> fields of the model's config; `terms` are further ones."""
    graded: bool = True
    """Whether there is a cell per augmentation and strength, or one cell that needs neither."""


def _balanced(augmentation: Augmentation, weight: float | None = None) -> consistency.BalancedConsistency:
    """Both domains at one weight; unless told, the paper's: 10, and 15 for its composition of two."""
    weight = weight or (15.0 if isinstance(augmentation, policy.Sequence) else 10.0)
    return consistency.BalancedConsistency(augmentation=augmentation, real_weight=weight, fake_weight=weight)


def _latent(preset: experiments.Experiment) -> consistency.LatentConsistency:
    """Weights as in the presets `cifar10_icr`."""
    return consistency.LatentConsistency(discriminator_weight=5.0) if preset.variant == "sndcgan" else consistency.LatentConsistency()


def _contrast(preset: experiments.Experiment, **changes: Any) -> augmentation_contrast.AugmentationContrast:
    """Cntr. The hidden layer of its head has as many units as the features have channels; SNDCGAN's features are the whole last map."""
    hidden = 8 * preset.model.width if preset.variant == "sndcgan" else 0
    return augmentation_contrast.AugmentationContrast(hidden_size=hidden, **changes)


MODES = {
    "baseline": Mode("no augmentation", lambda t, p: {}, graded=False),
    "real_only": Mode("real only", lambda t, p: {"augmentations": (t,), "augmented": "real_only"}),
    "real_and_fake": Mode("real and fake", lambda t, p: {"augmentations": (t,)}),
    "cr": Mode("CR", lambda t, p: {"terms": (consistency.ConsistencyRegularization(augmentation=t),)}),
    "bcr": Mode("bCR", lambda t, p: {"terms": (_balanced(t),)}),
    "zcr": Mode("zCR", lambda t, p: {"terms": (_latent(p),)}, graded=False),
    "icr": Mode("ICR", lambda t, p: {"terms": (_balanced(t), _latent(p))}),
    "cntr": Mode("bCR and Cntr", lambda t, p: {"terms": (_balanced(t, 5.0), _contrast(p))}),
    "cntr_alone": Mode("Cntr under it", lambda t, p: {"terms": (_contrast(p, augmentation=t),)}),
    "diffaugment": Mode("DiffAugment", lambda t, p: {"augmentations": (diff_augment.DiffAugment(policy="translation,cutout"),)}, graded=False),
    "ada": Mode("ADA", lambda t, p: {"augmentations": (adaptive.AdaptiveAugmentation(),)}, graded=False),
}
"""Name -> way of using. `real_only` shows the discriminator augmented real images and plain fakes; bCR's and Cntr's weights are the paper's. In
`cntr` the two views of Cntr are SimCLR's, in `cntr_alone` they are under the augmentation, which must not mix images."""


class Cell(NamedTuple):
    """What the name of a cell says."""

    place: str
    """The preset, `-` for `/`."""
    mode: str
    augmentation: str = ""
    strength: str = ""
    seed: int = 0

    @property
    def name(self) -> str:
        return "/".join([*filter(None, self[:4]), f"seed_{self.seed}"])

    @classmethod
    def of(cls, name: str) -> "Cell":
        *parts, seed = name.split("/")
        return cls(*parts, seed=int(seed.removeprefix("seed_")))


def build(names: str, strengths: str) -> Augmentation:
    """`translation`, `0.3` -> the augmentation; `translation+brightness`, `0.3+0.1` -> a sequence; `0.4-0` -> annealed from 0.4 to 0."""
    parts = [_one(name, strength) for name, strength in zip(names.split("+"), strengths.split("+"), strict=True)]
    return parts[0] if len(parts) == 1 else policy.Sequence(augmentations=tuple(parts))


def levels(names: str, strengths: Sequence[str]) -> list[str]:
    """The strengths of `names` in a grid: every combination for several; without any given, those of the paper.

    ValueError for an unknown name or a strength that is none.
    """
    kinds = [_known(name, AUGMENTATIONS, "augmentation") for name in names.split("+")]
    return ["+".join(level) for level in itertools.product(*([_written(s) for s in strengths or map(str, kind.strengths)] for kind in kinds))]


def mode(name: str) -> Mode:
    """A row of `MODES`; ValueError with the alternatives."""
    return _known(name, MODES, "mode")


_CLASS_HEADS = ("class_logits", "embedding")
"""Heads of class-conditional discriminators that consistency is asked of beside the logits, as in StudioGAN's code."""


def changed(experiment: experiments.Experiment, name: str, augmentation: Augmentation | None = None) -> experiments.Experiment:
    """A checked copy of the experiment that uses the augmentation in the mode of this name."""
    changes = mode(name).changes(augmentation, experiment)
    heads = tuple(head for term in experiment.model.terms for head in term.heads if head in _CLASS_HEADS)
    further = [dataclasses.replace(t, further_heads=heads) if isinstance(t, consistency.Consistency) else t for t in changes.get("terms", ())]
    changes["terms"] = (*experiment.model.terms, *further)
    return registry.checked(dataclasses.replace(experiment, model=dataclasses.replace(experiment.model, **changes)))


def strength_number(strength: str) -> float | None:
    """The strength as a number; None where it is annealed or there are several."""
    return float(strength) if strength and not set("+-") & set(strength) else None


def _one(name: str, strength: str) -> policy.Graded:
    start, annealed, end = strength.partition("-")
    schedule = policy.Annealing(end=float(end)) if annealed else policy.Steady()
    return AUGMENTATIONS[name].make(strength=float(start), schedule=schedule)


def _written(strength: str) -> str:
    """`0.30` -> `0.3`: equal strengths have one name."""
    try:
        shares = [float(part) for part in strength.split("-")]
        if len(shares) > 2 or not all(0.0 <= share <= 1.0 for share in shares):
            raise ValueError
    except ValueError:
        allowed = "A strength is a number in [0, 1], such as 0.3, or two of an annealed one, such as 0.4-0"
        raise ValueError(f"{allowed}. Received: {strength!r}.") from None
    return "-".join(f"{share:g}" for share in shares)


def _known(name: str, table: dict[str, Any], what: str) -> Any:
    if name not in table:
        raise ValueError(f"There is no {what} {name!r} in this study. {experiments.nearest(name, list(table))}")
    return table[name]
