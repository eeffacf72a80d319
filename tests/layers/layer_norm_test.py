import numpy as np
import tensorflow as tf

from tfgan_suite.layers import layer_norm


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def test_each_example_is_normalised_over_all_its_elements_with_a_gain_per_channel():
    layer = layer_norm.LayerNorm(dtype="float64")
    x = draw(3, 4, 5, 2)
    layer.build(x.shape)
    layer.gain.assign([2.0, 0.5])
    layer.offset.assign([1.0, -1.0])
    axes = (1, 2, 3)
    expected = (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + 1e-5) * [2.0, 0.5] + [1.0, -1.0]
    np.testing.assert_allclose(layer(x), expected, atol=1e-12)
    assert [tuple(v.shape) for v in layer.variables] == [(2,), (2,)]


def test_examples_do_not_see_each_other():
    layer = layer_norm.LayerNorm()
    x = draw(3, 4, 4, 2).astype(np.float32)
    before = layer(x).numpy()
    x[1] += 5.0 * draw(4, 4, 2, seed=1)
    after = layer(x).numpy()
    np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])


def test_it_computes_in_float32_under_mixed_precision():
    layer = layer_norm.LayerNorm(dtype="mixed_float16")
    y = layer(tf.constant(1000.0 + 30.0 * draw(2, 8, 8, 4), tf.float16))  # the sum of squares overflows float16
    assert y.dtype == tf.float16
    np.testing.assert_allclose(tf.math.reduce_std(tf.cast(y, tf.float32), (1, 2, 3)), [1.0, 1.0], rtol=1e-2)
