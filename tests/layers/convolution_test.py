import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import convolution
from tfgan_suite.ops import resample


def draw(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def direct(x, kernel, strides, before, after):
    """Correlation by its definition, in numpy, with the given zero padding on each side."""
    x = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)))
    size = kernel.shape[0]
    rows = range(0, x.shape[1] - size + 1, strides)
    columns = range(0, x.shape[2] - size + 1, strides)
    return np.stack([np.stack([np.einsum("bhwc,hwcf->bf", x[:, i : i + size, j : j + size], kernel) for j in columns], 1) for i in rows], 1)


@pytest.mark.parametrize("size, strides, before, after", [(3, 1, 1, 1), (4, 2, 1, 1), (1, 1, 0, 0)])
def test_same_padding_is_symmetric_as_in_torch(size, strides, before, after):
    layer = convolution.Convolution(5, size, strides=strides, dtype="float64")
    x = draw(2, 6, 6, 3, dtype=np.float64)
    y = layer(x)
    np.testing.assert_allclose(y, direct(x, layer.kernel.numpy(), strides, before, after), atol=1e-12)


def test_valid_padding_covers_the_map_once():
    layer = convolution.Convolution(1, 4, padding="valid", use_bias=False, dtype="float64")
    x = draw(2, 4, 4, 3, dtype=np.float64)
    np.testing.assert_allclose(layer(x)[:, 0, 0, 0], np.einsum("bhwc,hwc->b", x, layer.kernel.numpy()[..., 0]), atol=1e-12)


def test_transposed_convolution_is_the_adjoint_of_the_convolution():
    """<conv(x), y> = <x, transposed(y)> when the kernels are each other's (kh, kw, out, in)."""
    down = convolution.Convolution(5, 4, strides=2, use_bias=False, dtype="float64")
    up = convolution.TransposedConvolution(3, 4, strides=2, use_bias=False, dtype="float64")
    x, y = draw(2, 6, 6, 3, dtype=np.float64), draw(2, 3, 3, 5, seed=1, dtype=np.float64)
    forward = down(x)
    up.build(y.shape)
    up.kernel.assign(down.kernel)
    np.testing.assert_allclose(np.sum(forward * y), np.sum(x * up(y)), rtol=1e-10)


def test_transposed_convolution_of_one_pixel_is_a_dense_layer():
    layer = convolution.TransposedConvolution(3, 4, padding="valid", use_bias=False, dtype="float64")
    z = draw(2, 1, 1, 7, dtype=np.float64)
    y = layer(z)
    assert y.shape == (2, 4, 4, 3)
    np.testing.assert_allclose(y, np.einsum("bc,hwfc->bhwf", z[:, 0, 0], layer.kernel.numpy()), atol=1e-12)


@pytest.mark.parametrize("spectral_norm", [False, True])
@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("resample_name", ["up", "down"])
def test_fused_form_equals_the_plain_form(resample_name, size, spectral_norm):
    x = draw(3, 8, 8, 16)
    fused, plain = (convolution.Convolution(12, size, resample=resample_name, spectral_norm=spectral_norm, fused=fused) for fused in (True, False))
    y = fused(x)
    plain.build(x.shape)
    for a, b in zip(plain.variables, fused.variables, strict=True):
        a.assign(b)
    plain.bias.assign(fused.bias + 0.3)
    fused.bias.assign(plain.bias)
    y, expected = fused(x).numpy(), plain(x).numpy()
    assert y.shape == expected.shape
    assert np.abs(y - expected).max() <= 3e-6 * np.abs(expected).max()


@pytest.mark.parametrize("resample_name", ["none", "up", "down"])
def test_fused_form_has_the_gradients_of_the_plain_form(resample_name):
    x = tf.constant(draw(2, 4, 4, 3, dtype=np.float64))
    gradients = []
    kernel = draw(3, 3, 3, 4, seed=2, dtype=np.float64)
    for fused in (True, False):
        layer = convolution.Convolution(4, 3, resample=resample_name, fused=fused, dtype="float64")
        layer.build(x.shape)
        layer.kernel.assign(kernel)
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(layer(x)))
        gradients.append(tape.gradient(loss, [x, layer.kernel.value]))
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def penalised(layer, x):
    """A gradient penalty's kind of second derivative: d |d loss / d x|^2 / d kernel."""
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            loss = tf.reduce_sum(tf.tanh(layer(x)))
        norm = tf.reduce_sum(tf.square(inner.gradient(loss, x)))
    return norm, outer.gradient(norm, layer.kernel.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: convolution.Convolution(3, 3, dtype="float64"),
        lambda: convolution.Convolution(3, 4, strides=2, spectral_norm=True, dtype="float64"),
        lambda: convolution.Convolution(3, 3, resample="up", dtype="float64"),
        lambda: convolution.Convolution(3, 1, resample="up", dtype="float64"),
        lambda: convolution.Convolution(3, 3, resample="down", dtype="float64"),
        lambda: convolution.Convolution(3, 3, resample="up", fused=False, dtype="float64"),
        lambda: convolution.Convolution(3, 3, resample="down", fused=False, dtype="float64"),
        lambda: convolution.TransposedConvolution(3, 4, strides=2, dtype="float64"),
    ],
    ids=["plain", "strided_spectral", "up", "up_1x1", "down", "up_plain", "down_plain", "transposed"],
)
def test_second_derivative_agrees_with_finite_differences(make):
    x = tf.constant(draw(1, 4, 4, 2, dtype=np.float64))
    layer = make()
    layer.build(x.shape)
    _, gradient = penalised(layer, x)
    kernel, direction = layer.kernel.numpy(), draw(*layer.kernel.shape, seed=3, dtype=np.float64)
    step = 1e-5
    values = []
    for sign in (1, -1):
        layer.kernel.assign(kernel + sign * step * direction)
        values.append(penalised(layer, x)[0].numpy())
    np.testing.assert_allclose(np.sum(gradient * direction), (values[0] - values[1]) / (2 * step), rtol=1e-5)


def test_second_derivative_compiles_with_xla():
    x = tf.constant(draw(2, 4, 4, 2))
    for layer in (convolution.Convolution(3, 3, resample="up"), convolution.Convolution(3, 3, resample="down", spectral_norm=True)):
        layer.build(x.shape)
        compiled = tf.function(lambda a, layer=layer: penalised(layer, a), jit_compile=True)(x)
        for a, b in zip(compiled, penalised(layer, x), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"padding": "reflect"}, "same, valid"),
        ({"resample": "bilinear"}, "none, up, down"),
        ({"resample": "up", "strides": 2}, "resample='none'"),
        ({"resample": "down", "kernel_size": 4}, "odd kernel_size"),
    ],
)
def test_unusable_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        convolution.Convolution(3, **({"kernel_size": 3} | options))


def test_pooling_an_odd_map_is_refused():
    with pytest.raises(ValueError, match="must be even"):
        convolution.Convolution(3, 3, resample="down")(draw(1, 5, 4, 2))


def test_the_kernel_keeps_its_shape_under_resampling():
    layer = convolution.Convolution(5, 3, resample="up")
    layer(draw(1, 4, 4, 2))
    assert tuple(layer.kernel.shape) == (3, 3, 2, 5)
    assert resample.collapse_up(tf.convert_to_tensor(layer.kernel)).shape == (4, 4, 5, 2)


def test_layers_are_rebuilt_from_their_configs():
    for layer in (convolution.Convolution(3, 3, resample="up", fused=False), convolution.TransposedConvolution(3, 4, strides=2, spectral_norm=True)):
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
