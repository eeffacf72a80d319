"""`stacked_digits:<source>`: three random grey digits as the channels of one image, so that the number of modes is the cube of that of the digits.

The stacked MNIST of Che et al. 2017 and Metz et al. 2017: 28x28x3, 1000 modes, label = 100 a + 10 b + c for digits a, b, c in red, green, blue.
"""

import zlib

import numpy as np
import tensorflow as tf

from pipelines import readers

SIZES = {"train": 128_000, "test": 26_000}
"""Split -> images. 128,000 as in Metz et al. 2017 (unrolled GAN); 26,000 is the number of samples that Srivastava et al. 2017 (VEEGAN) judge."""
CHANNELS = ("red", "green", "blue")

_BATCH = 1024


class StackedDigits(readers.Reader):
    """Three examples of another source, grey images with labels of k classes, drawn with replacement for each image; labels are a k^2 + b k + c.

    Which digits make image i of a split is a function of the split, i and the number of digits. The splits are made of the source's own.
    """

    def __init__(self, digits: readers.Reader):
        self.name = f"stacked_digits:{digits.name}"
        image, label = digits.columns["image"], digits.columns.get("label")
        if image.kind != "image" or None in image.shape or image.shape[-1] != 1 or label is None:
            raise ValueError(
                f"{self.name!r} needs labelled grey images of one size. {digits.name!r} has images of shape {image.shape} and "
                f"{'no labels' if label is None else 'labels'}. Choose a source such as mnist or idx:<dir>."
            )
        self._digits, self._sizes, self._arrays = digits, {"train": SIZES["train"]}, {}
        try:
            digits.count("test")
            self._sizes["test"] = SIZES["test"]
        except readers.NoSuchSplit:
            pass  # nothing is held out
        self._classes = int(label.high) + 1
        names = label.names or tuple(map(str, range(self._classes)))
        triples = [(a, b, c) for a in names for b in names for c in names]
        self.columns = {
            "image": readers.Column(kind="image", shape=(*image.shape[:2], 3)),
            "label": readers.Column(kind="integer", high=float(len(triples) - 1), names=tuple(map("".join, triples))),
        }
        self.class_groups = {channel: tuple(triple[i] for triple in triples) for i, channel in enumerate(CHANNELS)}

    def count(self, split):
        _, first, last = self._range(split)
        return last - first

    def records(self, split, keys, *, shard=(0, 1), shuffle_seed=-1):
        name, first, last = self._range(split)
        with tf.device("CPU:0"):
            images, labels = (tf.constant(array) for array in self._stored(name))
            chosen = tf.data.Dataset.from_tensor_slices(self._chosen(name, len(labels))[first:last]).shard(shard[1], shard[0])

        def stack(numbers):
            a, b, c = tf.unstack(tf.gather(labels, numbers))
            example = {"label": (a * self._classes + b) * self._classes + c}
            example["image"] = tf.transpose(tf.gather(images, numbers)[..., 0], (1, 2, 0))
            return {key: example[key] for key in keys}

        return chosen.map(stack, num_parallel_calls=tf.data.AUTOTUNE)

    def stamp(self, split):
        name, first, last = self._range(split)
        return f"stacked {self._digits.stamp(name)} {first} {last}"

    def _range(self, split):
        return readers.split_range(split, self._sizes, self.name)

    def _chosen(self, name: str, count: int) -> np.ndarray:
        """The numbers of the three digits of every image of a split: [n, 3]."""
        random = np.random.RandomState(zlib.crc32(f"stacked_digits {name}".encode()))
        return random.randint(count, size=(self._sizes[name], len(CHANNELS)))

    def _stored(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The digits uint8 [n, h, w, 1] and their labels int32 [n], read once."""
        if name not in self._arrays:
            rows = self._digits.records(name, ["image", "label"])
            rows = rows.map(lambda x: (readers.decode(x["image"]), tf.cast(x["label"], tf.int32)), num_parallel_calls=tf.data.AUTOTUNE)
            blocks = list(rows.batch(_BATCH).as_numpy_iterator())
            self._arrays[name] = tuple(np.concatenate(column) for column in zip(*blocks, strict=True))
        return self._arrays[name]
