import numpy as np
import PIL.Image
import pytest
import tensorflow as tf

from tfgan_suite.metrics import resize


def impulse(size, at):
    image = np.zeros((1, size, size, 1), np.float32)
    image[0, at, at, 0] = 1.0
    return image


@pytest.mark.parametrize(("resizer", "source"), [("legacy_tf", lambda i: i * 32 / 299), ("half_pixel", lambda i: (i + 0.5) * 32 / 299 - 0.5)])
def test_an_impulse_lands_where_the_formula_says(resizer, source):
    found = resize.resize(tf.constant(impulse(32, 10)), (299, 299), resizer).numpy()[0, :, :, 0]
    profile = np.maximum(0.0, 1.0 - np.abs(source(np.arange(299)) - 10))
    np.testing.assert_allclose(found, np.outer(profile, profile), atol=1e-5)


@pytest.mark.parametrize("resizer", list(resize.RESIZERS))
@pytest.mark.parametrize("size", [(75, 40), (9, 20)])
def test_a_constant_image_stays_constant(resizer, size):
    found = resize.resize(tf.fill([1, 32, 24, 2], 7.0), size, resizer)
    np.testing.assert_allclose(found, np.full((1, *size, 2), 7.0), rtol=1e-5)


@pytest.mark.parametrize(("resizer", "half_pixel_centers"), [("legacy_tf", False), ("half_pixel", True)])
def test_bilinear_equals_tensorflow(resizer, half_pixel_centers):
    images = np.random.RandomState(0).uniform(0, 255, (2, 20, 16, 3)).astype(np.float32)
    expected = tf.raw_ops.ResizeBilinear(images=images, size=[45, 31], align_corners=False, half_pixel_centers=half_pixel_centers)
    np.testing.assert_allclose(resize.resize(tf.constant(images), (45, 31), resizer), expected, atol=1e-3)


@pytest.mark.parametrize("size", [(45, 31), (11, 7)])
def test_clean_equals_pillow_bicubic(size):
    image = np.random.RandomState(1).uniform(0, 255, (24, 16)).astype(np.float32)
    expected = np.asarray(PIL.Image.fromarray(image, "F").resize(size[::-1], PIL.Image.Resampling.BICUBIC))
    np.testing.assert_allclose(resize.resize(tf.constant(image[None, :, :, None]), size, "clean")[0, :, :, 0], expected, atol=1e-2)


def test_antialias_equals_tensorflow():
    images = np.random.RandomState(2).uniform(0, 255, (1, 64, 48, 3)).astype(np.float32)
    expected = tf.image.resize(images, (20, 16), antialias=True)
    np.testing.assert_allclose(resize.resize(tf.constant(images), (20, 16), "antialias"), expected, atol=1e-2)


@pytest.mark.parametrize("resizer", list(resize.RESIZERS))
def test_an_equal_size_changes_nothing(resizer):
    images = np.random.RandomState(3).uniform(0, 255, (1, 17, 17, 1)).astype(np.float32)
    np.testing.assert_array_equal(resize.resize(tf.constant(images), (17, 17), resizer), images)


def test_an_unknown_resizer_is_refused_with_the_alternatives():
    with pytest.raises(ValueError, match="no resizer 'lanczos'.*legacy_tf, half_pixel, clean, antialias"):
        resize.matrix("lanczos", 32, 64)
