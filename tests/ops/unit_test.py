import numpy as np
import tensorflow as tf

from tfgan_suite.ops import unit


def test_a_vector_keeps_its_direction_and_has_length_one():
    np.testing.assert_allclose(unit.unit(tf.constant([[3.0, -4.0], [0.0, 1e-3]])), [[0.6, -0.8], [0.0, 1.0]], rtol=1e-5)


def test_a_zero_vector_stays_zero_and_its_gradient_finite():
    x = tf.zeros([1, 3])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = unit.unit(x)
    np.testing.assert_array_equal(y, [[0.0, 0.0, 0.0]])
    assert np.isfinite(tape.gradient(y, x)).all()


def test_half_precision_is_squared_in_float32():
    y = unit.unit(tf.constant([[300.0, 400.0]], tf.float16))
    assert y.dtype == tf.float32
    np.testing.assert_allclose(y, [[0.6, 0.8]], rtol=1e-6)
