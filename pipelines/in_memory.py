"""Datasets that lie in memory."""

import hashlib

import numpy as np
import tensorflow as tf

from pipelines import readers


class InMemory(readers.Reader):
    """Reads `self.arrays`, {split: {key: array [n, ...]}} with `image` in each split, which a subclass makes."""

    def count(self, split):
        return len(self._slice(split)["image"])

    def records(self, split, keys, *, shard=(0, 1), shuffle_seed=-1):
        arrays = self._slice(split)
        with tf.device("CPU:0"):
            return tf.data.Dataset.from_tensor_slices({key: arrays[key] for key in keys}).shard(shard[1], shard[0])

    def stamp(self, split):
        return "".join(hashlib.blake2b(np.ascontiguousarray(array)).hexdigest() for _, array in sorted(self._slice(split).items()))

    def _slice(self, split):
        name, first, last = readers.split_range(split, {s: len(arrays["image"]) for s, arrays in self.arrays.items()}, self.name)
        return {key: array[first:last] for key, array in self.arrays[name].items()}
