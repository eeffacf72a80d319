"""A dry run over a whole dataset: counts, classes, values, duplicates, unreadable files, and a verdict in words."""

import collections
import dataclasses
import hashlib
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from pipelines import catalog, loading, readers, spec

_TOLERATED = 0.01  # of the examples may be duplicates or blank before that counts as wrong
_SHOWN = 5
_GRID = (8, 8)
_GRID_PIXELS = 64
_PLANE_PIXELS = 256


@dataclasses.dataclass(kw_only=True)
class Split:
    """What one split was found to hold."""

    stated: int
    readable: int = 0
    unreadable: list[str] = dataclasses.field(default_factory=list)
    sizes: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    labels: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    ranges: dict[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    """Key -> the smallest and the largest stored value (images: bytes)."""
    hashes: dict[bytes, str] = dataclasses.field(default_factory=dict)
    """Hash of an image -> the first example that has it."""
    duplicates: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    blank: list[str] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(kw_only=True)
class Report:
    """The splits that were read, what is wrong, and what is only worth knowing."""

    splits: dict[str, Split]
    class_names: tuple[str, ...]
    problems: list[str]
    notes: list[str]
    grid: np.ndarray
    """uint8 [h, w, c]: images of the training split, a row per class where there are 2 to 16 classes. Of vectors: where the first two numbers lie."""

    def text(self) -> str:
        """For a person to read."""
        lines = []
        for name, split in self.splits.items():
            counts = f"{len(split.duplicates)} duplicates, {len(split.blank)} of one color"
            lines.append(f"{name}: {split.readable} of {split.stated} examples readable, {counts}")
            lines.append("  sizes: " + ", ".join(f"{'x'.join(map(str, s))} ({n})" for s, n in split.sizes.most_common(_SHOWN)))
            lines += [f"  {key}: {low:g} to {high:g}" for key, (low, high) in sorted(split.ranges.items())]
            lines += [f"  label {k:>4} {self._class_name(k):<20} {n}" for k, n in sorted(split.labels.items())]
        lines += [f"note: {note}" for note in self.notes] + [f"WRONG: {problem}" for problem in self.problems]
        return "\n".join([*lines, "something is wrong" if self.problems else "nothing is wrong"])

    def _class_name(self, label: int) -> str:
        return self.class_names[label] if 0 <= label < len(self.class_names) else ""


def validate(config: spec.DatasetConfig, data_dir: str) -> Report:
    """Reads every example of both splits once. ValueError only where there is nothing to read at all."""
    reader = catalog.open_source(config.source, data_dir)
    label = reader.columns.get("label")
    names = label.names if label else ()
    image = reader.columns["image"]
    splits, pictures, vectors = {}, {}, []
    for split in dict.fromkeys((config.split, config.test_split)):
        try:
            splits[split] = Split(stated=reader.count(split))
        except readers.NoSuchSplit:
            if split != spec.DatasetConfig.test_split:
                raise
            continue
        for example in _examples(reader, split, splits[split]):
            if split == config.split and image.kind == "image":
                _keep(pictures, example, names)
            elif split == config.split:
                vectors.append(example["image"].ravel()[:2])
    problems, notes = _judge(reader, config, splits)
    grid = _grid(pictures, config) if image.kind == "image" else _plane(np.stack(vectors), image)
    return Report(splits=splits, class_names=names, problems=problems, notes=notes, grid=grid)


def _examples(reader: readers.Reader, split: str, found: Split) -> Iterator[dict[str, np.ndarray]]:
    """Yields the readable examples, images as stored, and writes down what they are in `found`."""
    kinds = {key: column.kind for key, column in reader.columns.items() if column.kind != "text"}
    records = reader.records(split, list(kinds)).map(
        lambda record: {key: readers.decode(value) if kinds[key] in ("image", "mask") else value for key, value in record.items()},
        num_parallel_calls=tf.data.AUTOTUNE,
    )
    for index, row in loading.attempts(records.prefetch(64), found.stated):
        name = reader.locate(split, index)
        if isinstance(row, tf.errors.OpError):
            found.unreadable.append(f"{name}: {loading.reason(row)}")
            continue
        example = {key: value.numpy() for key, value in row.items()}
        _note(found, name, example, kinds["image"] == "image")
        yield example
    missing = found.stated - found.readable - len(found.unreadable)
    if missing:
        found.unreadable.append(f"{missing} examples are missing from the files")


def _note(found: Split, name: str, example: dict[str, np.ndarray], picture: bool) -> None:
    image = example["image"]
    found.readable += 1
    found.sizes[image.shape] += 1
    digest = hashlib.blake2b(repr(image.shape).encode() + image.tobytes(), digest_size=16).digest()
    if digest in found.hashes:
        found.duplicates.append((name, found.hashes[digest]))
    found.hashes.setdefault(digest, name)
    for key, value in example.items():
        low, high = float(value.min()), float(value.max())
        before = found.ranges.get(key, (low, high))
        found.ranges[key] = min(low, before[0]), max(high, before[1])
    if picture and image.min() == image.max():
        found.blank.append(name)
    if "label" in example and example["label"].shape == ():
        found.labels[int(example["label"])] += 1


def _judge(reader: readers.Reader, config: spec.DatasetConfig, splits: dict[str, Split]) -> tuple[list[str], list[str]]:
    """What is wrong, and what is only worth knowing."""
    problems, notes = [], []
    for name, found in splits.items():
        if found.unreadable:
            problems.append(f"{name}: {len(found.unreadable)} unreadable: {_some(found.unreadable)}")
        if found.readable:
            pictures = _wrong_images(found, config) if reader.columns["image"].kind == "image" else ()
            problems += [f"{name}: {text}" for text in (*pictures, *_wrong_values(reader, found), *_wrong_labels(reader, found))]
        doubles = [f"{a} = {b}" for a, b in found.duplicates]
        for what, some in (("copies of an earlier one", doubles), ("of one color only", found.blank)):
            if some:
                (problems if len(some) > _TOLERATED * found.readable else notes).append(f"{name}: {len(some)} images are {what}: {_some(some)}")
    if len(splits) == 2:
        train, test = splits.values()
        shared = sorted(f"{test.hashes[h]} = {train.hashes[h]}" for h in test.hashes.keys() & train.hashes.keys())
        if shared:
            where = problems if len(shared) > _TOLERATED * test.readable else notes
            where.append(f"{len(shared)} images are in both splits: {_some(shared)}")
    else:
        notes.append(f"there is no held-out split {config.test_split!r}; a part can be held out with train[:90%] and train[90%:]")
    return problems, notes


def _wrong_images(found: Split, config: spec.DatasetConfig) -> Iterator[str]:
    sizes = {shape[:2] for shape in found.sizes}
    if len(sizes) > 1 and tuple(config.image_size) == (0, 0):
        yield f"images of {len(sizes)} sizes, and no image_size is given"
    channels = {shape[2] for shape in found.sizes}
    if len(channels) > 1:
        yield f"images with {' and '.join(map(str, sorted(channels)))} channels"
    low, high = found.ranges["image"]
    if low < high <= 1.0:
        yield "no pixel is brighter than 1 of 255: were the images stored in [0, 1]?"


def _wrong_values(reader: readers.Reader, found: Split) -> Iterator[str]:
    for key, (low, high) in found.ranges.items():
        column = reader.columns[key]
        if column.kind not in ("image", "mask") and key != "label" and not column.low <= low <= high <= column.high:
            yield f"{key} goes from {low:g} to {high:g}, its stated range is {column.low:g} to {column.high:g}"


def _wrong_labels(reader: readers.Reader, found: Split) -> Iterator[str]:
    label = reader.columns.get("label")
    if label is None:
        return
    if label.kind != "integer" or label.shape != ():
        yield f"a label must be one integer per example, these are of kind {label.kind} and shape {label.shape}"
        return
    outside = {k: n for k, n in found.labels.items() if not label.low <= k <= label.high}
    if outside:
        yield f"{sum(outside.values())} labels outside of {int(label.low)} to {int(label.high)}: {_some([str(k) for k in sorted(outside)])}"
    if len(found.labels) == 1 and found.readable > 1:
        yield f"all labels are {next(iter(found.labels))}"
    absent = [str(k) for k in range(int(label.high) + 1) if k not in found.labels]
    if absent:
        yield f"{len(absent)} classes without an example: {_some(absent)}"


def _some(texts: list[str]) -> str:
    return "; ".join(texts[:_SHOWN]) + (f"; and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else "")


def _keep(pictures: dict[int, list[np.ndarray]], example: dict[str, np.ndarray], names: tuple[str, ...]) -> None:
    """Keeps the first images for the grid: row -> images."""
    by_class = 2 <= len(names) <= 2 * _GRID[0]
    row = int(example["label"]) if by_class else sum(len(r) for r in pictures.values()) // _GRID[1]
    if 0 <= row < (len(names) if by_class else _GRID[0]) and len(pictures.setdefault(row, [])) < _GRID[1]:
        pictures[row].append(example["image"])


def _grid(pictures: dict[int, list[np.ndarray]], config: spec.DatasetConfig) -> np.ndarray:
    """All rows, as training would see them; where sizes differ and none is given, cropped and scaled to 64x64."""
    if not pictures:
        return np.zeros((1, 1, 1), np.uint8)
    shapes = {image.shape for row in pictures.values() for image in row}
    sizes = {shape[:2] for shape in shapes}
    size = tuple(config.image_size) if any(config.image_size) else (sizes.pop() if len(sizes) == 1 else (_GRID_PIXELS, _GRID_PIXELS))
    channels = max(shape[2] for shape in shapes)
    grid = np.zeros((max(pictures) + 1, _GRID[1], *size, channels), np.uint8)
    for i, row in pictures.items():
        for j, image in enumerate(row):
            grid[i, j] = readers.pixels(tf.constant(image), channels=channels, size=size, resize=config.resize).numpy()
    return grid.transpose(0, 2, 1, 3, 4).reshape(grid.shape[0] * size[0], _GRID[1] * size[1], channels)


def _plane(points: np.ndarray, column: readers.Column) -> np.ndarray:
    """Points [n, 2] as white dots on black, [256, 256, 1]: the second number upwards, either axis over the stated range."""
    sides = [np.linspace(column.low, column.high, _PLANE_PIXELS + 1)] * 2
    counts, _, _ = np.histogram2d(points[:, 1], points[:, 0], bins=sides)
    return (255 * (counts[::-1, :, None] > 0)).astype(np.uint8)
