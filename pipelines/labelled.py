"""The few labelled examples of semi-supervised learning: which they are, and the batch keys under which they come beside the others."""

import dataclasses

import numpy as np

from pipelines import readers, spec

KEYS = {"labelled_image": "image", "labelled_label": "label"}
"""Batch key -> the column that it holds, of a labelled example."""


def described(data_spec: spec.DataSpec, config: spec.DatasetConfig) -> spec.DataSpec:
    """The DataSpec with the labelled keys, where the config asks for them. ValueError: a dataset without labels."""
    if not config.labelled_per_class:
        return data_spec
    if "label" not in data_spec.features:
        raise ValueError(
            f"data.labelled_per_class={config.labelled_per_class} needs labels, which {config.source!r} does not have. It has: "
            f"{', '.join(sorted(data_spec.features))}. Choose a labelled dataset, or data.labelled_per_class=0."
        )
    return dataclasses.replace(data_spec, features=data_spec.features | {key: data_spec.features[column] for key, column in KEYS.items()})


def choose(labels: np.ndarray, column: readers.Column, *, per_class: int, seed: int, who: str) -> np.ndarray:
    """Rows [classes * per_class] of the training split whose labels [n] are used: `per_class` of each class, by the seed alone, in stored order.

    ValueError: a class with fewer examples.
    """
    shuffled = np.random.RandomState(seed % 2**32).permutation(len(labels))
    rows = []
    for label in range(int(column.high) + 1):
        found = shuffled[labels[shuffled] == label][:per_class]
        if len(found) < per_class:
            name = f" ({column.names[label]!r})" if label < len(column.names) else ""
            raise ValueError(
                f"data.labelled_per_class={per_class} is more than the {len(found)} examples of class {label}{name} in {who}. Lower it, or use more "
                "data."
            )
        rows.append(found)
    return np.sort(np.concatenate(rows))


def layout(stored: readers.Layout) -> readers.Layout:
    """The layout of batches that also hold labelled examples."""
    return dataclasses.replace(stored, columns=stored.columns | {key: stored.columns[column] for key, column in KEYS.items()})
