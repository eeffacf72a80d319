"""The extractor for stacked digits: the embedded classifier of single digits reads every channel, and the joint class is the tuple of its answers.

Srivastava et al. 2017 (VEEGAN), section 4.2: the modes of stacked MNIST are counted by a classifier of MNIST on each channel. One trained on the
stack would have to tell 1000 classes apart from about a hundred examples each.
"""

import dataclasses
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from tfgan_suite.metrics import embedded, examples, extractor


def load(kind, argument, *, cache_dir, data, resizer, seed, limit) -> "Channels":
    """The embedded extractor of the first channel, from the cache or trained on `limit` images. See `features.load`."""
    groups, channels = data.spec.class_groups, data.spec.image_shape[2]
    sizes = [len(set(values)) for values in groups.values()]
    if len(sizes) != channels or len(set(sizes)) != 1 or sizes[0] ** channels != data.spec.num_classes:
        raise ValueError(
            f"The extractor 'channels' reads images whose class is one digit per channel, such as stacked_digits:mnist. {data.spec.name!r} has "
            f"{channels} channels and {data.spec.num_classes} classes in the groups {', '.join(groups) or '(none)'}."
        )
    options = {"cache_dir": cache_dir, "resizer": resizer, "seed": seed, "limit": limit}
    return Channels(embedded.load("embedded", argument, data=_FirstChannel(data), **options), channels)


class Channels(extractor.Extractor):
    """Features [b, c * 96] and joint class probabilities [b, k^c]: the product of the channels'."""

    name = "channels"
    classes = "labels"

    def __init__(self, single: embedded.Embedded, channels: int):
        self._single, self._channels = single, channels
        self.fingerprint, self.resizer, self.batch_size = single.fingerprint, single.resizer, single.batch_size
        self.accuracy = {}

    def network(self, pixels):
        found = [self._single.network(pixels[..., c : c + 1]) for c in range(self._channels)]
        logits = [tf.nn.log_softmax(z) for _, z in found]
        joint = functools.reduce(lambda a, b: tf.reshape(a[:, :, None] + b[:, None, :], (a.shape[0], -1)), logits)
        return tf.concat([f for f, _ in found], 1), joint


class _FirstChannel:
    """Stacked digits as `examples.Data` of single ones: their first channel, labelled by the first group."""

    def __init__(self, data: examples.Data):
        self._data = data
        values = next(iter(data.spec.class_groups.values()))
        names = tuple(dict.fromkeys(values))
        self._labels = np.array([names.index(value) for value in values], np.int32)
        image = data.spec.features["image"]
        features = {"image": dataclasses.replace(image, shape=(*image.shape[:2], 1))}
        self.spec = dataclasses.replace(data.spec, features=features, num_classes=len(names), class_names=names, class_groups={})
        self.fingerprint = f"{data.fingerprint}-0"

    def examples(self, split: str, *, batch_size: int, limit: int = -1) -> Iterator[dict[str, Any]]:
        for batch in self._data.examples(split, batch_size=batch_size, limit=limit):
            yield {"image": batch["image"][..., :1], "label": self._labels[batch["label"]]}
