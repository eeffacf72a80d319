"""A split as a table whose rows are addressed by number: pixels in memory, or, of image files too many for that, their paths.

Either way every image is decoded once, so that whatever is wrong with the files is known by name before training starts. The result is kept in
`<data_dir>/.decoded`, keyed by what it was made from, where that folder may be written to; what is in it can be deleted at any time.
"""

import dataclasses
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from absl import logging

from pipelines import readers

_BLOCK = 256  # rows that leave tf.data together
_PROGRESS_SECONDS = 20.0
_READABLE, _SKIPPED = "readable examples", "skipped examples"  # beside the columns, with names that no key has


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """The readable examples of a split, in the reader's order."""

    columns: dict[str, tf.Tensor]
    """Rows as `Layout.row` gives them, [n, ...]; without the images where there are `files`."""
    files: tf.Tensor
    """Paths [n] of the images that are not held in memory; [0] where they are."""
    skipped: tuple[str, ...]
    """The examples left out, by name, and why."""

    @property
    def count(self) -> int:
        return int(next(iter(self.columns.values()), self.files).shape[0])


def load(reader: readers.Reader, split: str, layout: readers.Layout, *, on_error: str, cache_dir: str, in_memory: bool = True) -> Table:
    """Reads all of `split`. ValueError: what is no image (unless `on_error` is `skip`), sizes that differ, nothing readable."""
    key = _key(reader, split, layout, on_error, in_memory)
    path = os.path.join(cache_dir, ".decoded", f"{key}.npz")
    arrays = _read(path)
    if arrays is None:
        started = time.monotonic()
        arrays = _load(reader, split, layout, ON_ERROR[on_error], in_memory)
        seconds = time.monotonic() - started
        logging.info("Read %d examples of %s, split %s, in %.1f s.", len(arrays[_READABLE]), reader.name, split, seconds)
        if _may_keep(cache_dir):
            _write(path, arrays)
    skipped = tuple(str(name) for name in arrays.pop(_SKIPPED))
    readable = arrays.pop(_READABLE)
    if skipped:
        some = "; ".join(skipped[:5])
        logging.warning("Left out %d of %d examples of %s, split %s: %s", len(skipped), reader.count(split), reader.name, split, some)
    with tf.device("CPU:0"):
        files = [] if in_memory else [file for file, good in zip(reader.files(split), _mask(readable, reader.count(split)), strict=True) if good]
        return Table(columns={key: tf.constant(a) for key, a in arrays.items()}, files=tf.constant(files, tf.string), skipped=skipped)


def attempts(dataset: tf.data.Dataset, count: int) -> Iterator[tuple[int, dict[str, tf.Tensor] | tf.errors.OpError]]:
    """Yields (index, example, or the error in its place) for the elements of an unbatched dataset."""
    iterator = iter(dataset)
    for index in range(count):
        try:
            yield index, next(iterator)
        except StopIteration:
            return
        except tf.errors.OpError as error:
            yield index, error


def reason(error: tf.errors.OpError) -> str:
    """The first line of TensorFlow's message, without the names of nodes and iterators."""
    text = re.sub(r"\{\{[^}]*\}\}|\[Op:.*|.*Iterator::\S+: ", "", error.message).strip().splitlines()
    return text[0].strip().rstrip(".") + "." if text else f"{type(error).__name__}."


def _raise(name: str, why: str) -> None:
    raise ValueError(f"{name} cannot be read: {why} Remove it, or leave such examples out with --experiment.data.on_error=skip.")


ON_ERROR: dict[str, Callable[[str, str], None]] = {"raise": _raise, "skip": lambda name, why: None}
"""Name of a policy -> what is done with (the name of an example, why it cannot be read)."""


def _load(reader, split, layout, report, in_memory) -> dict[str, np.ndarray]:
    """The columns, the numbers of the readable examples, and what was skipped."""
    count = reader.count(split)
    if in_memory:
        try:
            return _load_blocks(reader.records(split, list(layout.columns)), layout, count)
        except tf.errors.OpError:
            pass  # something is wrong: once more, slowly, to say what
    return _load_singly(reader, split, layout, report, in_memory)


def _load_blocks(records: tf.data.Dataset, layout: readers.Layout, count: int) -> dict[str, np.ndarray]:
    columns = _empty(layout, count)
    rows = records.map(layout.equal_rows, num_parallel_calls=tf.data.AUTOTUNE).take(count).batch(_BLOCK).prefetch(2)
    filled = 0
    for block in rows.as_numpy_iterator():
        n = len(next(iter(block.values())))
        for key, values in block.items():
            columns[key][filled : filled + n] = values
        filled += n
    if filled != count:
        raise tf.errors.DataLossError(None, None, f"{filled} of {count} examples")
    return columns | {_READABLE: np.arange(count), _SKIPPED: np.asarray([], str)}


def _load_singly(reader, split, layout, report, in_memory) -> dict[str, np.ndarray]:
    keys, count = list(layout.columns), reader.count(split)
    kept = {key: column for key, column in layout.columns.items() if in_memory or column.kind != "image"}
    columns = _empty(dataclasses.replace(layout, columns=kept), count)
    readable, skipped, first, reported = [], [], None, time.monotonic()
    rows = reader.records(split, keys).map(layout.row, num_parallel_calls=tf.data.AUTOTUNE).prefetch(16)
    for index, row in attempts(rows, count):
        if time.monotonic() - reported > _PROGRESS_SECONDS:
            reported = time.monotonic()
            logging.info("Reading %s, split %s: %d of %d examples.", reader.name, split, index, count)
        if isinstance(row, tf.errors.OpError):
            name = reader.locate(split, index)
            report(repr(name), reason(row))
            skipped.append(f"{name}: {reason(row)}")
            continue
        wrong = next((key for key in keys if tuple(row[key].shape) != layout.columns[key].shape), None)
        if wrong:
            other = f"{reader.locate(split, first)!r} has" if first is not None else "others have"
            raise ValueError(different_sizes(reader.locate(split, index), tuple(row[wrong].shape), other, layout.columns[wrong].shape))
        first = index if first is None else first
        for key, column in columns.items():
            column[len(readable)] = row[key].numpy()
        readable.append(index)
    missing = count - len(readable) - len(skipped)
    if missing:
        report(f"{missing} of the {count} examples of {reader.name!r}, split {split!r},", "the files hold fewer than they state, or are damaged.")
        skipped.append(f"{missing} examples: missing")
    if not readable:
        raise ValueError(f"None of the {count} examples of {reader.name!r}, split {split!r}, can be read. The first: {skipped[0]}")
    return {key: column[: len(readable)] for key, column in columns.items()} | {_READABLE: np.asarray(readable), _SKIPPED: np.asarray(skipped, str)}


def different_sizes(name: str, shape: tuple[int, ...], other: str, other_shape: tuple[int, ...]) -> str:
    """The error about two stored sizes."""
    return (
        f"Images differ in size: {name!r} has {shape}, {other} {other_shape} (height, width, channels). "
        "Give the size that training shall see, for example --experiment.data.image_size=64,64, and choose data.resize "
        f"({', '.join(readers.RESIZES)})."
    )


def _empty(layout: readers.Layout, count: int) -> dict[str, np.ndarray]:
    return {key: np.empty((count, *c.shape), readers.KINDS[c.kind].as_numpy_dtype) for key, c in layout.columns.items()}


def _mask(readable: np.ndarray, count: int) -> np.ndarray:
    mask = np.zeros(count, bool)
    mask[readable] = True
    return mask


def _key(reader, split, layout, on_error, in_memory) -> str:
    parts = (reader.name, reader.stamp(split), sorted(layout.columns.items()), layout.size, layout.resize, on_error, in_memory)
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()
    return f"{re.sub('[^a-zA-Z0-9_]+', '_', reader.name)[-40:]}-{digest}"


def _read(path: str) -> dict[str, np.ndarray] | None:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except FileNotFoundError:
        return None
    except Exception as error:  # numpy and zipfile have many errors for a damaged file; it can be made again
        logging.warning("The decoded copy %s cannot be used and is made again: %s", path, error)
        return None


def _may_keep(cache_dir: str) -> bool:
    """Not in a folder that nobody may write to (the administrator could all the same), nor inside a prepared dataset."""
    if not os.path.isdir(cache_dir):
        return cache_dir != "" and "://" not in cache_dir
    return bool(os.stat(cache_dir).st_mode & 0o222) and not os.path.exists(os.path.join(cache_dir, "dataset_info.json"))


def _write(path: str, arrays: dict[str, np.ndarray]) -> None:
    """Whole or not at all. A folder that cannot be written to only costs the next start its time."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), suffix=".tmp", delete=False) as file:
            try:
                np.savez(file, **arrays)
            except BaseException:
                os.remove(file.name)
                raise
        os.replace(file.name, path)
        logging.info("Keeping the decoded examples in %s.", path)
    except OSError as error:
        logging.info("Not keeping the decoded examples: %s", error)
