"""Real images for judging: which of a split's examples are taken when not all are."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np

_BATCH = 500
_SCANNED = 10  # examples read for each one taken, at most: a bound on what a huge streamed dataset costs


class Data(Protocol):
    """What is read of a dataset; `pipelines.build.Data` is one."""

    spec: Any
    """`name`, `image_shape`, `num_classes`, `class_names`, `class_groups`, `size` and `test_size`, as in `pipelines.spec.DataSpec`."""
    fingerprint: str
    """Hash of what the examples are."""

    def examples(self, split: str, *, batch_size: int, limit: int = -1) -> Iterable[dict[str, np.ndarray]]:
        """`{"image": [b, h, w, c] float32 in [-1, 1], optional "label": [b]}` of the split `train` or `test`, in a fixed order."""


def of(data: Data, split: str, limit: int = -1) -> Iterator[dict[str, np.ndarray]]:
    """All examples of a split, or `limit` of them drawn once and for all, in batches of at most 500.

    The first ones would not do: stored examples are often sorted by class. Equal data give equal examples, whatever a run's seed.
    """
    size = data.spec.size if split == "train" else data.spec.test_size
    if size < 1:
        raise ValueError(f"The dataset {data.spec.name!r} has no split {split!r} to judge with. Use the other one of train and test.")
    everything = limit < 0 or limit >= size
    scanned = size if everything else min(size, _SCANNED * limit)
    taken = np.zeros(scanned, bool)
    if not everything:
        taken[np.random.RandomState(0).choice(scanned, limit, replace=False)] = True
    position = 0
    for batch in data.examples(split, batch_size=_BATCH, limit=-1 if everything else scanned):
        if data.spec.num_classes and "label" not in batch:
            raise ValueError(f"{data.spec.name!r} has labels, which judging uses, and its examples lack them: open it with the key 'label' too.")
        rows = slice(None) if everything else taken[position : position + len(batch["image"])]
        position += len(batch["image"])
        if everything or rows.any():
            yield {key: value[rows] for key, value in batch.items()}
