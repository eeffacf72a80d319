"""`build(config)` -> `Data`: a dataset that is ready to train on, judged before the first step."""

import dataclasses
import hashlib
import math
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf
from absl import logging

from pipelines import augment, batching, catalog, labelled, loading, readers, spec

_PROBED = 64  # examples looked at where a source does not state the size of its images


def build(config: spec.DatasetConfig, data_dir: str, *, keys: Sequence[str], seed: int) -> "Data":
    """Opens `config.source`, preparing it in `data_dir` where TFDS or the built-in dataset needs that, and reads what fits into memory.

    keys: the batch keys to deliver; `image` always is one. seed: of the order and of the augmentations.
    ValueError: whatever is wrong with the config, the files or the labels, in words, with the remedy.
    """
    reader, columns, data_spec = _open(config, data_dir)
    keys = ["image", *(key for key in dict.fromkeys(keys) if key != "image")]
    for key in keys:
        if key in reader.columns and reader.columns[key].kind == "text":
            there = ", ".join(sorted(data_spec.features))
            raise ValueError(f"The key {key!r} of {config.source!r} is text, which this pipeline does not deliver. It delivers: {there}.")
    data_spec.require(keys, "This experiment")
    _check_vectors(config, data_spec)
    augment.check(config.augmentations, data_spec.image_shape)
    moved = [type(a).__name__ for a in config.augmentations if a.moves_pixels]
    others = [key for key in keys if key != "image" and key not in labelled.KEYS and columns[key].kind in ("image", "mask")]
    if moved and others:
        raise ValueError(f"{moved[0]} would move the pixels of 'image' but not those of {others[0]!r}. Take it out of data.augmentations.")
    stored = dict.fromkeys(labelled.KEYS.get(key, key) for key in keys)
    layout = readers.Layout(columns={key: columns[key] for key in stored}, size=tuple(config.image_size), resize=config.resize)
    return Data(config=config, data_dir=data_dir, reader=reader, layout=layout, data_spec=data_spec, keys=tuple(keys), seed=seed)


def describe(config: spec.DatasetConfig, data_dir: str) -> spec.DataSpec:
    """What the dataset is, as far as its files say without being read whole."""
    return _open(config, data_dir)[2]


class Data:
    """Training batches, examples in order, and what is known of both."""

    def __init__(
        self, *, config: spec.DatasetConfig, data_dir: str, reader: readers.Reader, layout: readers.Layout, data_spec: spec.DataSpec,
        keys: tuple[str, ...], seed: int,
    ):  # fmt: skip
        self._config, self._data_dir, self._reader, self._layout, self._keys, self._seed = config, data_dir, reader, layout, keys, seed % 2**63
        self._splits = {"train": config.split} | ({"test": config.test_split} if data_spec.test_size else {})
        self._tables: dict[str, loading.Table | None] = {}
        table = self._table("train")
        self.addressed = table is not None
        """Whether `batches` starts at any position. If not, its iterator has to be checkpointed."""
        self.skipped = len(table.skipped) if table else 0
        """Unreadable examples left out of the training split (`on_error=skip`). A streamed source logs them when it meets them and counts none."""
        rows = tuple(self._labelled_rows(table)) if set(keys) & set(labelled.KEYS) else ()
        self.spec = dataclasses.replace(data_spec, size=table.count if table else data_spec.size, labelled=rows)
        self.fingerprint = self._fingerprint()
        """Changes with the stored examples of either split, and with what is done to them before training sees them."""
        self.dictionary = reader.dictionary
        """Vectors of all words [v, d], where the images are word vectors; else None."""

    def batches(self, *, start: int, batch_size: int, shard: tuple[int, int] = (0, 1)) -> tf.data.Dataset:
        """Endless shuffled, augmented batches `{key: [b / n, ...]}` for host i of n, `shard=(i, n)`; together the n hosts get global batches of b.

        start: global index of the first example, counted since the run began. A source that is not `addressed` starts at 0 only.
        """
        i, n = shard
        if batch_size < 1 or not 0 <= i < n or batch_size % n:
            raise ValueError(f"The batch size must be a positive multiple of the number of hosts. Received: batch_size={batch_size}, shard={shard}.")
        common = {"seed": self._seed, "batch_size": batch_size, "shard": shard, "augmentations": self._config.augmentations}
        table = self._table("train")
        if table is not None:
            return batching.addressed(table, self._layout, keys=self._keys, labelled_rows=self.spec.labelled, start=start, **common)
        if start:
            raise ValueError(f"{self.spec.name!r} is streamed, so it starts at example 0 only: restore its iterator. Received: start={start}.")
        return batching.streamed(self._reader, self._config.split, self._layout, skip_errors=self._config.on_error == "skip", **common)

    def examples(self, split: str, *, batch_size: int, limit: int = -1) -> Iterator[dict[str, np.ndarray]]:
        """Batches of the split `train` or `test` in stored order, not augmented, the last one partial; of the first `limit` examples if >= 0."""
        if split not in self._splits:
            raise ValueError(
                f"{self.spec.name!r} has no split {split!r} to read: data.test_split={self._config.test_split!r} does not exist there. "
                "Hold a part out, for example with data.split=train[:90%] and data.test_split=train[90%:]."
            )
        table = self._table(split)
        if table is None:
            records = self._reader.records(self._splits[split], list(self._layout.columns))
            rows = records.map(self._layout.equal_rows, num_parallel_calls=tf.data.AUTOTUNE)
            rows = rows.ignore_errors(log_warning=True) if self._config.on_error == "skip" else rows
        elif table.files.shape[0]:
            rows = tf.data.Dataset.range(table.count)
            rows = rows.map(lambda i: batching.from_file(table, self._layout, i), num_parallel_calls=tf.data.AUTOTUNE)
        else:
            rows = tf.data.Dataset.from_tensor_slices(table.columns)
        return rows.take(limit).batch(batch_size).map(self._layout.batch).prefetch(2).as_numpy_iterator()

    def _table(self, split: str) -> loading.Table | None:
        """The rows of `train` or `test`, read when first asked for; None where they are streamed."""
        if split not in self._tables:
            self._tables[split] = self._load(self._splits[split])
        return self._tables[split]

    def _load(self, name: str) -> loading.Table | None:
        row_bytes = sum(math.prod(c.shape) * readers.KINDS[c.kind].size for c in self._layout.columns.values())
        in_memory = self._reader.count(name) * row_bytes <= self._config.memory_limit_mb * 2**20
        if not in_memory and not self._reader.files(name):
            if self._layout.size == (0, 0) and None in self._reader.columns["image"].shape:
                raise ValueError(
                    f"{self._reader.name!r} is too large for data.memory_limit_mb={self._config.memory_limit_mb}, so it is streamed, and does not "
                    "say what size its images have. Give the size that training shall see, for example --experiment.data.image_size=64,64."
                )
            return None
        table = loading.load(self._reader, name, self._layout, on_error=self._config.on_error, cache_dir=self._data_dir, in_memory=in_memory)
        if "label" in table.columns:
            check_labels(table.columns["label"].numpy(), self._layout.columns["label"], f"{self._reader.name!r}, split {name!r}")
        return table

    def _labelled_rows(self, table: loading.Table | None) -> list[int]:
        """The rows whose labels are used."""
        config, who = self._config, f"{self._reader.name!r}, split {self._config.split!r}"
        if table is None:
            raise ValueError(
                f"{who}, is streamed, so no labelled examples can be set aside: its labels are not known before training. Hold it in memory: "
                f"raise data.memory_limit_mb={config.memory_limit_mb}."
            )
        labels, column = table.columns["label"].numpy(), self._layout.columns["label"]
        return labelled.choose(labels, column, per_class=config.labelled_per_class, seed=config.labelled_seed, who=who).tolist()

    def _fingerprint(self) -> str:
        stamps = [self._reader.stamp(name) for name in self._splits.values()]
        parts = (stamps, self._layout.size, self._layout.resize, self._layout.columns["image"].shape, self._config.on_error)
        return hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def check_labels(labels: np.ndarray, column: readers.Column, who: str) -> None:
    """ValueError for labels out of range, or all the same."""
    wrong = np.flatnonzero((labels < column.low) | (labels > column.high))
    if wrong.size:
        raise ValueError(
            f"{wrong.size} of {labels.size} labels of {who} lie outside of {int(column.low)} to {int(column.high)}; the first is "
            f"{labels[wrong[0]]}, of example {wrong[0]}. Correct the labels, or the stated number of classes."
        )
    if labels.size > 1 and (labels == labels[0]).all():
        remedy = "Give two classes or more, or train without labels."
        raise ValueError(f"All {labels.size} labels of {who} are {labels[0]}: nothing can be learned from them. {remedy}")
    absent = sorted(set(range(int(column.low), int(column.high) + 1)) - set(np.unique(labels).tolist()))
    if absent:
        logging.warning("%d of %d classes have no example in %s: %s", len(absent), int(column.high) + 1, who, absent[:10])


def _open(config: spec.DatasetConfig, data_dir: str) -> tuple[readers.Reader, dict[str, readers.Column], spec.DataSpec]:
    """The reader, its columns with complete shapes, and the DataSpec."""
    _check(config)
    reader = catalog.open_source(config.source, data_dir)
    count = reader.count(config.split)
    columns = _complete(reader, config)
    label = columns.get("label")
    if label is not None and (label.kind != "integer" or label.shape != ()):
        raise ValueError(f"A label must be one integer per example. {config.source!r} has labels of kind {label.kind} and shape {label.shape}.")
    try:
        test_size = reader.count(config.test_split)
    except readers.NoSuchSplit as error:
        if config.test_split != spec.DatasetConfig.test_split:
            raise
        logging.warning("No held-out examples: %s", error)
        test_size = 0
    data_spec = spec.DataSpec(
        name=config.source,
        features={key: column.feature() for key, column in columns.items()},
        num_classes=int(label.high) + 1 if label else 0,
        class_names=label.names if label else (),
        class_groups=dict(reader.class_groups),
        size=count,
        test_size=test_size,
        mixture=reader.mixture,
    )
    return reader, columns, labelled.described(data_spec, config)


def _check_vectors(config: spec.DatasetConfig, data_spec: spec.DataSpec) -> None:
    """Vectors have no pixels that could be resized or augmented."""
    for name in ("image_size", "augmentations"):
        if data_spec.is_vector and any(getattr(config, name)):
            raise ValueError(f"{config.source!r} holds vectors, no pictures: data.{name} must be left as it is. Received: {getattr(config, name)}.")


def _check(config: spec.DatasetConfig) -> None:
    """What can be judged without the data."""
    for name, table in (("resize", readers.RESIZES), ("on_error", loading.ON_ERROR)):
        if getattr(config, name) not in table:
            raise ValueError(f"data.{name} must be one of {', '.join(table)}. Received: {getattr(config, name)!r}.")
    size = tuple(config.image_size)
    if len(size) != 2 or min(size) < 0 or (min(size) == 0) != (max(size) == 0):
        raise ValueError(f"data.image_size is (height, width) in pixels, or (0, 0) for the stored size. Received: {config.image_size!r}.")
    if config.memory_limit_mb < 0:
        raise ValueError(f"data.memory_limit_mb must not be negative; 0 holds nothing in memory. Received: {config.memory_limit_mb}.")


def _complete(reader: readers.Reader, config: spec.DatasetConfig) -> dict[str, readers.Column]:
    """All columns but texts, images with the shape that training sees."""
    size = tuple(config.image_size)
    columns = {}
    for key, column in reader.columns.items():
        if column.kind in ("image", "mask"):
            stored = column.shape
            unknown = stored[-1] is None or (size == (0, 0) and None in stored)
            h, w, c = _probe(reader, config, key) if unknown else stored
            column = dataclasses.replace(column, shape=(*((h, w) if size == (0, 0) else size), c))
        if column.kind != "text":
            columns[key] = column
    return dict(sorted(columns.items(), key=lambda item: ("image", "label", item[0]).index(item[0])))


def _probe(reader: readers.Reader, config: spec.DatasetConfig, key: str) -> tuple[int, int, int]:
    """Height, width and channels by a look at the first examples: where channels differ, 3 if any is in color, else 1."""
    records = reader.records(config.split, [key]).map(lambda record: readers.decode(record[key]), num_parallel_calls=tf.data.AUTOTUNE)
    shapes, why = {}, ""
    for index, image in loading.attempts(records, min(_PROBED, reader.count(config.split))):
        if isinstance(image, tf.errors.OpError):
            why = why or f"{reader.locate(config.split, index)}: {loading.reason(image)}"
        else:
            shapes[index] = tuple(image.shape)
    if not shapes:
        raise ValueError(f"None of the first {_PROBED} examples of {reader.name!r} is a readable image. The first: {why}")
    first, shape = next(iter(shapes.items()))
    other = next((i for i, s in shapes.items() if s[:2] != shape[:2]), None)
    if other is not None and tuple(config.image_size) == (0, 0):
        here, there = reader.locate(config.split, other), reader.locate(config.split, first)
        raise ValueError(loading.different_sizes(here, shapes[other], f"{there!r} has", shape))
    channels = {s[2] for s in shapes.values()}
    return *shape[:2], channels.pop() if len(channels) == 1 else (3 if max(channels) >= 3 else 1)
