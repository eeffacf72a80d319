"""Judging generated images: one pass over them that serves every metric of `catalog`, each score with its record."""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np

from tfgan_suite.metrics import (
    catalog,
    conditioning,
    examples,
    extractor,
    frechet,
    protocol,
    reference,
)

PROXIES = {"fid": "fid_proxy", "kid": "kid_proxy", "is": "is_proxy", "intra_fid": "intra_fid_proxy"}
"""Names that belong to the Inception graph of 2015, and what the same figure is called in other features."""


@dataclasses.dataclass(kw_only=True)
class Evaluator:
    """Judges generated images against a reference by one extractor."""

    extractor: extractor.Extractor
    reference: reference.Reference
    metrics: tuple[str, ...] = ("fid", "kid", "prdc")
    """Names in `catalog.METRICS`."""
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

    def run(self, batches: Iterable[dict[str, Any]], *, step: int = 0, classify: catalog.Classify | None = None) -> dict[str, protocol.Score]:
        """Scores by name of generated `{"image": [b, h, w, c] float32 in [-1, 1], optional "label": [b]}`. `step`: of the weights, for the record.
        `classify`: the model's own classifier, if it has one.

        Names: `fid`, `kid` and `is` are `fid_proxy`, `kid_proxy` and `is_proxy` in features other than the 2015 Inception's; `prdc` gives
        `precision`, `recall`, `density` and `coverage`; `agreement` also gives `agreement_<group>`;
        `modes` gives `high_quality`, `assigned_modes`, `reverse_kl`, `std_ratio` too (the last two only if any point is of high quality);
        `class_modes` also `class_reverse_kl`; `mode_score` also `mode_score_che`; `ms_ssim` also `ms_ssim_real`; `sliced_wasserstein` also a figure
        per resolution; `tags` gives `tag_precision`, `tag_recall` and `tag_coverage`; `augmentation_leak` gives `leak_color` (of three channels each
        one, too), `leak_black` and `leak_reflection`.
        """
        self.check_classifier(classify)
        generated = self._collect(batches)
        generated.classify = classify
        scores = {}
        for name in self.metrics:
            for key, result in catalog.METRICS[name].compute(self, generated).items():
                key = key if self.extractor.standard else PROXIES.get(key, key)
                scores[key] = protocol.Score(
                    value=result.value,
                    std=result.std,
                    unit=result.unit,
                    details=result.details,
                    protocol=self._record(key, step, generated, result),
                )
        return scores

    def check_classifier(self, classify: catalog.Classify | None) -> None:
        """A ValueError if a metric judges the model's own classifier and the model has none."""
        names = [name for name in self.metrics if catalog.METRICS[name].classifier]
        if names and classify is None:
            raise ValueError(
                f"The metric {names[0]!r} judges a model's own classifier, its endpoint 'classify', and this model has none. Leave the metric out, "
                "or train a model that classifies, such as improved_gan/mnist_100_labels."
            )

    def _check(self, name: str) -> None:
        if name not in catalog.METRICS:
            raise ValueError(f"There is no metric {name!r}. Choose from: {', '.join(catalog.METRICS)}.")
        metric = catalog.METRICS[name]
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

    def _collect(self, batches: Iterable[dict[str, Any]]) -> catalog.Generated:
        asked = [catalog.METRICS[name] for name in self.metrics]
        keep, needs_labels = any(m.features for m in asked), [name for name in self.metrics if catalog.METRICS[name].labels]
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
        return catalog.Generated(
            moments=moments,
            features=np.concatenate(kept),
            images=np.concatenate(images),
            probabilities=np.concatenate(probabilities),
            labels=np.concatenate(labels) if labels else np.zeros(0, np.int32),
        )

    def _record(self, name: str, step: int, generated: catalog.Generated, result: catalog.Result) -> protocol.Protocol:
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
