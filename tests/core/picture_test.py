import io

import numpy as np
import pytest
from PIL import Image

from tfgan_suite.core import picture


def tiles(*greys, height=2, width=3, channels=3):
    """Images of one grey each, given as bytes."""
    return np.stack([np.full((height, width, channels), grey / 127.5 - 1.0, np.float32) for grey in greys])


def test_a_grid_is_filled_row_by_row_on_white():
    sheet = picture.grid(tiles(10, 20, 30), columns=2)
    assert sheet.shape == (2 * (2 + 2) + 2, 2 * (3 + 2) + 2, 3)
    expected = np.full(sheet.shape, 255)
    expected[2:4, 2:5], expected[2:4, 7:10], expected[6:8, 2:5] = 10, 20, 30
    np.testing.assert_array_equal(sheet, expected)


def test_scaling_repeats_pixels():
    small, large = (picture.grid(tiles(10, 20), columns=1, scale=s) for s in (1, 3))
    np.testing.assert_array_equal(large, np.kron(small, np.ones((3, 3, 1), np.uint8)))


@pytest.mark.parametrize("channels, shown", [(1, 3), (2, 3), (3, 3), (4, 4)])
def test_any_number_of_channels_becomes_a_picture(channels, shown):
    sheet = picture.grid(tiles(10, channels=channels), columns=1)
    assert sheet.shape == (6, 7, shown)
    assert (sheet[2:4, 2:5] == 10).all()
    assert Image.open(io.BytesIO(picture.png(sheet))).size == (7, 6)


def test_of_two_channels_the_first_is_shown():
    image = tiles(10, channels=2)
    image[..., 1] = 1.0
    assert (picture.grid(image, columns=1)[2:4, 2:5] == 10).all()


def test_a_png_holds_the_picture_bit_for_bit():
    sheet = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    np.testing.assert_array_equal(Image.open(io.BytesIO(picture.png(sheet))), sheet)


def test_an_animation_shows_every_frame_endlessly_and_rests_on_the_last():
    frames = [picture.png(np.full((4, 6, 3), grey, np.uint8)) for grey in (0, 100, 200)]
    film = Image.open(io.BytesIO(picture.animation(frames, seconds_per_frame=0.2)))
    assert (film.format, film.n_frames, film.size, film.info["loop"]) == ("GIF", 3, (6, 4), 0)
    shown = []
    for i in range(3):
        film.seek(i)
        shown.append((film.convert("RGB").getpixel((0, 0))[0], film.info["duration"]))
    assert [duration for _, duration in shown] == [200, 200, 800]
    np.testing.assert_allclose([grey for grey, _ in shown], [0, 100, 200], atol=4)  # a palette's rounding


def test_points_of_the_plane_lie_where_their_numbers_say_with_the_second_upwards():
    sheet = picture.plane(np.array([[-1.0, -1.0], [0.999, 0.0], [0.0, 0.999], [5.0, 0.0], [np.nan, 0.0]]), -1.0, 1.0)
    assert sheet.shape == (256, 256, 3)
    assert sorted(map(tuple, np.argwhere((sheet != 255).any(-1)).tolist())) == [(0, 128), (127, 255), (255, 0)]


def ink(strip):
    """Rows and columns that hold any mark."""
    dark = strip.min(axis=2) < 128
    return np.flatnonzero(dark.any(1)), np.flatnonzero(dark.any(0))


def test_names_of_columns_stand_above_them_and_the_picture_is_as_it_was():
    sheet = np.full((20, 120, 3), 200, np.uint8)
    named = picture.with_column_names(sheet, ["one", "", "three"])
    np.testing.assert_array_equal(named[-20:], sheet)
    _, columns = ink(named[:-20])
    assert columns[columns < 40].size and columns[columns >= 80].size and not columns[(columns >= 40) & (columns < 80)].size


def test_a_long_name_is_broken_at_its_spaces():
    sheet = np.full((20, 60, 3), 200, np.uint8)
    one, broken = (picture.with_column_names(sheet, [name]) for name in ("purple", "purple cylinder cylinder"))
    assert broken.shape[0] > one.shape[0] + 20
    assert broken.shape[1] == 60


def test_names_of_rows_stand_to_their_left():
    sheet = np.full((90, 20, 4), 200, np.uint8)
    named = picture.with_row_names(sheet, ["first", "", "third and last"])
    np.testing.assert_array_equal(named[:, -20:], sheet)
    rows, columns = ink(named[:, :-20, :3])
    assert rows[rows < 30].size and rows[rows >= 60].size and not rows[(rows >= 30) & (rows < 60)].size
    assert columns.min() >= 1
