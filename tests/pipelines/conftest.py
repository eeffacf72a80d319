"""Tiny sources of every form."""

import gzip
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf


def _png(image: np.ndarray) -> bytes:
    return tf.io.encode_png(image).numpy()


@pytest.fixture
def write_images(tmp_path):
    """write_images({"a/0.png": uint8 [h, w, c] or bytes}) -> the folder."""

    def write(files: dict, root: str = "images") -> str:
        for name, content in files.items():
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else _png(content))
        return str(tmp_path / root)

    return write


@pytest.fixture
def numbered_folder(write_images):
    """numbered_folder(n) -> a folder of n flat 4x4 images, image i having the value i % 256."""
    return lambda n, root="numbered": write_images({f"{i:03d}.png": np.full((4, 4, 3), i % 256, np.uint8) for i in range(n)}, root)


@pytest.fixture
def write_idx(tmp_path):
    """write_idx({"train-images-idx3-ubyte.gz": uint8 array}) -> the folder."""

    def write(files: dict) -> str:
        (tmp_path / "idx").mkdir(exist_ok=True)
        for name, content in files.items():
            if not isinstance(content, bytes):
                content = bytes([0, 0, 8, content.ndim]) + struct.pack(f">{content.ndim}I", *content.shape) + content.tobytes()
            (tmp_path / "idx" / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return str(tmp_path / "idx")

    return write


@pytest.fixture
def write_records(tmp_path):
    """write_records(schema, {"train-0.tfrecord": [{"image": uint8, "label": 3}, ...]}) -> the folder."""

    def write(schema: dict, files: dict) -> str:
        folder = tmp_path / "records"
        folder.mkdir(exist_ok=True)
        (folder / "schema.json").write_text(json.dumps(schema))
        for name, examples in files.items():
            with tf.io.TFRecordWriter(str(folder / name)) as writer:
                for example in examples:
                    features = tf.train.Features(feature={k: _feature(v) for k, v in example.items()})
                    writer.write(tf.train.Example(features=features).SerializeToString())
        return str(folder)

    return write


def _feature(value) -> tf.train.Feature:
    if isinstance(value, np.ndarray) and value.dtype == np.uint8:
        value = _png(value)
    if isinstance(value, bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
    if isinstance(value, int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
    return tf.train.Feature(float_list=tf.train.FloatList(value=np.ravel(value)))


@pytest.fixture(scope="session")
def prepared_digits(tmp_path_factory) -> str:
    """A TFDS data_dir with `tiny_digits/1.0.0`: 24 + 8 images 6x6x3, image i of train with the value i in its first byte; label i % 3."""
    import tensorflow_datasets as tfds

    class TinyDigits(tfds.core.GeneratorBasedBuilder):
        __module__ = "tiny_digits"  # TFDS looks for data beside a builder's package; this one has none
        VERSION = tfds.core.Version("1.0.0")

        def _info(self):
            features = tfds.features.FeaturesDict(
                {
                    "picture": tfds.features.Image(shape=(6, 6, 3), encoding_format="png"),
                    "mask": tfds.features.Image(shape=(6, 6, 1), encoding_format="png"),
                    "kind": tfds.features.ClassLabel(names=["zero", "one", "two"]),
                    "attributes": {"round": np.bool_, "dark": np.bool_},
                    "weight": np.float32,
                    "name": tfds.features.Text(),
                    "boxes": tfds.features.Sequence(np.float32),
                }
            )
            return tfds.core.DatasetInfo(builder=self, features=features, supervised_keys=("picture", "kind"), disable_shuffling=True)

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples(24), "test": self._generate_examples(8)}

        def _generate_examples(self, count):
            for i in range(count):
                picture = np.full((6, 6, 3), 100, np.uint8)
                picture[0, 0, 0] = i
                mask = np.zeros((6, 6, 1), np.uint8)
                mask[:3] = 255
                attributes = {"round": i % 2 == 0, "dark": i % 4 == 0}
                yield i, dict(picture=picture, mask=mask, kind=i % 3, attributes=attributes, weight=i / 2, name=f"n{i}", boxes=[0.5] * (i % 3))

    root = str(tmp_path_factory.mktemp("tfds"))
    TinyDigits(data_dir=root).download_and_prepare()
    return root


@pytest.fixture
def data_dir(tmp_path) -> str:
    """Where decoded copies go."""
    path = Path(tmp_path) / "data"
    os.makedirs(path, exist_ok=True)
    return str(path)
