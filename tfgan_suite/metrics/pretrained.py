"""Extractors from elsewhere: the ImageNet networks of `keras.applications`, and files of one's own. Their distances are proxies, never an FID."""

import inspect
import os
import pathlib
import warnings

import keras
import tensorflow as tf

from tfgan_suite.metrics import cache, extractor, inception, network, resize

_KERAS_DOWNLOADS = "https://storage.googleapis.com/tensorflow/keras-applications/"


def load(kind, argument, *, cache_dir, data, resizer, seed, limit) -> extractor.Extractor:
    """`keras:<Application>[:weights]` or `file:<path>`. See `features.load`."""
    resizer = "half_pixel" if resizer == "default" else resizer
    spec = data.spec
    resize.matrix(resizer, spec.image_shape[0], spec.image_shape[0])  # an unknown resizer fails here
    if kind == "keras":
        name, _, weights = argument.partition(":")
        return Application(name, weights, spec.image_shape, resizer)
    return (SavedModel if tf.saved_model.contains_saved_model(argument) else KerasFile)(argument, spec, resizer)


class Application(extractor.Extractor):
    """A classifier of `keras.applications` with its ImageNet weights; its features are the mean over space before the classifier.

    name: `ResNet50`, `MobileNetV2`, ...; weights: a local file with the classifier on top, or empty for Keras' own (downloaded once, then cached).
    """

    batch_size = 32

    def __init__(self, name: str, weights: str, image_shape: tuple[int, int, int], resizer: str):
        build, preprocess = _application(name)
        extractor.require_color(image_shape, f"keras:{name}")
        if weights and not pathlib.Path(weights).is_file():
            raise ValueError(f"There is no weights file {weights!r} for keras:{name}.")
        if not weights and not _in_keras_cache(name):
            network.require(
                _KERAS_DOWNLOADS,
                f"The ImageNet weights of keras:{name}",
                f"Pass a local file as keras:{name}:<weights file>, or use the extractor 'embedded', which needs no network.",
            )
        try:
            with warnings.catch_warnings():
                warnings.filterwarnings("error", message="Skipping nested container")  # else layers without weights would stay random
                model = build(weights=weights or "imagenet")
        except Exception as error:  # Keras raises bare Exception for a failed download
            raise ValueError(f"keras:{name} could not be made with the weights {weights or 'imagenet'!r}: {error}") from error
        pools = [layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)]
        pooled = (pools[-1] if pools else model.layers[-2]).output
        self._model = keras.Model(model.input, {"features": pooled, "probabilities": model.output})
        self._preprocess = preprocess
        self._size = tuple(model.input_shape[1:3])
        self.name, self.resizer, self.classes, self.accuracy = f"keras:{name}", resizer, "imagenet", {}
        self.fingerprint = cache.fingerprint({f"{i:04d}": v.numpy() for i, v in enumerate(model.variables)})

    def network(self, pixels):
        images = self._preprocess(resize.resize(extractor.color(pixels), self._size, self.resizer))
        heads = self._model(images, training=False)
        return tf.reshape(heads["features"], [pixels.shape[0], -1]), _log(heads["probabilities"])


class KerasFile(extractor.Extractor):
    """A `.keras` file that takes images [b, h, w, c] in [-1, 1] and gives a dictionary with `features` and optionally `class_logits` or
    `probabilities`; or a classifier with one output, whose features are what its last layer reads.

    Its classes are taken to be the dataset's labels when their number is the same.
    """

    def __init__(self, path: str, spec, resizer: str):
        if not pathlib.Path(path).is_file():
            raise ValueError(f"The extractor file:{path} is neither a SavedModel directory nor a .keras file.")
        model = keras.models.load_model(path, compile=False)
        if len(model.inputs) != 1:
            raise ValueError(f"A feature extractor takes one input, the images. {path} takes: {', '.join(i.name for i in model.inputs)}.")
        if isinstance(model, keras.Sequential) or not isinstance(model.output, dict):
            last = model.layers[-1]
            is_softmax = getattr(last, "activation", None) is keras.activations.softmax or isinstance(last, keras.layers.Softmax)
            outputs = {"features": last.input, "probabilities" if is_softmax else "class_logits": model.outputs[0]}
        else:
            outputs = model.output
        _require_heads(outputs, path)
        self._model = model = keras.Model(model.inputs[0], outputs)
        self._size, channels = tuple(model.input_shape[1:3]), model.input_shape[3]
        _require_channels(channels, spec.image_shape, path)
        self.name, self.resizer, self.accuracy = f"file:{pathlib.Path(path).name}", resizer, {}
        self.fingerprint = cache.fingerprint({f"{i:04d}": v.numpy() for i, v in enumerate(model.variables)})
        self.classes = _classes(outputs, spec)

    def network(self, pixels):
        return _heads(self._model(_images(pixels, self._size, self.resizer), training=False), pixels.shape[0])


class SavedModel(extractor.Extractor):
    """A SavedModel directory whose `serving_default` takes one float32 tensor [b, h, w, c] in [-1, 1] and gives the outputs of a `KerasFile`."""

    def __init__(self, path: str, spec, resizer: str):
        self._loaded = tf.saved_model.load(path)  # kept: the signature does not hold its variables
        if "serving_default" not in self._loaded.signatures:
            raise ValueError(f"The SavedModel {path} has no signature serving_default. It has: {', '.join(self._loaded.signatures) or 'none'}.")
        self._signature = self._loaded.signatures["serving_default"]
        inputs = self._signature.structured_input_signature[1]
        if len(inputs) != 1:
            raise ValueError(f"A feature extractor takes one input, the images. The SavedModel {path} takes: {', '.join(sorted(inputs))}.")
        ((self._input, tensor),) = inputs.items()
        _require_heads(self._signature.structured_outputs, path)
        _require_channels(tensor.shape[3], spec.image_shape, path)
        self._size = tuple(tensor.shape[1:3])
        self.name, self.resizer, self.accuracy = f"file:{pathlib.Path(path).name}", resizer, {}
        self.fingerprint = inception.directory_fingerprint(path)
        self.classes = _classes(self._signature.structured_outputs, spec)

    def network(self, pixels):
        return _heads(self._signature(**{self._input: _images(pixels, self._size, self.resizer)}), pixels.shape[0])


def _application(name: str):
    """The constructor of a Keras application and its preprocessing of 0..255 images."""
    modules = [m for m in vars(keras.applications).values() if inspect.ismodule(m) and hasattr(m, "preprocess_input")]
    known = {n: (f, m.preprocess_input) for m in modules for n, f in vars(m).items() if inspect.isfunction(f) and n[0].isupper()}
    if name not in known:
        raise ValueError(f"Keras has no application {name!r}. Choose one of: {', '.join(sorted(known))}.")
    return known[name]


def _in_keras_cache(name: str) -> bool:
    """Whether Keras has downloaded weights of that name before; where only a relative's are there, its own download decides."""
    home = pathlib.Path(os.environ.get("KERAS_HOME") or pathlib.Path.home() / ".keras")
    files = [file.name.lower().replace("_", "").replace("-", "") for file in (home / "models").glob("*")]
    return any(file.startswith(name.lower()) and "notop" not in file for file in files)


def _images(pixels: tf.Tensor, size: tuple, resizer: str) -> tf.Tensor:
    """uint8 pixels as float32 in [-1, 1], at `size` where the network fixes one."""
    if None not in size:
        pixels = resize.resize(pixels, size, resizer)
    return tf.cast(pixels, tf.float32) / 127.5 - 1.0


def _heads(heads: dict[str, tf.Tensor], rows: int) -> tuple[tf.Tensor, tf.Tensor]:
    found = tf.cast(tf.reshape(heads["features"], [rows, -1]), tf.float32)
    if "class_logits" in heads:
        return found, tf.cast(heads["class_logits"], tf.float32)
    return found, _log(heads["probabilities"]) if "probabilities" in heads else tf.zeros([rows, 0])


def _log(probabilities: tf.Tensor) -> tf.Tensor:
    return tf.math.log(tf.maximum(tf.cast(probabilities, tf.float32), 1e-38))


def _classes(heads, spec) -> str:
    scores = heads.get("class_logits", heads.get("probabilities"))
    if scores is None:
        return "none"
    return "labels" if scores.shape[-1] == spec.num_classes else "other"


def _require_heads(heads, path: str) -> None:
    if "features" not in heads:
        raise ValueError(f"A feature extractor gives the output 'features' [b, f]. {path} gives: {', '.join(sorted(heads))}.")


def _require_channels(channels: int | None, image_shape: tuple[int, int, int], path: str) -> None:
    if channels not in (None, image_shape[2]):
        raise ValueError(f"The network in {path} takes images of {channels} channels, the data has {image_shape[2]}.")
