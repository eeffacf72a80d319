import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import data_dependent, weight_norm

PIXELS = np.random.default_rng(0).standard_normal((8, 6, 6, 3)).astype(np.float32) * 3.0 + 1.0
LAYERS = {
    "dense": lambda **o: weight_norm.Dense(5, **o),
    "convolution": lambda **o: weight_norm.Convolution(5, 3, strides=2, **o),
    "transposed": lambda **o: weight_norm.TransposedConvolution(5, 5, strides=2, **o),
}
each = pytest.mark.parametrize("name", LAYERS)


def network(*layers):
    x = inputs = keras.Input((6, 6, 3))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, x)


def columns(layer):
    """v as [everything else, outputs], in numpy."""
    return np.moveaxis(layer.kernel.numpy(), layer.output_axis, -1).reshape(-1, 5)


@each
def test_the_kernel_in_use_has_columns_of_length_scale(name):
    layer = LAYERS[name]()
    network(layer)
    layer.scale.assign([1.0, 2.0, 0.5, 3.0, 1.5])
    w = np.moveaxis(layer.weight().numpy(), layer.output_axis, -1).reshape(-1, 5)
    v = columns(layer)
    np.testing.assert_allclose(w, v / np.sqrt(1e-6 + (v**2).sum(0)) * [1.0, 2.0, 0.5, 3.0, 1.5], rtol=1e-5)


@each
def test_scaling_v_changes_nothing(name):
    layer = LAYERS[name]()
    model = network(layer)
    layer.kernel.assign(layer.kernel * 100.0)  # far above the epsilon
    before = model(PIXELS).numpy()
    layer.kernel.assign(layer.kernel * 1000.0)
    np.testing.assert_allclose(model(PIXELS), before, rtol=1e-4, atol=1e-4)


@each
def test_the_gradient_is_orthogonal_to_v(name):
    layer = LAYERS[name]()
    model = network(layer)
    layer.kernel.assign(100.0 * layer.kernel)  # so that the 1e-6 under the root is nothing
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(model(PIXELS)))
    gradient = np.moveaxis(tape.gradient(loss, layer.kernel.value).numpy(), layer.output_axis, -1).reshape(-1, 5)
    cosine = (gradient * columns(layer)).sum(0) / np.linalg.norm(gradient, axis=0) / np.linalg.norm(columns(layer), axis=0)
    np.testing.assert_allclose(cosine, np.zeros(5), atol=1e-3)


@each
@pytest.mark.parametrize("deviation", [1.0, 0.1])
def test_a_first_batch_gives_every_unit_mean_zero_and_the_given_deviation(name, deviation):
    layer = LAYERS[name](initial_deviation=deviation)
    model = network(layer)
    data_dependent.initialize(model, PIXELS)
    y = model(PIXELS).numpy().reshape(-1, 5)
    np.testing.assert_allclose(y.mean(0), np.zeros(5), atol=1e-5)
    np.testing.assert_allclose(y.std(0), np.full(5, deviation), rtol=1e-4)


def test_each_layer_is_set_up_by_what_the_layers_before_it_make_of_the_batch():
    first, second = weight_norm.Convolution(5, 3), weight_norm.Convolution(5, 3)
    model = network(first, keras.layers.ReLU(), second)
    data_dependent.initialize(model, PIXELS)
    y = model(PIXELS).numpy().reshape(-1, 5)
    np.testing.assert_allclose(y.mean(0), np.zeros(5), atol=1e-5)
    np.testing.assert_allclose(y.std(0), np.ones(5), rtol=1e-4)


def test_a_deviation_of_zero_leaves_scale_and_bias_alone():
    layer = weight_norm.Dense(5, initial_deviation=0.0)
    data_dependent.initialize(network(layer), PIXELS)
    np.testing.assert_array_equal(layer.scale, np.ones(5))
    np.testing.assert_array_equal(layer.bias, np.zeros(5))


def test_a_dead_unit_stays_finite():
    layer = weight_norm.Dense(5)
    model = network(layer)
    data_dependent.initialize(model, np.zeros_like(PIXELS))
    assert np.isfinite(model(PIXELS)).all()


@each
@pytest.mark.parametrize("train", [False, True])
def test_the_scale_is_learned_only_where_told(name, train):
    layer = LAYERS[name](train_scale=train)
    network(layer)
    assert [v.name for v in layer.trainable_variables] == ["kernel", "bias", "scale"][: 2 + train]
    assert len(layer.variables) == 3


@pytest.mark.parametrize("options", [{"spectral_norm": True}, {"use_bias": False}])
def test_another_normalisation_or_no_bias_is_refused(options):
    with pytest.raises(ValueError, match="leave spectral_norm and use_bias alone"):
        weight_norm.Dense(5, **options)


@each
def test_a_layer_is_rebuilt_from_its_configuration(name):
    layer = LAYERS[name](train_scale=True, initial_deviation=0.1)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
