"""A model as a classifier: through the endpoint `classify`, so that what is judged is what is exported."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfgan_suite.core import gan

ENDPOINT = "classify"
"""{"image": [b, h, w, c]} -> {"probabilities": [b, k], "label": int64 [b]}."""
_ROWS = 100


def classifier(model: gan.Gan) -> Callable[[np.ndarray], np.ndarray] | None:
    """A function: images [n, h, w, c] float32 in [-1, 1] -> labels [n], by the present averaged weights; None for a model that does not classify.

    Call `model.ready()` first.
    """
    found = [endpoint for endpoint in model.endpoints() if endpoint.name == ENDPOINT]
    if not found:
        return None
    compiled = tf.function(lambda image: found[0].function(image=image)["label"], input_signature=[found[0].inputs["image"]], autograph=False)

    def classify(images: np.ndarray) -> np.ndarray:
        parts = [compiled(tf.constant(images[i : i + _ROWS])).numpy() for i in range(0, len(images), _ROWS)]
        return np.concatenate(parts)

    return classify
