"""A model as a classifier: through the endpoint `classify`, so that what is judged is what is exported."""

from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from tfgan_suite.core import endpoint as endpoints
from tfgan_suite.core import gan
from tfgan_suite.ops import random

ENDPOINT = "classify"
"""{"image": [b, h, w, c]} -> {"probabilities": [b, k], "label": int64 [b]}."""
_ROWS = 100


def endpoint(network: keras.Model, image_shape: tuple[int, int, int]) -> endpoints.Endpoint:
    """The endpoint of a network {"image": [b, h, w, c]} -> {"class_logits": [b, k], ...} in which each row is scored for itself."""

    def classify(image):
        class_logits = network({"image": image}, training=False)["class_logits"]
        return {"probabilities": tf.nn.softmax(class_logits), "label": tf.argmax(class_logits, -1, output_type=tf.int64)}

    def examples(rows):
        pixels = random.row_uniform(tf.range(rows, dtype=tf.int64), int(np.prod(image_shape)))
        return {"image": tf.reshape(2.0 * pixels - 1.0, (rows, *image_shape)).numpy()}

    inputs = {"image": tf.TensorSpec([None, *image_shape], tf.float32)}
    return endpoints.Endpoint(name=ENDPOINT, function=classify, inputs=inputs, networks=(network,), examples=examples)


def classifier(model: gan.Gan) -> Callable[[np.ndarray], np.ndarray] | None:
    """A function: images [n, h, w, c] float32 in [-1, 1] -> labels [n], by the present averaged weights; None for a model that does not classify.

    Call `model.ready()` first.
    """
    found = [candidate for candidate in model.endpoints() if candidate.name == ENDPOINT]
    if not found:
        return None
    compiled = tf.function(lambda image: found[0].function(image=image)["label"], input_signature=[found[0].inputs["image"]], autograph=False)

    def classify(images: np.ndarray) -> np.ndarray:
        parts = [compiled(tf.constant(images[i : i + _ROWS])).numpy() for i in range(0, len(images), _ROWS)]
        return np.concatenate(parts)

    return classify
