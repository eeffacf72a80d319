"""Statistics of the real images that generated ones are compared with, computed once per dataset, split, extractor, resizer and count."""

import dataclasses
import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from tfgan_suite.metrics import cache, examples, extractor, frechet

_VERSION = 2  # part of the cache's key: raise it when the statistics change


@dataclasses.dataclass(kw_only=True)
class Reference:
    """Real features by one extractor."""

    data: str
    split: str
    extractor: str
    weights: str
    resizer: str
    """Fingerprint of the data, its split, and which extractor: name, hash, resizer."""
    spec: Any
    """What the data are, as in `examples.Data`."""
    moments: frechet.Moments
    features: np.ndarray
    """[n, f] float32, or [0, f] where only moments were kept."""
    labels: np.ndarray
    """[n] int32, or [0] without labels."""
    images: np.ndarray
    """uint8 [n, h, w, c], or [0, h, w, c] where they were not kept."""
    classes: np.ndarray
    """Mean probability of each class that the extractor knows, float64 [k]."""

    @property
    def count(self) -> int:
        """Real images."""
        return self.moments.count


def build(
    judge: extractor.Extractor,
    data: examples.Data,
    *,
    cache_dir: str | os.PathLike,
    split: str,
    limit: int = -1,
    keep_features: bool = True,
    keep_images: bool = False,
) -> Reference:
    """The reference of a split, from the cache where it is there and whole.

    limit: as many images, drawn once and for all; -1 or more than there are: all of them.
    keep_features: also keep every feature row, which all metrics but `fid`, `is` and `agreement` need; without, memory does not grow with the count.
    keep_images: also keep the images, which `ms_ssim` and `sliced_wasserstein` need. Vectors are never kept as images.
    """
    if limit < -1 or limit in (0, 1):
        raise ValueError(f"A reference needs at least 2 images, or -1 for all. Received: {limit}.")
    key = cache.key("reference", _VERSION, data.fingerprint, split, judge.name, judge.fingerprint, judge.resizer, limit, keep_features, keep_images)
    path = pathlib.Path(cache_dir) / f"reference-{key}.npz"
    found = cache.read(path)
    if found is None:
        moments, kept = _measure(judge, examples.of(data, split, limit), keep_features, keep_images and not data.spec.is_vector)
        cache.write(path, kept | {"mean": moments.mean, "covariance": moments.covariance}, {"count": moments.count, "data": data.fingerprint})
    else:
        kept, meta = found
        moments = frechet.Moments.restored(meta["count"], kept.pop("mean"), kept.pop("covariance"))
    which = {"data": data.fingerprint, "split": split, "extractor": judge.name, "weights": judge.fingerprint, "resizer": judge.resizer}
    return Reference(**which, spec=data.spec, moments=moments, **kept)


def _measure(
    judge: extractor.Extractor, batches: Iterable[dict[str, np.ndarray]], keep_features: bool, keep_images: bool
) -> tuple[frechet.Moments, dict[str, np.ndarray]]:
    moments, kept, images, classes, labels = frechet.Moments(), [], [], 0.0, [np.zeros(0, np.int32)]
    for batch in batches:
        found = judge(batch["image"])
        moments.update(found["features"])
        kept.append(found["features"] if keep_features else found["features"][:0])
        images.append(extractor.quantise(batch["image"] if keep_images else batch["image"][:0]))
        classes += found["probabilities"].sum(0)
        if "label" in batch:
            labels.append(np.asarray(batch["label"], np.int32))
    arrays = {"features": np.concatenate(kept), "labels": np.concatenate(labels), "images": np.concatenate(images)}
    return moments, arrays | {"classes": classes / moments.count}
