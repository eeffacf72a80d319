import keras
import numpy as np
import tensorflow as tf

from tfgan_suite.layers import dense


def test_dense_is_an_affine_map():
    layer = dense.Dense(3, bias_initializer=keras.initializers.Constant(0.5))
    x = np.random.default_rng(0).standard_normal((4, 5)).astype(np.float32)
    np.testing.assert_allclose(layer(x), x @ layer.kernel.numpy() + 0.5, rtol=1e-5)


def test_dense_without_bias_has_one_weight():
    layer = dense.Dense(3, use_bias=False)
    layer(np.zeros((1, 5), np.float32))
    assert [tuple(v.shape) for v in layer.weights] == [(5, 3)]


def test_embedding_looks_rows_up():
    layer = dense.Embedding(6, 2)
    rows = layer(tf.constant([4, 0, 4]))
    np.testing.assert_array_equal(rows, layer.kernel.numpy()[[4, 0, 4]])


def test_gradient_of_a_normalised_embedding_is_dense_and_orthogonal_to_the_table():
    layer = dense.Embedding(6, 2, spectral_norm=True)
    layer.build((1,))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(tf.constant([4, 0, 4]))) * [[1.0, -2.0], [3.0, 1.0], [0.5, 0.1]])
    gradient = tf.convert_to_tensor(tape.gradient(loss, layer.kernel.value))
    rounding = 1e-6 * float(tf.norm(gradient) * tf.norm(layer.kernel.value))  # both sizes depend on the initial values
    np.testing.assert_allclose(tf.reduce_sum(gradient * layer.kernel), 0.0, atol=rounding)


def test_layers_are_rebuilt_from_their_configs():
    for layer in (dense.Dense(3, use_bias=False, spectral_norm=True, gain=1.5), dense.Embedding(6, 2, spectral_norm=True)):
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


def test_shares_of_the_rows_give_their_mean_in_these_shares():
    layer = dense.Embedding(3, 4, spectral_norm=True)
    one, two = layer(tf.constant([0, 2])), layer(tf.constant([1, 1]))
    np.testing.assert_allclose(
        layer(tf.constant([[0.25, 0.75, 0.0], [0.0, 0.4, 0.6]])), [0.25 * one[0] + 0.75 * two[0], 0.6 * one[1] + 0.4 * two[1]], atol=1e-6
    )
