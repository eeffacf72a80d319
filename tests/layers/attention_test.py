import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import attention, spectral_norm

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "self_attention.npz")
PRECISIONS = [("float64", 1e-9), ("float32", 3e-5)]
CASES = ["0", "1"]


def golden(case, dtype, form="pooled"):
    """(the layer with the golden weights, its input)."""
    layer = attention.SelfAttention(form=form, dtype=dtype)
    layer.build(GOLDEN[f"{case}.x"].shape)
    layer.query.kernel.assign(GOLDEN[f"{case}.kernel_theta"])
    layer.key.kernel.assign(GOLDEN[f"{case}.kernel_phi"])
    layer.value.kernel.assign(GOLDEN[f"{case}.kernel_g" if form == "pooled" else f"{case}.paper_kernel_h"])
    if form == "pooled":
        layer.back.kernel.assign(GOLDEN[f"{case}.kernel_o"])
    layer.gamma.assign(GOLDEN[f"{case}.gamma"])
    return layer, tf.cast(GOLDEN[f"{case}.x"], dtype)


def assert_golden(value, key, tolerance):
    np.testing.assert_allclose(value, GOLDEN[key], rtol=0, atol=tolerance * max(1.0, np.abs(GOLDEN[key]).max()), err_msg=key)


def random_layer(form, **options):
    """A layer that does something, and an input [2, 4, 6, 16]."""
    layer = attention.SelfAttention(form=form, **options)
    layer.build((None, 4, 6, 16))
    layer.gamma.assign(0.7)
    return layer, tf.constant(np.random.default_rng(0).standard_normal((2, 4, 6, 16)), tf.float32)


@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("case", CASES)
def test_the_pooled_form_is_the_golden_one(case, dtype, tolerance):
    layer, x = golden(case, dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        loss = tf.reduce_sum(y**2)
    assert_golden(y, f"{case}.out", tolerance)
    assert_golden(layer.attention(x), f"{case}.attention", tolerance)
    assert_golden(tape.gradient(loss, x), f"{case}.grad_x_of_sum_squares", tolerance)


@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("case", CASES)
def test_the_paper_s_form_is_the_golden_one(case, dtype, tolerance):
    layer, x = golden(case, dtype, form="paper")
    assert_golden(layer(x), f"{case}.paper_out", tolerance)


@pytest.mark.parametrize("form", attention.FORMS)
def test_a_new_layer_is_the_identity(form):
    x = np.random.default_rng(0).standard_normal((2, 4, 4, 16)).astype(np.float32)
    np.testing.assert_array_equal(attention.SelfAttention(form=form)(x), x)


@pytest.mark.parametrize("form, sources", [("pooled", 6), ("paper", 24)])
def test_every_position_divides_its_attention_among_the_sources(form, sources):
    layer, x = random_layer(form)
    shares = layer.attention(x)
    assert shares.shape == (2, 24, sources)
    np.testing.assert_allclose(tf.reduce_sum(shares, -1), 1.0, rtol=1e-5)


def test_permuted_positions_permute_what_the_paper_s_form_makes_of_them():
    layer, x = random_layer("paper")
    order = np.random.default_rng(1).permutation(24)

    def permuted(image):
        return tf.reshape(tf.gather(tf.reshape(image, (2, 24, 16)), order, axis=1), (2, 4, 6, 16))

    np.testing.assert_allclose(layer(permuted(x)), permuted(layer(x)), atol=1e-5)


@pytest.mark.parametrize("form, parameters", [("pooled", 384 * (48 + 48 + 192) + 192 * 384 + 1), ("paper", 384 * (48 + 48 + 384) + 1)])
def test_the_convolutions_have_an_eighth_and_a_half_of_the_channels_and_no_biases(form, parameters):
    layer = attention.SelfAttention(form=form)
    layer.build((None, 16, 16, 384))
    assert sum(int(np.prod(v.shape)) for v in layer.trainable_variables) == parameters


def test_spectral_norm_and_gain_reach_every_convolution():
    layer, _ = random_layer("pooled", spectral_norm=True, gain=1.2)
    spectral_norm.power_iterations(layer, 200)
    for part in (layer.query, layer.key, layer.value, layer.back):
        np.testing.assert_allclose(np.linalg.norm(part.weight()[0, 0], 2), 1.2, rtol=1e-4)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_shares_are_exact_in_half_precision_where_logits_would_overflow(policy):
    layer, x = random_layer("pooled", dtype=keras.DTypePolicy(policy))
    for part in (layer.query, layer.key):
        part.kernel.assign(part.kernel * 100.0)
    shares, y = layer.attention(tf.cast(50.0 * x, layer.compute_dtype)), layer(50.0 * x)
    assert shares.dtype == tf.float32 and y.dtype == layer.compute_dtype
    np.testing.assert_allclose(tf.reduce_sum(shares, -1), 1.0, rtol=1e-5)
    assert np.isfinite(tf.cast(y, tf.float32)).all()


@pytest.mark.parametrize("form", attention.FORMS)
def test_the_gradient_of_a_gradient_s_norm_is_the_same_under_xla_and_that_of_differences(form):
    layer, x = random_layer(form, dtype="float64")
    x = tf.cast(x, tf.float64)

    def squared_norm(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(tf.sin(layer(x)))
        return tf.reduce_sum(tape.gradient(loss, x) ** 2)

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            value = squared_norm(x)
        return tape.gradient(value, x)

    eager = gradient(x)
    np.testing.assert_allclose(tf.function(gradient, jit_compile=True)(x), eager, rtol=1e-6, atol=1e-8)
    direction, step = tf.random.stateless_normal(x.shape, (1, 2), dtype=tf.float64), 1e-6
    difference = (squared_norm(x + step * direction) - squared_norm(x - step * direction)) / (2 * step)
    np.testing.assert_allclose(tf.reduce_sum(eager * direction), difference, rtol=1e-5)


def test_unusable_arguments_are_refused():
    with pytest.raises(ValueError, match="pooled, paper"):
        attention.SelfAttention(form="official")
    with pytest.raises(ValueError, match="must be even"):
        attention.SelfAttention().build((None, 7, 8, 16))


def test_layer_is_rebuilt_from_its_config():
    layer = attention.SelfAttention(form="paper", spectral_norm=True, gain=1.1, kernel_initializer="orthogonal")
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
