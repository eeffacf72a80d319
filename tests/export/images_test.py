import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export import images


def test_pixels_are_rounded_half_up_and_clipped():
    values = tf.constant([-1.5, -1.0, -1.0 + 1 / 255, 0.0, 1.0, 1.5])  # 0.5 levels above -1 rounds up
    np.testing.assert_array_equal(images.pixels(values), [0, 0, 1, 128, 255, 255])


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_each_row_becomes_a_png_of_its_own(channels, mode):
    draws = np.random.default_rng(0).uniform(-1.1, 1.1, [2, 5, 7, channels]).astype(np.float32)
    files = images.encode(tf.constant(draws), "png").numpy()
    for file, row in zip(files, draws, strict=True):
        picture = Image.open(io.BytesIO(file))
        assert picture.mode == mode
        expected = np.clip(np.floor((row + 1.0) * 127.5 + 0.5), 0, 255)
        np.testing.assert_array_equal(np.asarray(picture).reshape(row.shape), expected)
        np.testing.assert_array_equal(images.decode(file, "png"), expected)
