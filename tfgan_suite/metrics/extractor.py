"""What turns images into features: the quantiser, and the base of every extractor.

Images are rounded to 8 bits first, as a saved file would be, and the last batch is padded to the fixed batch size with the padding dropped, so that
an image's features depend neither on the batch it came in nor on the batch size. Extractors run in float32 whatever the global precision.
"""

import contextlib
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from tfgan_suite.ops import pixels


def quantise(images: np.ndarray | tf.Tensor) -> np.ndarray:
    """Images in [-1, 1] to uint8: clip(round((x + 1) * 127.5), 0, 255), halves up."""
    images = np.asarray(images, np.float32)
    if images.ndim != 4:
        raise ValueError(f"Images must have the shape [b, h, w, c]. Received: {images.shape}.")
    if not np.isfinite(images).all():
        raise ValueError("The images contain NaN or infinity and cannot be judged. The generator has diverged.")
    return pixels.quantize(images).numpy()


class Extractor:
    """Images to features and class probabilities. Subclasses set the attributes and give `network`."""

    name: str
    """As in the protocol record, e.g. `embedded`, `inception`, `keras:ResNet50`."""
    fingerprint: str
    """Hash of the weights."""
    resizer: str
    """A name in `resize.RESIZERS`."""
    classes: str = "none"
    """What the probabilities are about: `labels` (the dataset's own), `rotations` (a pretext without labels), `imagenet`, `other`, or `none`."""
    standard: bool = False
    """Whether these are the features of the published FID, KID and IS. The results of any other are named `fid_proxy`, `kid_proxy`, `is_proxy`."""
    quantised: bool = True
    """Whether images are rounded to 8 bits first."""
    accuracy: dict[str, float]
    """The classifier's own accuracy on real held-out images, overall (`accuracy`) and per class group (`accuracy_<group>`); empty where unknown."""
    batch_size: int = 64

    def network(self, pixels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """uint8 [batch_size, h, w, c] to features [batch_size, f] and class logits [batch_size, k] (k = 0 without classes). Runs in a graph."""
        raise NotImplementedError

    def __call__(self, images: np.ndarray | tf.Tensor) -> dict[str, np.ndarray]:
        """`{"features": [b, f] float32, "probabilities": [b, k] float64}` of images [b, h, w, c] float32 in [-1, 1]."""
        pixels = quantise(images)
        features, logits = [], []
        with _full_precision():
            for start in range(0, len(pixels), self.batch_size):
                part = pixels[start : start + self.batch_size]
                padding = [(0, self.batch_size - len(part))] + [(0, 0)] * 3
                f, z = self._compiled(tf.constant(np.pad(part, padding)))
                features.append(f.numpy()[: len(part)])
                logits.append(z.numpy()[: len(part)])
        return {"features": np.concatenate(features), "probabilities": _softmax(np.concatenate(logits))}

    @property
    def _compiled(self) -> Callable:
        if "_function" not in self.__dict__:
            self._function = tf.function(self.network, jit_compile=False, autograph=False)
        return self._function


@contextlib.contextmanager
def _full_precision() -> Iterator[None]:
    """GPUs round the inputs of float32 convolutions to 10 bits by default (TF32), which moves features: not here."""
    enabled = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(enabled)


def require_color(image_shape: tuple[int, int, int], who: str) -> None:
    """Raises ValueError unless images of this shape can be shown to a network of colour photographs."""
    if image_shape[2] not in (1, 3):
        raise ValueError(f"The extractor {who} takes images of 3 channels, or of 1 that is repeated. Received {image_shape[2]} channels.")


def color(pixels: tf.Tensor) -> tf.Tensor:
    """Images [b, h, w, 1 or 3] with 3 channels."""
    return pixels if pixels.shape[3] == 3 else tf.repeat(pixels, 3, axis=3)


def _softmax(logits: np.ndarray) -> np.ndarray:
    """Rows of probabilities in float64; [b, 0] stays empty."""
    if not logits.shape[1]:
        return logits.astype(np.float64)
    exponents = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return exponents / exponents.sum(1, keepdims=True)
