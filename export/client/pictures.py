"""Images as a client has them: decoded, in a grid, as files. Needs no TensorFlow."""

import io
import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, UnidentifiedImageError

_GAP = 2


def decode(files: Sequence[bytes]) -> np.ndarray:
    """PNG or JPEG files of one size -> uint8 [b, h, w, c], channels as stored. ValueError for anything else."""
    images = [_decoded(file) for file in files]
    shapes = sorted({image.shape for image in images})
    if len(shapes) > 1:
        raise ValueError(f"images of different shapes: {shapes}")
    return np.stack(images)


def png(image: np.ndarray) -> bytes:
    """uint8 [h, w, c] -> a PNG file; c is 1, 3 or 4."""
    buffer = io.BytesIO()
    Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(buffer, "png")
    return buffer.getvalue()


def grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """uint8 [b, h, w, c] row by row as one uint8 picture [H, W, c], on white; about as many rows as columns unless told."""
    count, height, width, channels = images.shape
    columns = min(columns or math.ceil(math.sqrt(count)), count)
    sheet = np.full((math.ceil(count / columns) * (height + _GAP) + _GAP, columns * (width + _GAP) + _GAP, channels), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = _GAP + (i // columns) * (height + _GAP), _GAP + (i % columns) * (width + _GAP)
        sheet[top : top + height, left : left + width] = image
    return sheet


def _decoded(file: bytes) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(file), formats=("PNG", "JPEG")) as image:
            pixels = np.asarray(image)
    except (OSError, SyntaxError, ValueError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ValueError(f"{len(file)} bytes that are no image") from error
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3):
        raise ValueError(f"an image of {pixels.dtype} values")
    return pixels[..., None] if pixels.ndim == 2 else pixels
