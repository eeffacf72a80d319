import numpy as np

from tfgan_suite.layers import dense, maxout

X = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)


def built(units, pieces):
    layer = maxout.Maxout(units, pieces=pieces)
    layer.build(X.shape)
    return layer


def test_each_unit_is_the_largest_of_its_pieces():
    layer = built(3, 5)
    layer.bias.assign(np.linspace(-1.0, 1.0, 15))
    linear = X @ layer.kernel.numpy() + layer.bias.numpy()
    np.testing.assert_allclose(layer(X), linear.reshape(4, 3, 5).max(-1), atol=1e-6)


def test_one_piece_is_a_dense_layer():
    layer, plain = built(3, 1), dense.Dense(3)
    plain.build(X.shape)
    plain.kernel.assign(layer.kernel)
    np.testing.assert_allclose(layer(X), plain(X), atol=1e-6)


def test_the_order_of_the_pieces_does_not_matter():
    layer = built(3, 5)
    before = layer(X).numpy()
    layer.kernel.assign(layer.kernel.numpy().reshape(6, 3, 5)[:, :, [3, 0, 4, 2, 1]].reshape(6, 15))
    np.testing.assert_allclose(layer(X), before, atol=1e-6)


def test_layer_is_rebuilt_from_its_config():
    layer = maxout.Maxout(3, pieces=5)
    assert maxout.Maxout.from_config(layer.get_config()).get_config() == layer.get_config()
