"""Readers of the user's own files: images in folders, MNIST's idx files, TFRecord files with a declared schema."""

import glob
import gzip
import hashlib
import json
import os
import re
import struct
import zlib

import numpy as np
import tensorflow as tf

from pipelines import in_memory, readers, tiny_imagenet

SPLIT_FOLDERS = ("train", "test", "val", "valid", "validation")


class Folder(readers.Reader):
    """`folder:<dir>`: every file in `dir` is an image; files and folders whose name starts with a dot are left out.

    - `dir/*.png`: images without labels.
    - `dir/<class>/**/*.png`: the label is the place of the first folder in the sorted list of class names.
    - `dir/train/...` and `dir/test/...` (all first folders among `SPLIT_FOLDERS`, `train` one of them): each is a split of one of the forms above.
    - Tiny ImageNet as it is unpacked: its splits `train` and `val`, with labels.

    Otherwise there is one split, `train`; hold a part out with `split=train[:90%]`, `test_split=train[90%:]`. The order is that of a hash of the
    path inside `dir`, so a slice is a fixed, random part of every class.
    """

    def __init__(self, path: str, data_dir: str):
        root = os.path.expanduser(path)
        self.name, self._root = f"folder:{path}", root
        if not os.path.isdir(root):
            raise ValueError(f"There is no folder {root!r}. Write the source as folder:<directory with images>.")
        listing = tiny_imagenet.listing(root) or _listing(root)
        empty = [os.path.join(root, split) for split, found in listing.items() if not found]
        if empty:
            raise ValueError(f"{empty[0]!r} holds no files. A folder source needs images in it, or in one folder per class.")
        names = sorted({name for found in listing.values() for name in found.values()} - {""})
        stray = next((os.path.join(root, s, file) for s, found in listing.items() for file, name in found.items() if names and not name), "")
        if stray:
            raise ValueError(f"{stray!r} lies beside the class folders {', '.join(names[:5])}: put every image into a class folder, or none.")
        ordered = {split: sorted(found, key=_hash) for split, found in listing.items()}
        self._files = {s or "train": [os.path.join(root, s, f) for f in found] for s, found in ordered.items()}
        numbers = {name: i for i, name in enumerate(names or [""])}
        self._labels = {s or "train": [numbers[listing[s][f]] for f in found] for s, found in ordered.items()}
        self.columns = {"image": readers.Column(kind="image", shape=(None, None, None))}
        if names:
            self.columns["label"] = readers.Column(kind="integer", high=float(len(names) - 1), names=tuple(names))

    def count(self, split):
        _, first, last = self._range(split)
        return last - first

    def files(self, split):
        name, first, last = self._range(split)
        return self._files[name][first:last]

    def records(self, split, keys, *, shard=(0, 1), shuffle_seed=-1):
        name, first, last = self._range(split)
        columns = {"image": self._files[name][first:last], "label": np.asarray(self._labels[name][first:last], np.int32)}
        dataset = tf.data.Dataset.from_tensor_slices({key: columns[key] for key in keys}).shard(shard[1], shard[0])
        return dataset.map(lambda x: x | {"image": tf.io.read_file(x["image"])} if "image" in x else x, num_parallel_calls=tf.data.AUTOTUNE)

    def stamp(self, split):
        names = self.columns["label"].names if "label" in self.columns else ()
        return f"{_stamp(self.files(split), self._root)} {names}"

    def _range(self, split):
        return readers.split_range(split, {name: len(files) for name, files in self._files.items()}, self.name)


def _listing(root: str) -> dict[str, dict[str, str]]:
    """{split: {path below `root`/<split>: class}}; the split "" where `root` has none, the class "" of an image outside of class folders."""
    tops = sorted(e.name for e in os.scandir(root) if e.is_dir() and not e.name.startswith("."))
    splits = tops if "train" in tops and set(tops) <= set(SPLIT_FOLDERS) else [""]
    return {split: {file: file.split(os.sep)[0] if os.sep in file else "" for file in _images(os.path.join(root, split))} for split in splits}


def _images(root: str) -> list[str]:
    """Paths below `root`, relative to it."""
    found = []
    for folder, folders, files in os.walk(root, followlinks=True):
        folders[:] = [f for f in folders if not f.startswith(".")]
        found += [os.path.relpath(os.path.join(folder, f), root) for f in files if not f.startswith(".")]
    return found


def _hash(file: str) -> tuple[int, str]:
    """What files are sorted by."""
    return zlib.crc32(file.replace(os.sep, "/").encode()), file


class Idx(in_memory.InMemory):
    """`idx:<dir>`: MNIST's files, `.gz` or not: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` (split `train`), `t10k-...` (split `test`)."""

    def __init__(self, path: str, data_dir: str):
        root = os.path.expanduser(path)
        self.name = f"idx:{path}"
        self.arrays = {}
        for split, prefix in (("train", "train"), ("test", "t10k")):
            images, labels = _idx(root, f"{prefix}-images", (3, 4)), _idx(root, f"{prefix}-labels", (1,))
            if images is None:
                continue
            self.arrays[split] = {"image": images if images.ndim == 4 else images[..., np.newaxis]}
            if labels is not None:
                if len(labels) != len(images):
                    raise ValueError(f"{root!r}: {prefix}-images has {len(images)} images, {prefix}-labels has {len(labels)} labels.")
                self.arrays[split]["label"] = labels
        if not self.arrays:
            raise ValueError(f"{root!r} holds neither train-images-idx3-ubyte nor t10k-images-idx3-ubyte, with or without .gz.")
        shapes = {arrays["image"].shape[1:] for arrays in self.arrays.values()}
        self.columns = {"image": readers.Column(kind="image", shape=shapes.pop())}
        if shapes:
            raise ValueError(f"{root!r}: the images of train and t10k differ in size: {self.columns['image'].shape}, {shapes.pop()}.")
        if all("label" in arrays for arrays in self.arrays.values()):
            high = max(int(arrays["label"].max()) for arrays in self.arrays.values())
            self.columns["label"] = readers.Column(kind="integer", high=float(high), names=tuple(str(i) for i in range(high + 1)))


def _idx(root: str, stem: str, dimensions: tuple[int, ...]) -> np.ndarray | None:
    """The array in `<stem>-idx?-ubyte[.gz]`, or None where there is no such file."""
    paths = sorted(p for p in glob.glob(os.path.join(glob.escape(root), f"{stem}?idx*")) if p.endswith(("-ubyte", "-ubyte.gz")))
    if not paths:
        return None
    path = paths[0]
    try:
        with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path!r} cannot be read: {error}.") from error
    if len(content) < 4 or content[:3] != b"\0\0\x08" or content[3] not in dimensions:
        raise ValueError(f"{path!r} is no idx file of unsigned bytes with {dimensions} dimensions: it begins with {content[:4].hex(' ')}.")
    header = 4 + 4 * content[3]
    shape = struct.unpack(f">{content[3]}I", content[4:header])
    if len(content) - header != int(np.prod(shape)):
        raise ValueError(f"{path!r} should hold {int(np.prod(shape))} values for its shape {shape}, but holds {len(content) - header}.")
    if shape[0] == 0:
        raise ValueError(f"{path!r} is empty.")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


class TfRecord(readers.Reader):
    """`tfrecord:<glob>`: uncompressed TFRecord files of tf.train.Example, declared by a `schema.json` in the folder before the first wildcard.

    A `{split}` in the glob stands for the split's name: `tfrecord:cats/{split}-*.tfrecord` finds the test split in `cats/test-*.tfrecord`. Without it
    all files are the split `train`; hold a part out with `split=train[:90%]`, `test_split=train[90%:]`. The schema:

        {"features": {"image": {"type": "image", "shape": [64, 64, 3], "feature": "image/encoded"},
                      "label": {"type": "int", "high": 9},
                      "attributes": {"type": "float", "shape": [40], "low": 0, "high": 1},
                      "caption": {"type": "string"}},
         "class_names": ["airplane", ...]}

    `type` is image (an encoded file), mask (the same, black and white), int, float or string; `shape` [] unless given, for an image the stored
    height, width and channels, each null where it differs; `feature` the key in the Example, the batch key unless given; `low`, `high` the range.
    A label needs `high` or `class_names`.
    """

    _TYPES = {"image": "image", "mask": "mask", "int": "integer", "float": "number", "string": "text"}
    _STORED = {"image": tf.string, "mask": tf.string, "integer": tf.int64, "number": tf.float32}

    def __init__(self, path: str, data_dir: str):
        self.name = f"tfrecord:{path}"
        self._pattern = os.path.expanduser(path)
        schema_path = os.path.join(os.path.dirname(re.split(r"[{*?\[]", self._pattern)[0]), "schema.json")
        if not os.path.isfile(schema_path):
            raise ValueError(
                f"{self.name!r} needs a file {schema_path!r} that says what the records hold, for example "
                '{"features": {"image": {"type": "image", "shape": [64, 64, 3]}, "label": {"type": "int", "high": 9}}}.'
            )
        self._schema_path = schema_path
        try:
            with open(schema_path) as file:
                self._schema = json.load(file)
            unknown = sorted(set(self._schema) - {"features", "class_names"})
            self.columns = {key: self._column(key, value) for key, value in self._schema["features"].items()}
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{schema_path!r} is no schema: {type(error).__name__}: {error}.") from error
        if unknown:
            raise ValueError(f"{schema_path!r} has the field {unknown[0]!r}. Fields: features, class_names.")
        if "image" not in self.columns or self.columns["image"].kind != "image":
            raise ValueError(f"{schema_path!r} declares no feature 'image' of type image. It declares: {', '.join(self.columns)}.")
        self._lengths: dict[str, list[int]] = {}

    def _column(self, key: str, value: dict) -> readers.Column:
        unknown = set(value) - {"type", "shape", "feature", "low", "high"}
        if unknown or value["type"] not in self._TYPES:
            wrong = f"the field {sorted(unknown)[0]!r}" if unknown else f"the type {value['type']!r}"
            raise ValueError(f"{self._schema_path!r}: {key!r} has {wrong}. Fields: type shape feature low high. Types: {', '.join(self._TYPES)}.")
        kind = self._TYPES[value["type"]]
        names = tuple(self._schema.get("class_names", ())) if key == "label" else ()
        if key == "label" and not names and "high" not in value:
            raise ValueError(f'{self._schema_path!r}: \'label\' needs "high" or "class_names".')
        if names and value.get("high", len(names) - 1) != len(names) - 1:
            raise ValueError(f"{self._schema_path!r}: {len(names)} class_names, but the highest label is {value['high']}.")
        if kind in ("image", "mask") and len(value.get("shape", (0, 0, 0))) != 3:
            raise ValueError(f"{self._schema_path!r}: the shape of {key!r} is [height, width, channels]. Received: {value['shape']}.")
        limits = {"integer": np.iinfo(np.int32), "number": np.finfo(np.float32)}.get(kind, np.iinfo(np.uint8))
        low = value.get("low", 0 if key == "label" else limits.min)
        high = value.get("high", len(names) - 1 if names else limits.max)
        default_shape = [None, None, None] if kind in ("image", "mask") else []
        return readers.Column(kind=kind, shape=tuple(value.get("shape", default_shape)), low=float(low), high=float(high), names=names)

    def count(self, split):
        _, first, last, _ = self._range(split)
        return last - first

    def records(self, split, keys, *, shard=(0, 1), shuffle_seed=-1):
        files, first, last, total = self._range(split)
        whole = last - first == total
        # Whole files where that divides them evenly (no host reads another's), single records where not.
        by_file = whole and len(files) % shard[1] == 0
        names = tf.data.Dataset.from_tensor_slices(files[shard[0] :: shard[1]] if by_file else files)
        if shuffle_seed >= 0 and whole:
            names = names.shuffle(len(files), seed=shuffle_seed)
            dataset = names.interleave(tf.data.TFRecordDataset, cycle_length=8)
        else:
            dataset = names.interleave(tf.data.TFRecordDataset, cycle_length=1).skip(first).take(last - first)
        dataset = dataset if by_file else dataset.shard(shard[1], shard[0])
        wanted = {key: self._schema["features"][key].get("feature", key) for key in keys}
        parsers = {}
        for key, stored in wanted.items():
            column = self.columns[key]
            parsers[stored] = tf.io.FixedLenFeature([] if column.kind in ("image", "mask") else column.shape, self._STORED[column.kind])

        def parse(record):
            example = tf.io.parse_single_example(record, parsers)
            return {key: example[stored] for key, stored in wanted.items()}

        return dataset.map(parse, num_parallel_calls=tf.data.AUTOTUNE)

    def stamp(self, split):
        files, first, last, _ = self._range(split)
        return f"{_stamp([*files, self._schema_path], os.path.dirname(self._schema_path))} {first} {last}"

    def _range(self, split):
        name = split.partition("[")[0]
        files = sorted(glob.glob(self._pattern.replace("{split}", name)))
        files = [f for f in files if f != self._schema_path]
        if not files or ("{split}" not in self._pattern and name != "train"):
            named = "{split}" in self._pattern
            there = "the split's name stands for {split} in the glob" if named else "without {split} in the glob there is only train"
            raise readers.NoSuchSplit(f"{self.name!r} has no files for the split {name!r}: {there}.")
        if name not in self._lengths:
            self._lengths[name] = [_count_records(file) for file in files]
        total = sum(self._lengths[name])
        _, first, last = readers.split_range(split, {name: total}, self.name)
        return files, first, last, total


def _count_records(path: str) -> int:
    """Records in a TFRecord file, by hopping from length to length: [uint64 length][uint32 crc][data][uint32 crc]."""
    size, count, position = os.path.getsize(path), 0, 0
    with open(path, "rb") as file:
        while position < size:
            file.seek(position)
            head = file.read(8)
            position += 16 + int.from_bytes(head, "little") if len(head) == 8 else size + 1
            if position > size:
                raise ValueError(f"{path!r} is no TFRecord file, is compressed, or was cut off after {count} records.")
            count += 1
    return count


def _stamp(files: list[str], root: str) -> str:
    """Names inside `root`, sizes and times of change."""
    digest = hashlib.blake2b(digest_size=16)
    for path in files:
        status = os.stat(path)
        digest.update(f"{os.path.relpath(path, root)} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
