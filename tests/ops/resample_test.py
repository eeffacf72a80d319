import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.ops import resample


def draw(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).standard_normal(shape))


def test_nearest_up_repeats_each_pixel():
    x = draw(2, 3, 4, 5)
    np.testing.assert_array_equal(resample.nearest_up(x), x.numpy().repeat(2, 1).repeat(2, 2))


def test_average_down_takes_the_mean_of_each_block():
    x = draw(2, 4, 6, 3)
    expected = x.numpy().reshape(2, 2, 2, 3, 2, 3).mean((2, 4))
    np.testing.assert_allclose(resample.average_down(x), expected, rtol=1e-12)


def test_average_down_undoes_nearest_up():
    x = draw(2, 3, 4, 5)
    np.testing.assert_allclose(resample.average_down(resample.nearest_up(x)), x, rtol=1e-12)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_up_convolution_equals_upsampling_and_convolution(size):
    x, kernel = draw(2, 5, 6, 3), draw(size, size, 3, 4, seed=1)
    plain = tf.nn.conv2d(resample.nearest_up(x), kernel, 1, "SAME")
    np.testing.assert_allclose(resample.up_convolution(x, kernel), plain, atol=1e-12)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_convolution_down_equals_convolution_and_pooling(size):
    x, kernel = draw(2, 6, 8, 3), draw(size, size, 3, 4, seed=1)
    plain = resample.average_down(tf.nn.conv2d(x, kernel, 1, "SAME"))
    np.testing.assert_allclose(resample.convolution_down(x, kernel), plain, atol=1e-12)


def test_collapsed_kernels_are_the_published_taps():
    w = tf.reshape(tf.constant([1.0, 10.0, 100.0]), (3, 1, 1, 1)) * tf.reshape(tf.constant([0.0, 1.0, 0.0]), (1, 3, 1, 1))
    np.testing.assert_allclose(resample.collapse_up(w)[:, 1, 0, 0], [100.0, 110.0, 11.0, 1.0])
    np.testing.assert_allclose(4 * resample.collapse_down(w)[:, 1, 0, 0], [1.0, 11.0, 110.0, 100.0])


def test_max_down_takes_the_largest_of_each_block_and_sends_the_gradient_there():
    x = draw(2, 4, 6, 3)
    blocks = x.numpy().reshape(2, 2, 2, 3, 2, 3)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = resample.max_down(x)
        loss = tf.reduce_sum(y**2)
    largest = blocks.max((2, 4))
    np.testing.assert_array_equal(y, largest)
    expected = np.where(blocks == largest[:, :, None, :, None], 2.0 * blocks, 0.0).reshape(x.shape)
    np.testing.assert_array_equal(tape.gradient(loss, x), expected)
