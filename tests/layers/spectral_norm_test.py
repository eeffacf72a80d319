import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import convolution, dense, spectral_norm

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "spectral_norm.npz")
MAKERS = {
    "conv": (lambda **o: convolution.Convolution(16, 3, **o), (1, 4, 4, 8)),
    "dense": (lambda **o: dense.Dense(7, **o), (1, 12)),
    "embedding": (lambda **o: dense.Embedding(10, 16, **o), (1,)),
    "deconv": (lambda **o: convolution.TransposedConvolution(6, 4, **o), (1, 4, 4, 8)),
}


def build(case, dtype="float64", **options):
    make, shape = MAKERS[case]
    layer = make(spectral_norm=True, dtype=dtype, **options)
    layer.build(shape)
    return layer


def from_golden(case, dtype):
    layer = build(case, dtype)
    layer.kernel.assign(GOLDEN[f"{case}.kernel"])
    layer.u.assign(GOLDEN[f"{case}.u0"])
    return layer


def normalized(matrix, **options):
    """A dense layer with the given kernel [n, m], spectrally normalised, in float64."""
    layer = dense.Dense(matrix.shape[1], use_bias=False, spectral_norm=True, dtype="float64", **options)
    layer.build((1, matrix.shape[0]))
    layer.kernel.assign(matrix)
    return layer


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-9), ("float32", 1e-5)])
@pytest.mark.parametrize("iterations", [1, 5])
@pytest.mark.parametrize("case", MAKERS)
def test_sigma_kernel_and_gradient_are_the_golden_ones(case, iterations, dtype, tolerance):
    layer = from_golden(case, dtype)
    spectral_norm.power_iterations(layer, iterations)
    with tf.GradientTape() as tape:
        kernel = layer.weight()
        loss = tf.reduce_sum(kernel * tf.cast(GOLDEN[f"{case}.cotangent"], kernel.dtype))
    gradient = tape.gradient(loss, layer.kernel.value)
    names = {"u": layer.u, "v": layer.v, "sigma": layer.sigma(), "kernel_sn": kernel, "grad_kernel": gradient}
    for name, value in names.items():
        expected = GOLDEN[f"{case}.{name}_{iterations}"]
        np.testing.assert_allclose(value, expected, atol=tolerance * max(1.0, np.abs(expected).max()), rtol=0, err_msg=name)


@pytest.mark.parametrize("case", MAKERS)
def test_many_iterations_reach_the_largest_singular_value(case):
    layer = from_golden(case, "float64")
    spectral_norm.power_iterations(layer, 300)
    np.testing.assert_allclose(layer.sigma(), GOLDEN[f"{case}.sigma_svd"], rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(spectral_norm_matrix(layer), 2), 1.0, rtol=1e-6)


def spectral_norm_matrix(layer):
    """The kernel in use as the matrix that was normalised."""
    return layer.matrix() / layer.sigma()


def test_diagonal_matrix_has_its_largest_entry_as_norm():
    layer = normalized(np.diag([3.0, 1.0]))
    for _ in range(20):
        spectral_norm.power_iterations(layer)
    np.testing.assert_allclose(layer.sigma(), 3.0, rtol=1e-6)
    np.testing.assert_allclose(layer.weight(), np.diag([1.0, 1.0 / 3.0]), rtol=1e-6)


def test_orthogonal_matrix_has_norm_one_at_once():
    layer = normalized(np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0])
    spectral_norm.power_iterations(layer)
    np.testing.assert_allclose(layer.sigma(), 1.0, rtol=1e-12)


def test_sigma_is_positive_before_any_iteration():
    for case in MAKERS:
        assert build(case).sigma() > 0.0


def test_scaling_the_kernel_leaves_the_output_unchanged_so_the_gradient_is_orthogonal_to_it():
    matrix = np.random.default_rng(0).standard_normal((6, 4))
    layer = normalized(matrix)
    x = np.random.default_rng(1).standard_normal((3, 6))
    with tf.GradientTape() as tape:
        y = layer(x)
        loss = tf.reduce_sum(y**3)
    gradient = tape.gradient(loss, layer.kernel.value)
    assert np.abs(gradient).max() > 0.1
    np.testing.assert_allclose(np.sum(gradient * matrix), 0.0, atol=1e-9)  # fails if no gradient passes through sigma
    layer.kernel.assign(7.0 * matrix)
    np.testing.assert_allclose(layer(x), y, rtol=1e-9)


def test_gradient_identity_of_the_paper():
    """dL/dW = (G - <G, W_sn> v u^T) / sigma with G = dL/dW_sn. Miyato et al. 2018, eq. 12."""
    layer = normalized(np.random.default_rng(0).standard_normal((6, 4)))
    cotangent = np.random.default_rng(1).standard_normal((6, 4))
    with tf.GradientTape() as tape:
        weight = layer.weight()
        loss = tf.reduce_sum(weight * cotangent)
    rank_one = np.outer(layer.v.numpy(), layer.u.numpy())
    expected = (cotangent - np.sum(cotangent * weight.numpy()) * rank_one) / layer.sigma().numpy()
    np.testing.assert_allclose(tape.gradient(loss, layer.kernel.value), expected, rtol=1e-9)


def test_gain_scales_the_normalised_kernel():
    layer = normalized(np.diag([3.0, 1.0]), gain=1.25)
    spectral_norm.power_iterations(layer, 50)
    np.testing.assert_allclose(layer.weight(), np.diag([1.25, 1.25 / 3.0]), rtol=1e-9)


def test_gain_without_spectral_norm_is_refused():
    with pytest.raises(ValueError, match="spectral_norm=True"):
        dense.Dense(3, gain=1.2)


def test_a_forward_pass_moves_nothing_and_one_call_moves_every_layer_at_any_depth():
    inner = keras.Sequential([keras.Input((4,)), dense.Dense(4, spectral_norm=True)])
    inputs = keras.Input((4,))
    network = keras.Model(inputs, dense.Dense(2, spectral_norm=True)(inner(inputs)))
    states = [v for v in network.non_trainable_variables if v.name in ("u", "v")]
    before = [v.numpy() for v in states]
    network(np.ones((3, 4), np.float32), training=True)
    for old, v in zip(before, states, strict=True):
        np.testing.assert_array_equal(v, old)
    spectral_norm.power_iterations(network)
    assert len(states) == 4
    for old, v in zip(before, states, strict=True):
        assert v.name == "v" or np.abs(v.numpy() - old).max() > 1e-6  # the first half of the first iteration gives v its initial value again


def test_layers_without_spectral_norm_hold_no_vectors():
    layer = dense.Dense(3)
    layer.build((1, 4))
    assert not layer.non_trainable_variables


def test_two_replicas_hold_equal_vectors_after_iterating(mirrored):
    with mirrored.scope():
        layer = dense.Dense(5, spectral_norm=True)
        layer.build((1, 7))
    keras.utils.set_random_seed(0)
    mirrored.run(tf.function(lambda: spectral_norm.power_iterations(layer)))
    first, second = mirrored.experimental_local_results(mirrored.run(tf.function(lambda: tf.identity(layer.u.value))))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(np.linalg.norm(first), 1.0, rtol=1e-6)


def test_state_survives_saving(tmp_path):
    network = keras.Sequential([keras.Input((4,)), dense.Dense(3, spectral_norm=True)])
    spectral_norm.power_iterations(network)
    network.save(tmp_path / "network.keras")
    loaded = keras.models.load_model(tmp_path / "network.keras", custom_objects={"Dense": dense.Dense})
    for a, b in zip(network.variables, loaded.variables, strict=True):
        np.testing.assert_array_equal(a, b)


def test_normalisation_is_done_in_float32_under_mixed_precision():
    layer = dense.Dense(8, spectral_norm=True, dtype="mixed_bfloat16")
    layer.build((1, 16))
    assert layer.sigma().dtype == tf.float32
    assert layer.weight().dtype == layer(np.ones((2, 16), np.float32)).dtype == tf.bfloat16
    wide = layer.kernel.numpy() / layer.sigma().numpy()
    np.testing.assert_array_equal(layer.weight(), tf.cast(wide, tf.bfloat16))


def test_one_initializer_object_shared_by_layers_gives_them_different_kernels():
    shared = keras.initializers.RandomNormal(stddev=0.02)
    first, second = (dense.Dense(8, kernel_initializer=shared) for _ in range(2))
    first.build((1, 8))
    second.build((1, 8))
    assert np.abs(first.kernel.numpy() - second.kernel.numpy()).max() > 1e-3


def test_a_seed_fixes_kernels_and_vectors():
    def values():
        keras.utils.set_random_seed(4)
        return [v.numpy() for v in build("conv", "float32").variables]

    for a, b in zip(values(), values(), strict=True):
        np.testing.assert_array_equal(a, b)
