"""Images with several tags each, as numbers: a stand-in for the features, word vectors and tags of Mirza and Osindero 2014, section 4.2.

Theirs are the last hidden layer of a network trained on ImageNet (4,096 numbers), vectors of 247,465 words (200 numbers) and the tags of MIR Flickr.
Here an image shows one of `_SUBJECTS` subjects, its features are those of the subject with noise, and its tags are words of two topics, of which the
annotators forgot some. Words of a topic are near each other, the two topics of a subject are opposite: the mean of an image's tags says nothing.
"""

import re
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from pipelines import readers

_COUNTS = {"train": 1000, "test": 200}
"""Images of a split. In `train` an image is repeated once per tag, as in the paper; in `test` it comes once."""
_SUBJECTS, _WORDS_PER_TOPIC = 25, 10
_REMEMBERED = 0.8
_WITHIN = 0.35  # distance of a word from its topic, in which a topic is of length 1
_NOISE = 0.1
_VERSION = 1  # part of the stamp: raise it when other numbers come out
_FORM = re.compile(r"(\d+)x(\d+)x(\d+)")


class Tags(readers.Reader):
    """`tags:<features>x<numbers>x<words>`: features per image, numbers per word vector, words in the dictionary.

    Batch keys: `image` [1, numbers, 1], the vector of one of the tags, of length 1; `features` [features], at least 0; `tags` [20], the numbers of
    all tags of the image, -1 after the last.
    """

    def __init__(self, path: str, data_dir: str):
        self.name = f"tags:{path}"
        form = _FORM.fullmatch(path)
        if not form or int(form[3]) < 2 * _WORDS_PER_TOPIC or min(int(form[1]), int(form[2])) < 2:
            raise ValueError(
                f"A dictionary of tags is written tags:<features>x<numbers>x<words>, at least tags:2x2x{2 * _WORDS_PER_TOPIC}, for example "
                f"tags:64x16x500. Received: {self.name!r}."
            )
        self._features, self._size, words = map(int, form.groups())
        self.dictionary, self._words = _dictionary(words, self._size)
        self._images = {split: self._draw(split) for split in _COUNTS}
        highest = max(float(features.max()) for features, _ in self._images.values())
        self.columns = {
            "image": readers.Column(kind="number", shape=(1, self._size, 1), low=-1.0, high=1.0),
            "features": readers.Column(kind="number", shape=(self._features,), high=highest),
            "tags": readers.Column(kind="integer", shape=(2 * _WORDS_PER_TOPIC,), low=-1.0, high=float(words - 1)),
        }
        self._rows = {"train": _pairs(self._images["train"][1]), "test": _first(self._images["test"][1])}

    def count(self, split):
        return len(self._slice(split))

    def records(self, split, keys: Sequence[str], *, shard=(0, 1), shuffle_seed=-1):
        rows = self._slice(split)[shard[0] :: shard[1]]
        features, tags = self._images[split.partition("[")[0]]
        with tf.device("CPU:0"):
            columns = {"features": tf.constant(features), "tags": tf.constant(tags)}
            dictionary = tf.constant(self.dictionary.reshape(-1, 1, self._size, 1))

            def record(row):
                values = {key: tf.gather(column, row[0]) for key, column in columns.items()} | {"image": tf.gather(dictionary, row[1])}
                return {key: values[key] for key in keys}

            return tf.data.Dataset.from_tensor_slices(rows).map(record, num_parallel_calls=tf.data.AUTOTUNE)

    def stamp(self, split):
        return f"{self.name} {split} {_VERSION}"

    def _slice(self, split):
        """(image, word) of each example [n, 2]."""
        name, first, last = readers.split_range(split, {s: len(rows) for s, rows in self._rows.items()}, self.name)
        return self._rows[name][first:last]

    def _draw(self, split: str) -> tuple[np.ndarray, np.ndarray]:
        """Features [n, f] and tags [n, 20] of a split's images."""
        numbers, count = np.random.RandomState(2 + list(_COUNTS).index(split)), _COUNTS[split]
        prototypes = np.random.RandomState(1).standard_normal((len(self._words), self._features))
        subject = numbers.randint(len(self._words), size=count)
        features = np.maximum(prototypes[subject] + _NOISE * numbers.standard_normal((count, self._features)), 0.0)
        words = self._words[subject]
        kept = numbers.uniform(size=words.shape) < _REMEMBERED
        kept[:, 0] |= ~kept.any(1)  # an image has a tag
        tags = np.take_along_axis(np.where(kept, words, -1), np.argsort(~kept, axis=1, kind="stable"), 1)
        return features.astype(np.float32), tags.astype(np.int32)


def _dictionary(words: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors [words, size] of length 1, and the words of each subject [subjects, 20]; words beyond these stand alone."""
    numbers = np.random.RandomState(0)
    subjects = min(_SUBJECTS, words // (2 * _WORDS_PER_TOPIC))
    vectors = _unit(numbers.standard_normal((words, size)))
    centre = _unit(numbers.standard_normal((subjects, 1, size)))
    topics = np.repeat(np.stack([centre, -centre], 1), _WORDS_PER_TOPIC, axis=2).reshape(-1, size)
    vectors[: len(topics)] = _unit(topics + _WITHIN * vectors[: len(topics)])
    return vectors.astype(np.float32), np.arange(len(topics)).reshape(subjects, 2 * _WORDS_PER_TOPIC)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _pairs(tags: np.ndarray) -> np.ndarray:
    """(image, word) [n, 2] for every tag of every image."""
    image, place = np.nonzero(tags >= 0)
    return np.stack([image, tags[image, place]], axis=1)


def _first(tags: np.ndarray) -> np.ndarray:
    """(image, its first tag) [n, 2]."""
    return np.stack([np.arange(len(tags)), tags[:, 0]], axis=1)
