import io

import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from pipelines import readers

RAMP = np.tile(np.arange(8, dtype=np.uint8)[None, :, None] * 10, (4, 1, 3))  # 4 x 8, column j has the value 10 j


def _resized(name, image, size):
    return readers.RESIZES[name](tf.constant(image), size).numpy()


def test_crop_takes_the_centred_window():
    np.testing.assert_array_equal(_resized("crop", RAMP, (4, 4))[0, :, 0], [20, 30, 40, 50])
    np.testing.assert_array_equal(_resized("crop", RAMP.transpose(1, 0, 2), (4, 4))[:, 0, 0], [20, 30, 40, 50])


def test_pad_scales_to_fit_and_leaves_black_margins():
    image = np.full((4, 8, 3), 200, np.uint8)
    np.testing.assert_array_equal(_resized("pad", image, (8, 8))[:, 0, 0], [0, 0, 200, 200, 200, 200, 0, 0])
    np.testing.assert_allclose(_resized("pad", image, (4, 4))[:, 0, 0], [0, 200, 200, 0], rtol=1e-6)


def test_margin_puts_a_28_pixel_digit_on_32_pixels_with_two_on_each_side():
    image = np.random.default_rng(0).integers(1, 256, (28, 28, 1), np.uint8)
    np.testing.assert_array_equal(_resized("margin", image, (32, 32)), np.pad(image, ((2, 2), (2, 2), (0, 0))))


def test_margin_cuts_the_ends_of_a_longer_axis():
    np.testing.assert_array_equal(_resized("margin", RAMP, (6, 4))[:, :, 0], np.pad(np.tile([20, 30, 40, 50], (4, 1)), ((1, 1), (0, 0))))


def test_stretch_is_pillows_antialiased_bilinear():
    image = np.random.default_rng(0).integers(0, 256, (30, 47, 3), np.uint8)
    expected = np.asarray(PIL.Image.fromarray(image).resize((16, 11), PIL.Image.Resampling.BILINEAR), np.float32)
    np.testing.assert_allclose(_resized("stretch", image, (11, 16)), expected, atol=1.01)  # Pillow rounds between its two passes


@pytest.mark.parametrize("name", ["crop", "stretch", "pad", "margin"])
def test_an_image_of_the_wanted_size_stays_as_it_is(name):
    image = np.random.default_rng(0).integers(0, 256, (9, 7, 4), np.uint8)
    np.testing.assert_array_equal(_resized(name, image, (9, 7)), image)


@pytest.mark.parametrize("name", ["crop", "stretch", "pad", "margin"])
@pytest.mark.parametrize("shape", [(1, 50, 1), (50, 1, 2), (3, 3, 3), (64, 48, 4)])
def test_every_size_becomes_the_wanted_one(name, shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    resized = _resized(name, image, (8, 12))
    assert resized.shape == (8, 12, shape[-1]) and resized.min() >= 0 and resized.max() <= 255


@pytest.mark.parametrize(
    ("pixel", "channels", "expected"),
    [
        ([7], 3, [7, 7, 7]),
        ([7], 4, [7, 7, 7, 255]),
        ([7], 2, [7, 255]),
        ([7, 9], 1, [7]),
        ([7, 9], 4, [7, 7, 7, 9]),
        ([100, 50, 200], 1, [82]),  # 0.299 * 100 + 0.587 * 50 + 0.114 * 200 = 82.05
        ([100, 50, 200], 4, [100, 50, 200, 255]),
        ([1, 2, 3, 9], 3, [1, 2, 3]),
        ([100, 50, 200, 9], 2, [82, 9]),
    ],
)
def test_channels_are_converted(pixel, channels, expected):
    image = tf.constant(np.tile(np.asarray(pixel, np.uint8), (2, 2, 1)))
    np.testing.assert_array_equal(readers.with_channels(image, channels).numpy()[1, 1], expected)
    as_graph = tf.function(lambda x: readers.with_channels(x, channels), input_signature=[tf.TensorSpec([None, None, None], tf.uint8)])
    np.testing.assert_array_equal(as_graph(image).numpy()[1, 1], expected)


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "WEBP", "JPEG"])
def test_every_image_format_is_read_and_of_an_animation_the_first_frame(form):
    first = PIL.Image.fromarray(np.full((16, 16, 3), 200, np.uint8))
    frames = {"save_all": True, "append_images": [PIL.Image.fromarray(np.zeros((16, 16, 3), np.uint8))]} if form == "GIF" else {}
    encoded = io.BytesIO()
    first.save(encoded, form, **frames)
    image = readers.pixels(tf.constant(encoded.getvalue()), channels=3, size=(0, 0), resize="crop").numpy()
    assert image.shape == (16, 16, 3) and abs(image.astype(int) - 200).max() <= 2


def test_bytes_become_exactly_the_range_and_masks_black_and_white():
    columns = {"image": readers.Column(kind="image", shape=(1, 2, 1)), "mask": readers.Column(kind="mask", shape=(1, 2, 1))}
    layout = readers.Layout(columns=columns, size=(0, 0), resize="crop")
    batch = layout.batch({"image": tf.constant([[[[0], [255]]]], tf.uint8), "mask": tf.constant([[[[127], [128]]]], tf.uint8)})
    assert batch["image"].numpy().ravel().tolist() == [-1.0, 1.0]
    assert batch["mask"].numpy().ravel().tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("split", "expected"),
    [
        ("train", ("train", 0, 200)),
        ("train[:90%]", ("train", 0, 180)),
        ("train[90%:]", ("train", 180, 200)),
        ("train[10:20]", ("train", 10, 20)),
        ("train[-50:]", ("train", 150, 200)),
        ("train[:1000]", ("train", 0, 200)),
    ],
)
def test_splits_are_sliced_as_in_tfds(split, expected):
    assert readers.split_range(split, {"train": 200, "test": 10}, "x") == expected


@pytest.mark.parametrize(("split", "message"), [("val", "no split 'val'. It has: train, test"), ("train[5", "written"), ("test[10:]", "is empty")])
def test_a_wrong_split_is_explained(split, message):
    with pytest.raises(ValueError, match=message):
        readers.split_range(split, {"train": 200, "test": 10}, "x")
