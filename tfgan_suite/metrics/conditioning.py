"""Whether generated images show the class they were asked for, and still vary within it.

A classifier's agreement alone is fooled by collapse: one perfect picture per class scores 100 %. So it is read beside a figure of diversity. And
agreement is bounded by the classifier: it is reported with the classifier's own accuracy on real held-out images.
"""

import collections
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tfgan_suite.metrics import frechet

INTRA_CLASS = "An intra-class Frechet distance"
_TILE = 2048


def agreement(predicted: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """Share of images [n] whose predicted class is the one asked for, and its standard error."""
    if len(predicted) != len(labels) or not len(labels):
        raise ValueError(f"Agreement needs one prediction per label. Received: {len(predicted)} predictions and {len(labels)} labels.")
    share = float(np.mean(np.asarray(predicted) == np.asarray(labels)))
    return share, float(np.sqrt(share * (1.0 - share) / len(labels)))


def group_agreement(predicted: np.ndarray, labels: np.ndarray, values: Sequence[str]) -> tuple[float, float]:
    """Agreement in a coarser reading of the class: `values` names it for every class, e.g. the shape of each (shape, color) class."""
    names = {value: i for i, value in enumerate(dict.fromkeys(values))}
    coarse = np.array([names[value] for value in values])
    return agreement(coarse[np.asarray(predicted)], coarse[np.asarray(labels)])


def agreements(predicted: np.ndarray, labels: np.ndarray, groups: Mapping[str, Sequence[str]]) -> dict[str, tuple[float, float]]:
    """`{"agreement": ..., "agreement_<group>": ...}` with standard errors, for classes predicted [n] and asked for [n]."""
    overall = {"agreement": agreement(predicted, labels)}
    return overall | {f"agreement_{name}": group_agreement(predicted, labels, values) for name, values in groups.items()}


def accuracies(
    extractor: Callable[[np.ndarray], dict[str, np.ndarray]], batches: Iterable[dict[str, Any]], groups: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    """`{"accuracy": ..., "accuracy_<group>": ...}` of a classifier on real images, the bound of what agreement can show.

    batches: `{"image": [b, h, w, c], "label": [b]}`.
    """
    predicted, labels = [], []
    for batch in batches:
        predicted.append(extractor(batch["image"])["probabilities"].argmax(1))
        labels.append(np.asarray(batch["label"]))
    shares = agreements(np.concatenate(predicted), np.concatenate(labels), groups)
    return {name.replace("agreement", "accuracy"): share for name, (share, _) in shares.items()}


def classification_error(classify: Callable[[np.ndarray], np.ndarray], batches: Iterable[dict[str, Any]]) -> tuple[float, float, int]:
    """Share of real images whose class `classify` (images -> labels) gets wrong, its standard error, and their number.

    batches: `{"image": [b, h, w, c], "label": [b]}`.
    """
    predicted, labels = [], []
    for batch in batches:
        predicted.append(classify(batch["image"]))
        labels.append(np.asarray(batch["label"]))
    share, error = agreement(np.concatenate(predicted), np.concatenate(labels))
    return 1.0 - share, error, sum(map(len, labels))


def intra_class_frechet(
    real: np.ndarray, real_labels: np.ndarray, fake: np.ndarray, fake_labels: np.ndarray, class_names: Sequence[str] = ()
) -> tuple[float, dict[int, float]]:
    """Mean over classes of the Frechet distance within the class, and the distance of each.

    real, fake: features [n, f] and [m, f]; labels [n] and [m]. Below about 2,048 rows a class the covariances are singular: the figures still
    order models measured alike, and mean nothing by themselves.
    """
    classes = _shared_classes(real_labels, fake_labels, class_names, INTRA_CLASS)
    distances = {
        int(c): frechet.frechet_distance(frechet.Moments.of(real[real_labels == c]), frechet.Moments.of(fake[fake_labels == c])) for c in classes
    }
    return float(np.mean(list(distances.values()))), distances


def diversity(
    real: np.ndarray, real_labels: np.ndarray, fake: np.ndarray, fake_labels: np.ndarray, class_names: Sequence[str] = ()
) -> tuple[float, dict[int, float]]:
    """Mean over classes of (mean distance between two generated features of the class) / (the same of real ones), and the ratio of each class.

    1 is as varied as the data; 0 is one picture per class. Without labels give zeros: one class holds everything.
    """
    classes = _shared_classes(real_labels, fake_labels, class_names, "Within-class diversity")
    ratios = {}
    for c in classes:
        spread = mean_distance(real[real_labels == c])
        if spread == 0.0:
            raise ValueError(f"All real features of class {_name(c, class_names)} are equal, so diversity relative to them is undefined.")
        ratios[int(c)] = mean_distance(fake[fake_labels == c]) / spread
    return float(np.mean(list(ratios.values()))), ratios


def mean_distance(features: np.ndarray) -> float:
    """Mean Euclidean distance over the pairs of two different rows of features [n, f]."""
    rows = features.astype(np.float64) - features.mean(0, dtype=np.float64)
    norms, total = (rows * rows).sum(1), 0.0
    for i in range(0, len(rows), _TILE):
        sizes = norms[i : i + _TILE, None] + norms[None]
        squares = sizes - 2.0 * (rows[i : i + _TILE] @ rows.T)
        total += np.sqrt(np.where(squares < 1e-13 * sizes, 0.0, squares)).sum()
    return float(total / (len(rows) * (len(rows) - 1)))


def _shared_classes(real_labels: np.ndarray, fake_labels: np.ndarray, class_names: Sequence[str], what: str) -> np.ndarray:
    """The classes of both sets; raises where either has fewer than two images of one."""
    classes = np.unique(np.concatenate([real_labels, fake_labels]))
    for labels, source in ((real_labels, "real"), (fake_labels, "generated")):
        require_pairs(labels, classes, class_names, what, source)
    return classes


def require_pairs(labels: np.ndarray, classes: Iterable[int], class_names: Sequence[str], what: str, source: str) -> None:
    """Raises a ValueError that names the classes of which there are fewer than two images. `what`: for what they are needed."""
    classes, counts = list(classes), collections.Counter(np.asarray(labels).tolist())
    few = [c for c in classes if counts[c] < 2]
    if few:
        shown = ", ".join(_name(c, class_names) for c in few[:5]) + (", ..." if len(few) > 5 else "")
        raise ValueError(
            f"{what} needs at least 2 {source} images of every class. Too few of {len(few)} of {len(classes)} classes ({shown}), among "
            f"{len(labels)} {source} images. Judge more images, draw balanced labels, or leave this metric out."
        )


def _name(label: int, class_names: Sequence[str]) -> str:
    return repr(class_names[label]) if label < len(class_names) else str(int(label))
