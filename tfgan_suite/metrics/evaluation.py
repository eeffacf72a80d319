"""Judging generated images: which metrics there are, what each needs, and one pass over the images that serves them all."""

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from tfgan_suite.metrics import (
    collapse,
    conditioning,
    examples,
    extractor,
    frechet,
    inception_score,
    kernel,
    precision_recall,
    protocol,
    reference,
    tagging,
)

PROXIES = {"fid": "fid_proxy", "kid": "kid_proxy", "is": "is_proxy", "intra_fid": "intra_fid_proxy"}
"""Names that belong to the Inception graph of 2015, and what the same figure is called in other features."""


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

    compute: Callable[["Evaluator", Generated], dict[str, Result]]
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


@dataclasses.dataclass(kw_only=True)
class Evaluator:
    """Judges generated images against a reference by one extractor."""

    extractor: extractor.Extractor
    reference: reference.Reference
    metrics: tuple[str, ...] = ("fid", "kid", "prdc")
    """Names in `METRICS`."""
    splits: int = 10
    """Splits of the inception score (Salimans et al. 2016)."""
    subsets: int = 50
    subset_size: int = 1000
    """Random subsets of the kernel distance (the code of Binkowski et al. 2018) and their size, at most the smaller set; on the record."""
    pairs: int = 1000
    """Pairs of images that MS-SSIM is averaged over, all classes together."""
    k: int = 5
    """Neighbours of precision, recall, density and coverage (Naeem et al. 2020)."""
    seed: int = 0
    """Of the shuffle before splits, and of the subsets."""
    data: examples.Data | None = None
    """Real images, for metrics of the model's own classifier."""
    held_out: dict[str, np.ndarray] = dataclasses.field(default_factory=dict)
    """Columns of the n held-out examples whose conditions the samples have, [n, ...] each; sample i belongs to example i % n."""
    dictionary: np.ndarray | None = None
    """Vectors of the words [v, d] that tags are chosen from, where the data have one."""
    record: protocol.Protocol = dataclasses.field(default_factory=protocol.Protocol)
    """What only the caller knows: label sampling, truncation, and the soft fields. The rest is filled in."""

    def __post_init__(self):
        for name in self.metrics:
            self._check(name)
        judge = (self.extractor.name, self.extractor.fingerprint, self.extractor.resizer)
        if judge != (self.reference.extractor, self.reference.weights, self.reference.resizer):
            raise ValueError(f"The reference was measured by another extractor than {judge}: build it again with this one.")

    def run(self, batches: Iterable[dict[str, Any]], *, step: int = 0, classify: Classify | None = None) -> dict[str, protocol.Score]:
        """Scores by name of generated `{"image": [b, h, w, c] float32 in [-1, 1], optional "label": [b]}`. `step`: of the weights, for the record.
        `classify`: the model's own classifier, if it has one.

        Names: `fid`, `kid` and `is` are `fid_proxy`, `kid_proxy` and `is_proxy` in features other than the 2015 Inception's; `prdc` gives
        `precision`, `recall`, `density` and `coverage`; `agreement` also gives `agreement_<group>`;
        `modes` gives `high_quality`, `assigned_modes`, `reverse_kl`, `std_ratio` too (the last two only if any point is of high quality);
        `class_modes` also `class_reverse_kl`; `mode_score` also `mode_score_che`; `ms_ssim` also `ms_ssim_real`; `sliced_wasserstein` also a figure
        per resolution; `tags` gives `tag_precision`, `tag_recall` and `tag_coverage`.
        """
        self.check_classifier(classify)
        generated = self._collect(batches)
        generated.classify = classify
        scores = {}
        for name in self.metrics:
            for key, result in METRICS[name].compute(self, generated).items():
                key = key if self.extractor.standard else PROXIES.get(key, key)
                scores[key] = protocol.Score(
                    value=result.value,
                    std=result.std,
                    unit=result.unit,
                    details=result.details,
                    protocol=self._record(key, step, generated, result),
                )
        return scores

    def check_classifier(self, classify: Classify | None) -> None:
        """A ValueError if a metric judges the model's own classifier and the model has none."""
        names = [name for name in self.metrics if METRICS[name].classifier]
        if names and classify is None:
            raise ValueError(
                f"The metric {names[0]!r} judges a model's own classifier, its endpoint 'classify', and this model has none. Leave the metric out, "
                "or train a model that classifies, such as improved_gan/mnist_100_labels."
            )

    def _check(self, name: str) -> None:
        if name not in METRICS:
            raise ValueError(f"There is no metric {name!r}. Choose from: {', '.join(METRICS)}.")
        metric = METRICS[name]
        if metric.classifier and (self.data is None or not self.data.spec.test_size):
            raise ValueError(f"The metric {name!r} needs a held-out split, and the data has none. Leave it out, or set data.test_split.")
        if (metric.labels and not len(self.reference.labels)) or (metric.classifier and not self.data.spec.num_classes):
            raise ValueError(f"The metric {name!r} needs labels, and the data has none. Leave it out, or choose a labelled dataset.")
        if metric.classes and self.extractor.classes not in metric.classes:
            raise ValueError(
                f"The metric {name!r} reads class probabilities about {' or '.join(metric.classes)}; those of the extractor "
                f"{self.extractor.name!r} are about {self.extractor.classes}. Leave the metric out, or choose another extractor."
            )
        if name == "intra_fid":  # before anything is generated
            spec = self.reference.spec
            conditioning.require_pairs(self.reference.labels, range(spec.num_classes), spec.class_names, conditioning.INTRA_CLASS, "real")
        missing = [key for key in metric.held_out if key not in self.held_out]
        if missing:
            raise ValueError(f"The metric {name!r} needs the key {missing[0]!r} of held-out examples, which {self.reference.spec.name!r} lacks.")
        if metric.features and not len(self.reference.features):
            raise ValueError(f"The metric {name!r} needs every feature row of the reference: build it with keep_features=True.")
        if metric.images and not len(self.reference.images):
            raise ValueError(f"The metric {name!r} looks at pictures, not vectors; the reference must keep them: build it with keep_images=True.")
        if metric.mixture and not self.reference.spec.mixture:
            raise ValueError(
                f"The metric {name!r} needs data whose modes are known, such as toy:ring8. Leave it out for {self.reference.spec.name!r}."
            )
        if name == "prdc" and self.reference.count <= self.k:
            raise ValueError(f"The metric 'prdc' needs more than k = {self.k} real images. Received: {self.reference.count}.")

    def _collect(self, batches: Iterable[dict[str, Any]]) -> Generated:
        asked = [METRICS[name] for name in self.metrics]
        keep, needs_labels = any(m.features for m in asked), [name for name in self.metrics if METRICS[name].labels]
        keep_images = any(m.images for m in asked)
        moments, kept, images, probabilities, labels = frechet.Moments(), [], [], [], []
        for batch in batches:
            if needs_labels and "label" not in batch:
                raise ValueError(f"The metric {needs_labels[0]!r} needs the labels of the generated images, and their batches have no key 'label'.")
            found = self.extractor(batch["image"])
            moments.update(found["features"])
            kept.append(found["features"] if keep else found["features"][:0])
            images.append(extractor.quantise(batch["image"] if keep_images else batch["image"][:0]))
            probabilities.append(found["probabilities"])
            if "label" in batch:
                labels.append(np.asarray(batch["label"], np.int32))
        if moments.count < 2:
            raise ValueError(f"Judging needs at least 2 generated images. Received: {moments.count}.")
        return Generated(
            moments=moments,
            features=np.concatenate(kept),
            images=np.concatenate(images),
            probabilities=np.concatenate(probabilities),
            labels=np.concatenate(labels) if labels else np.zeros(0, np.int32),
        )

    def _record(self, name: str, step: int, generated: Generated, result: Result) -> protocol.Protocol:
        real = self.reference
        fields = {
            "metric": name,
            "data": real.data,
            "split": real.split,
            "num_real": real.count,
            "num_fake": generated.moments.count,
            "backbone": self.extractor.name,
            "weights": self.extractor.fingerprint,
            "resizer": self.extractor.resizer,
            "quantised": self.extractor.quantised,
            "resolution": real.spec.image_shape,
            "seed": self.seed,
            "step": step,
            "judge": self.extractor.accuracy,
        }
        return dataclasses.replace(self.record, **(fields | result.record))


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


def _fid(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
    return {"fid": Result(value=frechet.frechet_distance(evaluator.reference.moments, fake.moments))}


def _kid(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
    real = evaluator.reference.features
    size = min(evaluator.subset_size, len(real), len(fake.features))
    number = 1 if size == len(real) == len(fake.features) else evaluator.subsets
    mean, std = kernel.kernel_distance(real, fake.features, number=number, size=size, seed=evaluator.seed)
    record = {"subsets": number, "subset_size": size}
    return {"kid": Result(value=1e3 * mean, std=1e3 * std if number > 1 else None, unit="x10^3", record=record)}


def _is(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
    order = np.random.RandomState(evaluator.seed).permutation(len(fake.probabilities))  # samples sorted by class would give splits few classes
    splits = min(evaluator.splits, len(order))
    mean, std = inception_score.inception_score(fake.probabilities[order], splits)
    return {"is": Result(value=mean, std=std if splits > 1 else None, record={"splits": splits})}


def _prdc(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
    figures = precision_recall.precision_recall_density_coverage(evaluator.reference.features, fake.features, k=evaluator.k)
    return {name: Result(value=value, record={"k": evaluator.k}) for name, value in figures.items()}


def _agreement(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
    shares = conditioning.agreements(fake.probabilities.argmax(1), fake.labels, evaluator.reference.spec.class_groups)
    return {name: Result(value=share, std=error) for name, (share, error) in shares.items()}


def _intra_fid(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
    real = evaluator.reference
    mean, _ = conditioning.intra_class_frechet(real.features, real.labels, fake.features, fake.labels, real.spec.class_names)
    return {"intra_fid": Result(value=mean)}


def _diversity(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
    real, labels, fake_labels = evaluator.reference, evaluator.reference.labels, fake.labels
    if not len(labels) or not len(fake_labels):
        labels, fake_labels = np.zeros(len(real.features), np.int32), np.zeros(len(fake.features), np.int32)
    mean, _ = conditioning.diversity(real.features, labels, fake.features, fake_labels, real.spec.class_names)
    return {"diversity": Result(value=mean)}


def _collapse(figures: Callable[["Evaluator", Generated], dict[str, dict[str, Any]]]) -> Callable[["Evaluator", Generated], dict[str, Result]]:
    """A function of `collapse` as a metric's: what it gives by name are the fields of a `Result`."""
    return lambda evaluator, fake: {name: Result(**fields) for name, fields in figures(evaluator, fake).items()}


def _test_error(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
    error, deviation, count = conditioning.classification_error(fake.classify, examples.of(evaluator.data, "test"))
    own = {"backbone": "classify", "weights": "", "resizer": "", "label_sampling": "", "truncation": 0.0, "judge": {}}
    return {"test_error": Result(value=error, std=deviation, record=own | {"split": "test", "num_real": count, "num_fake": 0})}


def _tags(evaluator: Evaluator, fake: Generated) -> dict[str, Result]:
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
    "modes": Metric(compute=_collapse(collapse.modes), mixture=True),
    "class_modes": Metric(compute=_collapse(collapse.class_modes), features=False, classes=("labels",)),
    "mode_score": Metric(compute=_collapse(collapse.mode_scores), features=False, classes=("labels", "imagenet", "other")),
    "ms_ssim": Metric(compute=_collapse(collapse.similarities), features=False, images=True),
    "sliced_wasserstein": Metric(compute=_collapse(collapse.sliced_distances), features=False, images=True),
    "tags": Metric(compute=_tags, held_out=("tags",)),
    "test_error": Metric(compute=_test_error, features=False, classifier=True),
}
"""Configured name -> metric. `fid`: Frechet distance; `kid`: kernel distance; `is`: inception score; `prdc`: precision, recall, density and
coverage; `agreement`: share of images of the class asked for; `intra_fid`: Frechet distance within classes; `diversity`: spread within classes, as a
share of the data's; `modes`: modes of a toy distribution that the points lie in; `class_modes`: classes that occur; `mode_score`: inception score
less the distance of the class frequencies from the data's; `ms_ssim`: similarity of images of a class; `sliced_wasserstein`: distance of patches;
`test_error`: share of the held-out images that the model's own classifier gets wrong; `tags`: the words found for an image against its own."""

_LOWER_IS_BETTER = ("fid", "kid", "intra_fid", "reverse_kl", "class_reverse_kl", "ms_ssim", "test_error")


def higher_is_better(name: str) -> bool:
    """Which way the result `name` (`fid_proxy`, `precision`, ...) gets better."""
    return name.removesuffix("_proxy") not in _LOWER_IS_BETTER and not name.startswith("sliced_wasserstein")
