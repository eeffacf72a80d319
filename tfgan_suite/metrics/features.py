"""The feature extractors by name."""

import importlib
import os

from tfgan_suite.metrics import conditioning, examples, extractor

EXTRACTORS = {
    "embedded": "tfgan_suite.metrics.embedded",
    "inception": "tfgan_suite.metrics.inception",
    "keras": "tfgan_suite.metrics.pretrained",
    "file": "tfgan_suite.metrics.pretrained",
    "numbers": "tfgan_suite.metrics.numbers",
}
"""Extractor name -> the module whose `load` makes it."""
_OF_ANY_SHAPE = ("numbers",)


def load(
    name: str, *, cache_dir: str | os.PathLike, data: examples.Data, resizer: str = "default", seed: int = 0, limit: int = 20_000
) -> extractor.Extractor:
    """An extractor by name.

    name: `embedded`: a small classifier trained on the dataset itself and cached, no network needed; `inception[:path]`: TF-GAN's Inception, from
      TensorFlow Hub or a local SavedModel; `keras:<Application>[:weights path]`: an ImageNet network of `keras.applications`; `file:<path>`: a
      SavedModel directory or a `.keras` file; `numbers`: what is judged is its own features, for vectors.
    data: what is judged. `embedded` learns from its training split; every classifier of its labels is measured on its held-out split (`accuracy`).
    resizer: a name in `resize.RESIZERS`, or `default` for the extractor's own.
    seed, limit: of `embedded`: its initial weights and order, and the number of images it learns from.

    Call it outside of a distribution strategy's scope. Raises ValueError for an unknown name, a missing file or network (naming the remedy), and
    images the extractor cannot take.
    """
    kind, _, argument = name.partition(":")
    if kind not in EXTRACTORS:
        raise ValueError(
            f"There is no feature extractor {name!r}. Choose one of: embedded, inception, inception:<SavedModel dir>, keras:<Application>, "
            f"keras:<Application>:<weights file>, file:<SavedModel dir or .keras file>, numbers."
        )
    height, width, channels = data.spec.image_shape
    if kind not in _OF_ANY_SHAPE and (not 1 <= channels <= 4 or min(height, width) < 16):
        raise ValueError(
            f"Feature extractors take images of 1 to 4 channels and at least 16 pixels a side. Received: {(height, width, channels)}. Vectors are "
            "judged with --experiment.evaluation.extractor=numbers."
        )
    module = importlib.import_module(EXTRACTORS[kind])
    loaded = module.load(kind, argument, cache_dir=cache_dir, data=data, resizer=resizer, seed=seed, limit=limit)
    if loaded.classes == "labels" and not loaded.accuracy and data.spec.test_size:
        loaded.accuracy = conditioning.accuracies(loaded, examples.of(data, "test", 10_000), data.spec.class_groups)
    return loaded
