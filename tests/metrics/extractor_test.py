import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.metrics import extractor


class Means(extractor.Extractor):
    """Mean colour as features, and as logits."""

    batch_size = 4

    def __init__(self):
        self.shapes = []

    def network(self, pixels):
        self.shapes.append(pixels.shape)
        assert pixels.dtype == tf.uint8
        means = tf.reduce_mean(tf.cast(pixels, tf.float32), [1, 2])
        return means, means / 255.0


def constant(value):
    return np.full((1, 2, 2, 1), value, np.float32)


@pytest.mark.parametrize(("value", "level"), [(-1, 0), (1, 255), (0, 128), (1 / 255, 128), (2 / 255, 129), (-1.5, 0), (7.0, 255)])
def test_the_quantiser_rounds_halves_up_and_clips(value, level):
    np.testing.assert_array_equal(extractor.quantise(constant(value)), constant(level))


def test_the_quantiser_gives_back_every_level():
    levels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(extractor.quantise(levels.astype(np.float32) / 127.5 - 1.0), levels)
    np.testing.assert_array_equal(extractor.quantise(levels.astype(np.float32) * (2 / 255) - 1.0), levels)


def test_images_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="NaN or infinity.*diverged"):
        extractor.quantise(constant(np.nan))


def test_images_without_a_batch_axis_are_refused():
    with pytest.raises(ValueError, match=r"\[b, h, w, c\]"):
        extractor.quantise(np.zeros((4, 4, 3)))


def test_the_network_sees_one_batch_size_and_padding_is_dropped():
    images = np.random.RandomState(0).uniform(-1, 1, (11, 6, 6, 3))
    means = Means()
    found = means(images)
    assert found["features"].shape == (11, 3) and found["probabilities"].shape == (11, 3)
    assert set(means.shapes) == {(4, 6, 6, 3)}
    np.testing.assert_allclose(found["features"], extractor.quantise(images).astype(np.float64).mean((1, 2)), rtol=1e-6)


def test_features_do_not_depend_on_the_batches_that_images_come_in():
    images = np.random.RandomState(1).uniform(-1, 1, (10, 6, 6, 3))
    means = Means()
    together = means(images)
    for size in (1, 3, 7):
        parts = [means(images[i : i + size]) for i in range(0, 10, size)]
        for key, value in together.items():
            np.testing.assert_allclose(np.concatenate([part[key] for part in parts]), value, atol=1e-6)


def test_probabilities_are_softmax_in_float64():
    found = Means()(np.random.RandomState(2).uniform(-1, 1, (3, 6, 6, 3)))
    logits = found["features"].astype(np.float64) / 255.0
    np.testing.assert_allclose(found["probabilities"], np.exp(logits) / np.exp(logits).sum(1, keepdims=True), rtol=1e-6)
    np.testing.assert_allclose(found["probabilities"].sum(1), 1.0, rtol=1e-15)


def test_tensors_are_taken_like_arrays():
    images = np.random.RandomState(3).uniform(-1, 1, (2, 6, 6, 3)).astype(np.float32)
    np.testing.assert_array_equal(Means()(tf.constant(images))["features"], Means()(images)["features"])


def test_the_precision_of_matrix_products_is_restored():
    before = tf.config.experimental.tensor_float_32_execution_enabled()
    Means()(np.zeros((1, 6, 6, 3)))
    assert tf.config.experimental.tensor_float_32_execution_enabled() == before


def test_features_stay_float32_under_a_mixed_global_policy():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        assert Means()(np.zeros((1, 6, 6, 3)))["features"].dtype == np.float32
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("channels", [2, 4])
def test_networks_of_photographs_refuse_images_that_are_neither_grey_nor_rgb(channels):
    with pytest.raises(ValueError, match=f"Received {channels} channels"):
        extractor.require_color((32, 32, channels), "inception")


def test_grey_images_are_repeated_to_three_channels():
    pixels = tf.constant(np.arange(4, dtype=np.uint8).reshape(1, 2, 2, 1))
    np.testing.assert_array_equal(extractor.color(pixels), np.repeat(pixels.numpy(), 3, axis=3))
