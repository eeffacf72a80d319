"""The Inception graph of 2015, whose features are those of the published FID, KID and IS, as TF-GAN distributes it.

Its module takes images [b, 299, 299, 3] as (x - 128) / 128 of 0..255 and gives `pool_3` [b, 2048] and `logits` [b, 1008]. TF-GAN's own wrapper
(`classifier_fn_from_tfhub`) flattens by `tf.layers`, which Keras 3 does not have, so the module is called here; its address, its size and its output
names are TF-GAN's.
"""

import hashlib
import os
import pathlib

import tensorflow as tf

from tfgan_suite import compat
from tfgan_suite.metrics import cache, extractor, network, resize

_FEATURES, _CLASSES = 2048, 1008


def load(kind, argument, *, cache_dir, data, resizer, seed, limit) -> "Inception":
    """From a local SavedModel directory, or from TensorFlow Hub and its cache (`TFHUB_CACHE_DIR`). See `features.load`."""
    return Inception(_local(argument) if argument else _from_hub(), data.spec.image_shape, "legacy_tf" if resizer == "default" else resizer)


class Inception(extractor.Extractor):
    """`path`: a SavedModel directory with TF-GAN's interface. Images of 1 channel are repeated to 3."""

    name = "inception"
    classes = "imagenet"
    standard = True
    batch_size = 32

    def __init__(self, path: pathlib.Path, image_shape: tuple[int, int, int], resizer: str = "legacy_tf"):
        evaluation = compat.tfgan_eval()
        self._size = evaluation.INCEPTION_DEFAULT_IMAGE_SIZE
        self._outputs = (evaluation.INCEPTION_FINAL_POOL, evaluation.INCEPTION_OUTPUT)
        self.resizer = resizer
        self.accuracy = {}
        resize.matrix(resizer, image_shape[0], self._size)  # an unknown resizer fails here, not in a graph
        extractor.require_color(image_shape, self.name)
        self._module = tf.saved_model.load(str(path))
        if not callable(self._module):
            raise ValueError(f"{path} holds no callable Inception module (TF-GAN's, {evaluation.INCEPTION_TFHUB}).")
        self.fingerprint = directory_fingerprint(path)

    def network(self, pixels):
        images = resize.resize(extractor.color(pixels), (self._size, self._size), self.resizer)
        heads = self._module((images - 128.0) / 128.0)
        rows = pixels.shape[0]
        if not isinstance(heads, dict) or not set(self._outputs) <= set(heads):
            raise ValueError(f"An Inception module gives the outputs {' and '.join(self._outputs)}. Received: {heads}.")
        pooled, logits = (tf.reshape(heads[name], [rows, -1]) for name in self._outputs)
        if (pooled.shape[1], logits.shape[1]) != (_FEATURES, _CLASSES):
            raise ValueError(
                f"The Inception graph of 2015 has {_FEATURES} features and {_CLASSES} classes. Received {pooled.shape[1]} and {logits.shape[1]}: "
                f"another network, whose scores are no FID. Load it as file:<path>."
            )
        return pooled, logits


def directory_fingerprint(path: str | os.PathLike) -> str:
    """Hash of a SavedModel's files that decide its outputs: the graph and the variables."""
    path = pathlib.Path(path)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file() and p.name != "fingerprint.pb"):
        digest.update(cache.key(str(file.relative_to(path))).encode())
        with open(file, "rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def _local(path: str) -> pathlib.Path:
    if not tf.saved_model.contains_saved_model(path):
        raise ValueError(f"There is no SavedModel in {path!r}. Name the directory that holds saved_model.pb: inception:<directory>.")
    return pathlib.Path(path)


def _from_hub() -> pathlib.Path:
    hub = compat.tfgan_eval().inception_metrics.tfhub
    address = compat.tfgan_eval().INCEPTION_TFHUB
    folder = os.path.join(hub.resolver.tfhub_cache_dir(use_temp=True), hashlib.sha1(address.encode()).hexdigest())
    if not tf.saved_model.contains_saved_model(folder):
        network.require(
            address,
            "TF-GAN's Inception network",
            "Download it where there is a network and pass its directory as inception:<directory>, set TFHUB_CACHE_DIR to a TensorFlow Hub cache "
            "that has it, or use the extractor 'embedded', which needs no network.",
        )
    return pathlib.Path(hub.resolve(address))
