"""The extractor that leaves vectors as they are: for data that are no pictures, such as points and word vectors."""

import numpy as np

from tfgan_suite.metrics import extractor


def load(kind, argument, *, cache_dir, data, resizer, seed, limit) -> "Numbers":
    """Nothing to load. See `features.load`."""
    if argument or resizer != "default":
        raise ValueError(f"The extractor 'numbers' takes neither path nor resizer. Received: path {argument!r}, resizer {resizer!r}.")
    return Numbers()


class Numbers(extractor.Extractor):
    """The features of an image are its own numbers, neither rounded nor bounded."""

    name, fingerprint, resizer = "numbers", "none", "none"
    quantised = False

    def __init__(self):
        self.accuracy = {}

    def __call__(self, images):
        features = np.asarray(images, np.float32).reshape(len(images), -1)
        if not np.isfinite(features).all():
            raise ValueError("The vectors contain NaN or infinity and cannot be judged. The generator has diverged.")
        return {"features": features, "probabilities": np.zeros((len(features), 0))}
