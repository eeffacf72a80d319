"""What can be measured: every metric by its configured name, how it is computed, and what it needs."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tfgan_suite.metrics import augmentation_leak, collapse, conditioning, examples, frechet, inception_score, kernel, precision_recall, tagging

Classify = Callable[[np.ndarray], np.ndarray]
"""Images [n, h, w, c] float32 in [-1, 1] -> labels [n]."""


@dataclasses.dataclass(kw_only=True)
class Generated:
    """What was collected from the generated images: as the reference, and `probabilities` [n, k] float64; empty where no metric asked for them."""

    moments: frechet.Moments
    features: np.ndarray
    images: np.ndarray
    probabilities: np.ndarray
    labels: np.ndarray
    classify: Classify | None = None
    """The model's own classifier, where it has one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """A metric's figure before it gets its record; `record` holds the protocol fields that the metric alone decides."""

    value: float
    std: float | None = None
    unit: str = ""
    record: dict[str, Any] = dataclasses.field(default_factory=dict)
    details: dict[str, list[int]] = dataclasses.field(default_factory=dict)
    """As in `protocol.Score`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Metric:
    """How a configured name is computed, and what it needs."""

    compute: Callable[[Any, Generated], dict[str, Result]]
    features: bool = True
    """Every feature row, not only the moments."""
    labels: bool = False
    """The label each generated image was asked for, and real labels."""
    images: bool = False
    """The pictures themselves, as bytes."""
    mixture: bool = False
    """Data whose modes are known: a toy distribution."""
    classes: tuple[str, ...] = ()
    """What the extractor's probabilities may be about (`Extractor.classes`); empty where they are not used."""
    classifier: bool = False
    """Judges the model's own classifier on real held-out images instead of its samples."""
    held_out: tuple[str, ...] = ()
    """Columns of the held-out examples that samples are compared with, example by example."""


def check_samples(metrics: Iterable[str], samples: int, data: Any) -> None:
    """Raises a ValueError if this many samples, whose labels go round the classes, are too few for one of the metrics."""
    if "intra_fid" in metrics:
        labels = np.arange(samples) % max(data.num_classes, 1)
        conditioning.require_pairs(labels, range(data.num_classes), data.class_names, conditioning.INTRA_CLASS, "generated")


def held_out_keys(metrics: Iterable[str]) -> tuple[str, ...]:
    """Columns of held-out examples that these metrics need."""
    return tuple(dict.fromkeys(key for name in metrics if name in METRICS for key in METRICS[name].held_out))


def needs_features(metrics: Iterable[str]) -> bool:
    """Whether a reference for these metrics must keep every feature row."""
    return any(METRICS[name].features for name in metrics if name in METRICS)


def needs_images(metrics: Iterable[str]) -> bool:
    """Whether a reference for these metrics must keep the images."""
    return any(METRICS[name].images for name in metrics if name in METRICS)


def _fid(evaluator: Any, fake: Generated) -> dict[str, Result]:
    return {"fid": Result(value=frechet.frechet_distance(evaluator.reference.moments, fake.moments))}


def _kid(evaluator: Any, fake: Generated) -> dict[str, Result]:
    real = evaluator.reference.features
    size = min(evaluator.subset_size, len(real), len(fake.features))
    number = 1 if size == len(real) == len(fake.features) else evaluator.subsets
    mean, std = kernel.kernel_distance(real, fake.features, number=number, size=size, seed=evaluator.seed)
    record = {"subsets": number, "subset_size": size}
    return {"kid": Result(value=1e3 * mean, std=1e3 * std if number > 1 else None, unit="x10^3", record=record)}


def _is(evaluator: Any, fake: Generated) -> dict[str, Result]:
    order = np.random.RandomState(evaluator.seed).permutation(len(fake.probabilities))  # samples sorted by class would give splits few classes
    splits = min(evaluator.splits, len(order))
    mean, std = inception_score.inception_score(fake.probabilities[order], splits)
    return {"is": Result(value=mean, std=std if splits > 1 else None, record={"splits": splits})}


def _prdc(evaluator: Any, fake: Generated) -> dict[str, Result]:
    figures = precision_recall.precision_recall_density_coverage(evaluator.reference.features, fake.features, k=evaluator.k)
    return {name: Result(value=value, record={"k": evaluator.k}) for name, value in figures.items()}


def _agreement(evaluator: Any, fake: Generated) -> dict[str, Result]:
    shares = conditioning.agreements(fake.probabilities.argmax(1), fake.labels, evaluator.reference.spec.class_groups)
    return {name: Result(value=share, std=error) for name, (share, error) in shares.items()}


def _intra_fid(evaluator: Any, fake: Generated) -> dict[str, Result]:
    real = evaluator.reference
    mean, _ = conditioning.intra_class_frechet(real.features, real.labels, fake.features, fake.labels, real.spec.class_names)
    return {"intra_fid": Result(value=mean)}


def _diversity(evaluator: Any, fake: Generated) -> dict[str, Result]:
    real, labels, fake_labels = evaluator.reference, evaluator.reference.labels, fake.labels
    if not len(labels) or not len(fake_labels):
        labels, fake_labels = np.zeros(len(real.features), np.int32), np.zeros(len(fake.features), np.int32)
    mean, _ = conditioning.diversity(real.features, labels, fake.features, fake_labels, real.spec.class_names)
    return {"diversity": Result(value=mean)}


def _named(figures: Callable[[Any, Generated], dict[str, dict[str, Any]]]) -> Callable[[Any, Generated], dict[str, Result]]:
    """A function of `collapse` or `augmentation_leak` as a metric's: what it gives by name are the fields of a `Result`."""
    return lambda evaluator, fake: {name: Result(**fields) for name, fields in figures(evaluator, fake).items()}


def _test_error(evaluator: Any, fake: Generated) -> dict[str, Result]:
    error, deviation, count = conditioning.classification_error(fake.classify, examples.of(evaluator.data, "test"))
    own = {"backbone": "classify", "weights": "", "resizer": "", "label_sampling": "", "truncation": 0.0, "judge": {}}
    return {"test_error": Result(value=error, std=deviation, record=own | {"split": "test", "num_real": count, "num_fake": 0})}


def _tags(evaluator: Any, fake: Generated) -> dict[str, Result]:
    true, count = evaluator.held_out["tags"], len(fake.features)
    if evaluator.dictionary is None or count % len(true):
        raise ValueError(
            f"The metric 'tags' needs a dictionary of word vectors, and equally many samples (the paper: 100) for each of the {len(true)} held-out "
            f"images. Received: {count} samples{'' if evaluator.dictionary is not None else ', no dictionary'}. Set evaluation.samples."
        )
    samples = fake.features.reshape(-1, len(true), fake.features.shape[1]).swapaxes(0, 1)
    found, named = tagging.tags(samples, evaluator.dictionary)
    precision, recall = tagging.precision_recall(found, true)
    figures = {"tag_precision": precision, "tag_recall": recall, "tag_coverage": tagging.precision_recall(named, true)[1]}
    return {name: Result(value=float(f.mean()), std=float(f.std() / np.sqrt(len(true)))) for name, f in figures.items()}


METRICS: dict[str, Metric] = {
    "fid": Metric(compute=_fid, features=False),
    "kid": Metric(compute=_kid),
    "is": Metric(compute=_is, features=False, classes=("labels", "imagenet", "other")),
    "prdc": Metric(compute=_prdc),
    "agreement": Metric(compute=_agreement, features=False, labels=True, classes=("labels",)),
    "intra_fid": Metric(compute=_intra_fid, labels=True),
    "diversity": Metric(compute=_diversity),
    "modes": Metric(compute=_named(collapse.modes), mixture=True),
    "class_modes": Metric(compute=_named(collapse.class_modes), features=False, classes=("labels",)),
    "mode_score": Metric(compute=_named(collapse.mode_scores), features=False, classes=("labels", "imagenet", "other")),
    "ms_ssim": Metric(compute=_named(collapse.similarities), features=False, images=True),
    "sliced_wasserstein": Metric(compute=_named(collapse.sliced_distances), features=False, images=True),
    "augmentation_leak": Metric(compute=_named(augmentation_leak.figures), features=False, images=True),
    "tags": Metric(compute=_tags, held_out=("tags",)),
    "test_error": Metric(compute=_test_error, features=False, classifier=True),
}
"""Configured name -> metric. `fid`: Frechet distance; `kid`: kernel distance; `is`: inception score; `prdc`: precision, recall, density and
coverage; `agreement`: share of images of the class asked for; `intra_fid`: Frechet distance within classes; `diversity`: spread within classes, as a
share of the data's; `modes`: modes of a toy distribution that the points lie in; `class_modes`: classes that occur; `mode_score`: inception score
less the distance of the class frequencies from the data's; `ms_ssim`: similarity of images of a class; `sliced_wasserstein`: distance of patches;
`augmentation_leak`: colour shifts, black rectangles and mirrored borders that real images lack;
`test_error`: share of the held-out images that the model's own classifier gets wrong; `tags`: the words found for an image against its own."""

_LOWER_IS_BETTER = ("fid", "kid", "intra_fid", "reverse_kl", "class_reverse_kl", "ms_ssim", "test_error")


def higher_is_better(name: str) -> bool:
    """Which way the result `name` (`fid_proxy`, `precision`, ...) gets better."""
    return name.removesuffix("_proxy") not in _LOWER_IS_BETTER and not name.startswith(("sliced_wasserstein", "leak_"))
