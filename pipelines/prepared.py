"""The reader of TensorFlow Datasets: anything prepared in TFDS' form, and what prepares it.

What is prepared is read from its folder, without the builder's code and without a network.
"""

import contextlib
import hashlib
import json
import logging
import os
import re
import socket
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from pipelines import readers

MASK_KEYS = ("mask",)
"""Images under these keys are black and white."""
MULTI_HOT_KEYS = ("attributes",)
"""Integer vectors under these keys are numbers in [0, 1]."""

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_HOST = ("storage.googleapis.com", 443)
_PROBE_SECONDS = 4.0


class Tfds(readers.Reader):
    """`<name>`, `<name>/<config>`, `<name>:<version>`: a dataset of TFDS. Prepared in `data_dir` if it is not yet.

    Batch keys: `image` (TFDS' own, or the only image there is), `label` (TFDS' own, or the supervised target if it is a class label), further
    images, `attributes` (a group of booleans of that name too, as in celeb_a), numbers and integers of fixed shape.
    """

    def __init__(self, name: str, data_dir: str):
        import tensorflow_datasets as tfds

        self.name = name
        self._directory = self._prepare(name, data_dir)
        self._builder = tfds.builder_from_directory(self._directory)
        self.columns, self._stored = _columns(self._builder.info, name)

    def _prepare(self, name: str, data_dir: str) -> str:
        return find(name, data_dir) or download(name, data_dir)

    def count(self, split):
        return self._split(split).num_examples

    def records(self, split, keys, *, shard=(0, 1), shuffle_seed=-1):
        import tensorflow_datasets as tfds

        self._split(split)
        shuffle = shuffle_seed >= 0
        config = tfds.ReadConfig(
            shuffle_seed=shuffle_seed if shuffle else None,
            interleave_cycle_length=16 if shuffle else 1,
            try_autocache=False,
            enable_ordering_guard=not shuffle,  # a dataset in an order of its own may be shuffled all the same
        )
        images = {self._stored[key]: tfds.decode.SkipDecoding() for key in keys if self._encoded(key)}
        decoders = tfds.decode.PartialDecoding({self._stored[key]: True for key in keys}, decoders=images)
        part = tfds.even_splits(split, shard[1])[shard[0]] if shard[1] > 1 else split
        with _quiet():
            dataset = self._builder.as_dataset(split=part, decoders=decoders, read_config=config, shuffle_files=shuffle)
        return dataset.map(lambda x: {key: _plain(x[self._stored[key]]) for key in keys}, num_parallel_calls=tf.data.AUTOTUNE)

    def stamp(self, split):
        self._split(split)
        digest = hashlib.blake2b(digest_size=16)
        for file in sorted(tf.io.gfile.listdir(self._directory)):
            path = os.path.join(self._directory, file)
            if file.endswith((".json", ".txt")):
                digest.update(tf.io.gfile.GFile(path, "rb").read())
            elif ".tfrecord" in file:
                digest.update(f"{file} {tf.io.gfile.stat(path).length}\n".encode())
        return f"{digest.hexdigest()} {split}"

    def _encoded(self, key: str) -> bool:
        import tensorflow_datasets as tfds

        return isinstance(self._builder.info.features[self._stored[key]], tfds.features.Image)

    def _split(self, split: str):
        try:
            found = self._builder.info.splits[split]
        except (ValueError, KeyError) as error:
            there = ", ".join(self._builder.info.splits)
            raise readers.NoSuchSplit(f"{self.name!r} has no split {split!r}. It has: {there}. A part of a split is written train[:90%].") from error
        if not found.num_examples:
            raise ValueError(f"The split {split!r} of {self.name!r} is empty.")
        return found


class CaptionedShapes(Tfds):
    """`captioned_shapes/<config>`: the built-in dataset, rendered into `data_dir` on its first use."""

    def _prepare(self, name: str, data_dir: str) -> str:
        from pipelines import captioned_shapes

        self.class_groups = captioned_shapes.CLASS_GROUPS
        try:
            if tf.io.gfile.exists(os.path.join(os.path.expanduser(data_dir), "dataset_info.json")):
                return find(name, data_dir)
            return captioned_shapes.prepare(data_dir, name.partition("/")[2])
        except OSError as error:
            raise ValueError(f"{name!r} could not be written to data_dir {data_dir!r}: {error}. Choose a folder that can be written to.") from error


def find(name: str, data_dir: str) -> str:
    """The folder of the newest prepared version: `data_dir` itself if it is one, else `data_dir/<name>/<version>`; empty if there is none.

    A ValueError where `data_dir` is another dataset's folder, or where only configs of `name` are prepared and none was chosen.
    """
    plain, _, version = name.partition(":")
    root = os.path.expanduser(data_dir)
    information = os.path.join(root, "dataset_info.json")
    if tf.io.gfile.exists(information):
        there = json.loads(tf.io.gfile.GFile(information).read())
        full = "/".join(part for part in (there.get("name"), there.get("configName")) if part)
        if plain not in (full, there.get("name")) or version not in ("", there.get("version")):
            raise ValueError(f"data_dir {data_dir!r} holds {full}:{there.get('version')}, not {name}. Give the folder that {name} was prepared in.")
        return root
    base = os.path.join(root, *plain.split("/"))
    folders = [f.rstrip("/") for f in tf.io.gfile.listdir(base)] if tf.io.gfile.isdir(base) else []
    versions = [f for f in folders if _is_version(base, f) and version in ("", f)]
    if versions:
        return os.path.join(base, max(versions, key=lambda v: tuple(int(n) for n in v.split("."))))
    configs = sorted(f for f in folders if any(_is_version(os.path.join(base, f), v.rstrip("/")) for v in _folders(os.path.join(base, f))))
    if configs and "/" not in plain:
        raise ValueError(f"{plain!r} has prepared configs in {base!r}; choose one: {', '.join(f'{plain}/{c}' for c in configs)}.")
    return ""


def _folders(path: str) -> list[str]:
    return tf.io.gfile.listdir(path) if tf.io.gfile.isdir(path) else []


def _is_version(base: str, folder: str) -> bool:
    return bool(_VERSION.fullmatch(folder)) and tf.io.gfile.exists(os.path.join(base, folder, "dataset_info.json"))


def download(name: str, data_dir: str) -> str:
    """Prepares `name` with TFDS and returns its folder. Without a network: a ValueError within seconds (TFDS itself would try for minutes)."""
    import tensorflow_datasets as tfds

    if not reachable():
        plain, place = re.split("[/:]", name)[0], os.path.join(data_dir, name.partition(":")[0], "<version>")
        raise ValueError(
            f"{name!r} is not prepared in data_dir {data_dir!r} (looked for {place}) and there is no network to download it. On a machine with a "
            f"network run `tfgan-data prepare {name} --data_dir=<dir>`, copy <dir>/{plain} here and pass --data_dir=<dir>; or use a source that "
            "needs none: captioned_shapes/studio, folder:<dir>, idx:<dir>, tfrecord:<glob>."
        )
    try:
        builder = tfds.builder(name, data_dir=data_dir)
        builder.download_and_prepare()
    except Exception as error:  # TFDS raises its own, assertions for data to be fetched by hand, and whatever the builder's code does
        raise ValueError(f"TFDS could not prepare {name!r} in {data_dir!r}: {type(error).__name__}: {error}") from error
    return str(builder.data_dir)


def reachable() -> bool:
    """Whether the host of TFDS' files, or the proxy in front of it, accepts a connection within seconds."""
    proxy = urllib.parse.urlsplit(urllib.request.getproxies().get("https", ""))
    address = (proxy.hostname, proxy.port or 80) if proxy.hostname else _HOST
    connected = threading.Event()

    def connect():
        try:
            socket.create_connection(address, timeout=_PROBE_SECONDS).close()
            connected.set()
        except OSError:
            pass

    # In a thread, as looking up a name has no timeout of its own.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(_PROBE_SECONDS + 1.0)
    return connected.is_set()


def _columns(info, name: str) -> tuple[dict[str, readers.Column], dict[str, str]]:
    """The batch keys of a TFDS dataset, and the name under which each is stored."""
    stored = {key: key for key in info.features}
    columns = {key: column for key, feature in sorted(info.features.items()) if (column := _column(key, feature))}
    images = [key for key, column in columns.items() if column.kind == "image"]
    if "image" not in columns:
        if len(images) != 1:
            raise ValueError(f"{name!r} has no feature 'image' and {len(images)} others that are images. It has: {', '.join(info.features)}.")
        columns["image"], stored["image"] = columns.pop(images[0]), images[0]
    target = info.supervised_keys[1] if info.supervised_keys and isinstance(info.supervised_keys[1], str) else ""
    if "label" not in columns and target in columns and columns[target].names:
        columns["label"], stored["label"] = columns.pop(target), target
    if "label" in columns and not (columns["label"].kind == "integer" and columns["label"].names):
        del columns["label"]  # a number, or an integer of unknown range: no classes
    return columns, stored


def _column(key: str, feature) -> readers.Column | None:
    """None for what has no fixed shape and for kinds of TFDS that are no tensor."""
    import tensorflow_datasets as tfds

    if isinstance(feature, tfds.features.Image):
        return readers.Column(kind="mask" if key in MASK_KEYS else "image", shape=feature.shape) if feature.np_dtype == np.uint8 else None
    if isinstance(feature, tfds.features.ClassLabel):
        return readers.Column(kind="integer", high=float(feature.num_classes - 1), names=tuple(feature.names)) if feature.num_classes else None
    if isinstance(feature, tfds.features.FeaturesDict):
        flags = [np.dtype(f.np_dtype) == np.bool_ and f.shape == () for f in feature.values() if isinstance(f, tfds.features.Tensor)]
        return readers.Column(kind="number", shape=(len(feature),), high=1.0) if flags and all(flags) and len(flags) == len(feature) else None
    if isinstance(feature, tfds.features.Sequence):
        feature = feature.feature
        return readers.Column(kind="text") if isinstance(feature, tfds.features.Text) else None
    if isinstance(feature, tfds.features.Text):
        return readers.Column(kind="text")
    return _tensor(key, np.dtype(feature.np_dtype), tuple(feature.shape)) if isinstance(feature, tfds.features.Tensor) else None


def _tensor(key: str, dtype: np.dtype, shape: tuple[int | None, ...]) -> readers.Column | None:
    if dtype == np.uint8 and key == "image" and len(shape) == 3:
        return readers.Column(kind="image", shape=shape)
    if None in shape or dtype.kind not in "biuf":
        return readers.Column(kind="text") if dtype.kind in "OSU" else None
    if dtype.kind == "b" or key in MULTI_HOT_KEYS:
        return readers.Column(kind="number", shape=shape, high=1.0)
    limits = np.finfo(np.float32) if dtype.kind == "f" else np.iinfo(np.int32)
    return readers.Column(kind="number" if dtype.kind == "f" else "integer", shape=shape, low=float(limits.min), high=float(limits.max))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Drops what TFDS says of its own use of a property of its own, and of the shuffling that was asked for."""
    logger = logging.getLogger("absl")

    def keep(record: logging.LogRecord) -> bool:
        return not any(text in record.getMessage() for text in ("is deprecated", "is an ordered dataset"))

    logger.addFilter(keep)
    try:
        yield
    finally:
        logger.removeFilter(keep)


def _plain(value) -> tf.Tensor:
    """A group of booleans as one vector, in the order of the names TFDS gives."""
    return tf.stack([tf.cast(flag, tf.float32) for flag in value.values()]) if isinstance(value, dict) else value
