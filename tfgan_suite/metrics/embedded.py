"""The extractor that needs no network: a small classifier trained on the dataset itself, in well under a minute, and cached.

It learns the dataset's labels; without labels, which of four rotations was applied (Gidaris et al. 2018). Its features are the penultimate layer
[b, 96]. Distances in them order models that were judged by the same network (its hash is in the protocol); they are no published FID, and the
results are named `fid_proxy`, `kid_proxy` and `is_proxy`. Its accuracy on held-out images is measured and kept, since agreement is bounded by it.
"""

import pathlib
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from absl import logging

from tfgan_suite.metrics import cache, conditioning, examples, extractor, resize
from tfgan_suite.ops import random

_RECIPE = 2  # part of the cache's key: raise it when anything below changes what is learned
_LARGEST_SIDE = 64
_BATCH = 64
_VIEWS = 60_000  # images seen in training, repeats included
_MAX_EPOCHS = 12
_TEST_EXAMPLES = 10_000
_WARM_UP = 0.15
_LEARNING_RATE = 4e-3
_SHIFT, _NOISE = 2, 0.05  # pixels; greatest change of a value in [-1, 1]
_ROTATIONS = 4


def load(kind, argument, *, cache_dir, data, resizer, seed, limit) -> "Embedded":
    """From the cache, or trained on `limit` images of the data. See `features.load`."""
    if argument or resizer not in ("default", "antialias"):
        raise ValueError(f"The extractor 'embedded' takes no path and resizes by 'antialias' only. Received: path {argument!r}, resizer {resizer!r}.")
    spec = data.spec
    groups = {name: list(values) for name, values in spec.class_groups.items()}
    key = cache.key("embedded", _RECIPE, data.fingerprint, list(spec.image_shape), spec.num_classes, groups, limit, seed)
    path = pathlib.Path(cache_dir) / f"embedded-{key}.npz"
    loaded = Embedded(spec.image_shape, spec.num_classes, seed)
    found = cache.read(path)
    if found is not None:
        loaded.restore(*found)
        return loaded
    train = _collect(examples.of(data, "train", limit), spec)
    held_out = _collect(examples.of(data, "test", _TEST_EXAMPLES), spec) if spec.test_size else _split_off(train)
    loaded.train(train)
    loaded.measure(held_out, groups)
    cache.write(path, loaded.weights(), {"accuracy": loaded.accuracy, "classes": loaded.classes, "data": data.fingerprint})
    logging.info("Trained the embedded extractor on %d images; on %d held out: %s", len(train["image"]), len(held_out["image"]), loaded.accuracy)
    return loaded


class Embedded(extractor.Extractor):
    """Five convolutions with batch normalisation and a mean over space; a sixth in front above 32 pixels a side."""

    name = "embedded"
    resizer = "antialias"
    batch_size = 128

    def __init__(self, image_shape: tuple[int, int, int], num_classes: int, seed: int):
        self.classes = "labels" if num_classes > 1 else "rotations"
        self.accuracy = {}
        self._seed = seed
        self._side = min(_LARGEST_SIDE, max(image_shape[:2]))
        self._model = _classifier(self._side, image_shape[2], num_classes if num_classes > 1 else _ROTATIONS, seed)
        self.fingerprint = cache.fingerprint(self.weights())

    def network(self, pixels):
        heads = self._model({"image": self._input(pixels)}, training=False)
        return heads["features"], heads["class_logits"]

    def weights(self) -> dict[str, np.ndarray]:
        return {f"{i:03d}": variable.numpy() for i, variable in enumerate(self._model.variables)}

    def restore(self, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
        """Takes over the weights and the measured accuracy of an earlier training."""
        for i, variable in enumerate(self._model.variables):
            variable.assign(arrays[f"{i:03d}"])
        self.accuracy = meta["accuracy"]
        self.fingerprint = cache.fingerprint(arrays)

    def train(self, data: dict[str, np.ndarray]) -> None:
        """Fits `{"image": uint8 [n, side, side, c], "label": int32 [n]}`: 60,000 views in at most 12 epochs, a function of data and seed."""
        count = len(data["image"])
        batch = min(_BATCH, count - count % _ROTATIONS)
        steps_per_epoch = count // batch
        steps = steps_per_epoch * int(np.clip(_VIEWS // count, 1, _MAX_EPOCHS))
        update = self._update(batch, steps)
        order = np.random.RandomState(self._seed)
        for step in range(steps):
            if step % steps_per_epoch == 0:
                permutation = order.permutation(count)
            rows = permutation[step % steps_per_epoch * batch :][:batch]
            update(tf.constant(data["image"][rows]), tf.constant(data["label"][rows]), tf.constant(step))
        self.fingerprint = cache.fingerprint(self.weights())

    def measure(self, data: dict[str, np.ndarray], groups: dict[str, list[str]]) -> None:
        """Sets `accuracy` from held-out data of the same form."""
        images, labels = data["image"], data["label"]
        if self.classes == "rotations":
            images = np.concatenate([np.rot90(images, k, axes=(1, 2)) for k in range(_ROTATIONS)])
            labels, groups = np.repeat(np.arange(_ROTATIONS), len(data["image"])), {}
        self.accuracy = conditioning.accuracies(self, [{"image": images.astype(np.float32) / 127.5 - 1.0, "label": labels}], groups)

    def _input(self, pixels: tf.Tensor) -> tf.Tensor:
        return resize.resize(tf.cast(pixels, tf.float32), (self._side, self._side), self.resizer) / 127.5 - 1.0

    def _update(self, batch: int, steps: int):
        """A compiled step of AdamW with a rise and a linear fall of the rate."""
        variables = self._model.trainable_variables
        optimizer = keras.optimizers.AdamW(_LEARNING_RATE, weight_decay=0.01)
        optimizer.build(variables)

        @tf.function(autograph=False)
        def update(pixels, labels, step):
            progress = tf.cast(step, tf.float32) / steps
            optimizer.learning_rate.assign(_LEARNING_RATE * tf.minimum(progress / _WARM_UP, (1.0 - progress) / (1.0 - _WARM_UP)))
            images = self._input(pixels)
            if self.classes == "rotations":
                images, labels = _rotated(images)
            images = _disturbed(images, random.Stream(self._seed, "embedded", step))
            with tf.GradientTape() as tape:
                logits = self._model({"image": images}, training=True)["class_logits"]
                loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
            optimizer.apply(tape.gradient(loss, variables), variables)

        return update


def _classifier(side: int, channels: int, num_classes: int, seed: int) -> keras.Model:
    """Float32 whatever the global policy. `image` [b, side, side, channels] in [-1, 1] to `features` [b, 96] and `class_logits` [b, k]."""
    filters_kernels_strides = [(24, 4, 2), (48, 3, 2), (48, 3, 1), (96, 3, 2), (96, 3, 1)]
    if side > 32:
        filters_kernels_strides.insert(0, (12, 4, 2))
    layers = keras.layers
    x = image = keras.Input((side, side, channels), dtype="float32", name="image")
    for i, (filters, kernel, strides) in enumerate(filters_kernels_strides):
        initializer = keras.initializers.HeNormal(seed=1000 * seed + i)
        x = layers.Conv2D(filters, kernel, strides, "same", use_bias=False, kernel_initializer=initializer, dtype="float32")(x)
        x = layers.BatchNormalization(momentum=0.9, dtype="float32")(x)
        x = layers.ReLU(dtype="float32")(x)
    pooled = layers.GlobalAveragePooling2D(dtype="float32")(x)
    initializer = keras.initializers.GlorotUniform(seed=1000 * seed + 999)
    logits = layers.Dense(num_classes, kernel_initializer=initializer, dtype="float32")(pooled)
    return keras.Model({"image": image}, {"features": pooled, "class_logits": logits}, name="embedded")


def _disturbed(images: tf.Tensor, stream: random.Stream) -> tf.Tensor:
    """Each image shifted by up to 2 pixels with its border reflected, and a little noise: generated images have both."""
    batch, side = images.shape[0], images.shape[1]
    padded = tf.pad(images, [[0, 0], [_SHIFT, _SHIFT], [_SHIFT, _SHIFT], [0, 0]], "REFLECT")
    window = tf.range(side)[None]
    rows, columns = (window + stream.fold(axis).integers((batch, 1), 2 * _SHIFT + 1) for axis in ("rows", "columns"))
    shifted = tf.gather(tf.gather(padded, rows, axis=1, batch_dims=1), columns, axis=2, batch_dims=1)
    return shifted + stream.fold("noise").uniform(images.shape, -_NOISE, _NOISE)


def _rotated(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A quarter of the batch turned by each of 0, 90, 180 and 270 degrees, and which it was."""
    quarters = tf.split(images, _ROTATIONS)
    labels = tf.repeat(tf.range(_ROTATIONS), images.shape[0] // _ROTATIONS)
    return tf.concat([tf.image.rot90(quarter, k) for k, quarter in enumerate(quarters)], 0), labels


def _collect(batches: Iterable[dict[str, Any]], spec: Any) -> dict[str, np.ndarray]:
    """Images as uint8, reduced to the side the classifier sees, and their labels."""
    images, labels = [], []
    side = min(_LARGEST_SIDE, max(spec.image_shape[:2]))
    for batch in batches:
        pixels = extractor.quantise(batch["image"])
        reduced = resize.resize(tf.constant(pixels), (side, side), Embedded.resizer).numpy()
        images.append(np.clip(reduced + 0.5, 0, 255).astype(np.uint8))
        labels.append(np.asarray(batch["label"], np.int32) if spec.num_classes > 1 else np.zeros(len(pixels), np.int32))
    count = sum(map(len, images))
    if count < 2 * _ROTATIONS:
        raise ValueError(f"The extractor 'embedded' needs at least {2 * _ROTATIONS} images to learn from, and to be measured on. Received: {count}.")
    return {"image": np.concatenate(images), "label": np.concatenate(labels)}


def _split_off(train: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Takes the last tenth out of `train` and returns it."""
    kept = len(train["image"]) - max(len(train["image"]) // 10, _ROTATIONS)
    held_out = {name: rows[kept:] for name, rows in train.items()}
    train.update({name: rows[:kept] for name, rows in train.items()})
    return held_out
