import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export import images


def test_pixels_are_rounded_half_up_and_clipped():
    values = tf.constant([-1.5, -1.0, -1.0 + 1 / 255, 0.0, 1.0, 1.5])  # 0.5 levels above -1 rounds up
    np.testing.assert_array_equal(images.pixels(values), [0, 0, 1, 128, 255, 255])


def pictures(channels):
    return np.random.default_rng(0).uniform(-1.1, 1.1, [2, 5, 7, channels]).astype(np.float32)


def levels(values):
    return np.clip(np.floor((values + 1.0) * 127.5 + 0.5), 0, 255)


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_each_row_becomes_a_png_of_its_own(channels, mode):
    given = pictures(channels)
    files = images.encode(tf.constant(given), "png")["image_bytes"].numpy()
    for file, row in zip(files, levels(given), strict=True):
        picture = Image.open(io.BytesIO(file))
        assert (picture.format, picture.mode) == ("PNG", mode)
        np.testing.assert_array_equal(np.asarray(picture).reshape(row.shape), row)
    np.testing.assert_array_equal(images.decode(files, "png"), levels(given))


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB")])
def test_each_row_becomes_a_jpeg_of_its_own_which_looks_like_it(channels, mode):
    slopes = np.linspace(-1.0, 1.0, 32, dtype=np.float32)
    given = np.stack([slopes[:, None] * slopes, slopes[:, None] + 0.0 * slopes])[..., None] * np.ones(channels, np.float32)
    files = images.encode(tf.constant(given), "jpeg")["image_bytes"].numpy()
    for file, row, decoded in zip(files, levels(given), images.decode(files, "jpeg"), strict=True):
        picture = Image.open(io.BytesIO(file))
        assert (picture.format, picture.mode) == ("JPEG", mode)
        assert np.abs(np.asarray(picture).reshape(row.shape) - row).mean() < 2.0
        assert np.abs(decoded.astype(int) - row).mean() < 2.0


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_each_row_becomes_pixels_of_any_number_of_channels(channels):
    given = pictures(channels)
    answer = images.encode(tf.constant(given), "uint8")["images"].numpy()
    assert answer.dtype == np.uint8
    np.testing.assert_array_equal(answer, levels(given))
    np.testing.assert_array_equal(images.decode(answer, "uint8"), levels(given))


@pytest.mark.parametrize("encoding", images.ENCODINGS)
def test_a_level_in_a_thousandth_of_the_values_is_within_an_encodings_tolerance(encoding):
    form, draws = images.ENCODINGS[encoding], np.random.default_rng(1)
    for side in (8, 32, 64):
        smooth = 127.5 + 120.0 * np.sin(np.linspace(0.0, 9.0, side))[:, None, None] * np.cos(np.linspace(0.0, 5.0, side))[:, None]
        for base in (np.repeat(smooth, 3, -1).astype(np.uint8), draws.integers(1, 255, (side, side, 3)).astype(np.uint8)):
            for _ in range(10):
                other = base.copy().reshape(-1)
                changed = draws.choice(other.size, max(1, other.size // 1000) if encoding == "jpeg" else other.size // 1000, replace=False)
                other[changed] += draws.choice([1, 255], changed.size).astype(np.uint8)
                pair = form.encode(tf.constant(np.stack([base, other.reshape(base.shape)])))
                first, second = (row.astype(int) for row in images.decode(pair.numpy(), encoding))
                assert np.abs(first - second).max() <= form.levels and np.mean(first != second) <= form.share
