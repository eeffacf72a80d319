import io

import numpy as np
import pytest
from PIL import Image

from export.client import pictures


@pytest.mark.parametrize("channels, mode", [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_a_png_holds_the_pixels_and_is_decoded_to_them(channels, mode):
    image = np.random.default_rng(0).integers(0, 256, [5, 4, channels], dtype=np.uint8)
    file = pictures.png(image)
    with Image.open(io.BytesIO(file)) as opened:
        assert (opened.format, opened.mode, opened.size) == ("PNG", mode, (4, 5))
    np.testing.assert_array_equal(pictures.decode([file, file]), [image, image])


@pytest.mark.parametrize("begin", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a" * 10, b"\xff\xd8\xff\xe0"])
def test_bytes_that_are_no_image_are_an_error(begin):
    with pytest.raises(ValueError, match=f"{len(begin)} bytes that are no image"):
        pictures.decode([begin])


def test_half_an_image_is_an_error():
    whole = pictures.png(np.random.default_rng(0).integers(0, 256, [32, 32, 3], dtype=np.uint8))
    file = whole[: len(whole) // 2]
    with pytest.raises(ValueError, match=f"{len(file)} bytes that are no image"):
        pictures.decode([file])


def test_images_of_two_sizes_are_an_error():
    with pytest.raises(ValueError, match="different shapes"):
        pictures.decode([pictures.png(np.zeros([2, size, 3], np.uint8)) for size in (2, 3)])


def test_a_grid_goes_row_by_row_with_white_between():
    images = np.arange(3, dtype=np.uint8)[:, None, None, None] * np.ones([1, 2, 3, 1], np.uint8)
    sheet = pictures.grid(images, columns=2)
    white, (a, b, c) = 255, (0, 1, 2)
    row = lambda *values: [value for value in (white, white, *values)]  # noqa: E731
    line, empty = lambda x, y: row(x, x, x, white, white, y, y, y, white, white), [white] * 12
    expected = [empty, empty, line(a, b), line(a, b), empty, empty, line(c, white), line(c, white), empty, empty]
    np.testing.assert_array_equal(sheet[..., 0], expected)


@pytest.mark.parametrize("count, columns, shape", [(16, None, (4, 4)), (5, None, (2, 3)), (3, 9, (1, 3)), (1, None, (1, 1))])
def test_a_grid_is_about_square_unless_told(count, columns, shape):
    rows, across = shape
    assert pictures.grid(np.zeros([count, 8, 6, 1], np.uint8), columns).shape == (2 + 10 * rows, 2 + 8 * across, 1)
