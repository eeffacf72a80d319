import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import batch_norm, conditional_batch_norm, spectral_norm

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "conditional_batch_norm.npz")
EPSILONS = {"studiogan": 1e-4, "biggan": 1e-5}
VARIANCES = {"studiogan": "studiogan.running_var_1_unbiased", "biggan": "biggan.running_var_1"}
PRECISIONS = [("float64", 1e-9), ("float32", 1e-5)]


def linear(dtype, epsilon):
    layer = conditional_batch_norm.ConditionalBatchNorm(form="linear", epsilon=epsilon, dtype=dtype)
    layer.build(GOLDEN["x"].shape, GOLDEN["cond"].shape)
    layer.condition_gain.kernel.assign(GOLDEN["kernel_gain"])
    layer.condition_offset.kernel.assign(GOLDEN["kernel_bias"])
    layer.moving_mean.assign(GOLDEN["running_mean_0"])
    layer.moving_variance.assign(GOLDEN["running_var_0"])
    return layer


def tensor(key, dtype):
    return tf.cast(GOLDEN[key], dtype)


def assert_golden(value, key, tolerance):
    np.testing.assert_allclose(value, GOLDEN[key], rtol=0, atol=tolerance * max(1.0, np.abs(GOLDEN[key]).max()), err_msg=key)


@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("source", EPSILONS)
def test_linear_form_in_training_is_the_golden_one(source, dtype, tolerance):
    layer = linear(dtype, EPSILONS[source])
    assert_golden(layer(tensor("x", dtype), tensor("cond", dtype), training=True), f"{source}.out_train", tolerance)
    assert_golden(layer.moving_mean, "studiogan.running_mean_1", max(tolerance, 1e-7))  # the official code keeps them in float32
    assert_golden(layer.moving_variance, "running_var_1_biased", max(tolerance, 1e-7))


@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
def test_gradient_in_the_input_is_the_golden_one(dtype, tolerance):
    layer, x = linear(dtype, 1e-4), tensor("x", dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(layer(x, tensor("cond", dtype), training=True) ** 3)
    assert_golden(tape.gradient(loss, x), "studiogan.grad_x_of_sum_cubes", tolerance)


@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
@pytest.mark.parametrize("source", EPSILONS)
def test_inference_uses_the_moving_statistics(source, dtype, tolerance):
    layer = linear(dtype, EPSILONS[source])
    layer.moving_mean.assign(GOLDEN[f"{source}.running_mean_1"])
    layer.moving_variance.assign(GOLDEN[VARIANCES[source]])
    key = {"studiogan": "studiogan.out_eval_after_update", "biggan": "biggan.out_eval"}[source]
    assert_golden(layer(tensor("x_eval", dtype), tensor("cond", dtype)), key, tolerance)


@pytest.mark.parametrize("form, one", [("table", 1.0), ("one_hot", 0.0)])
@pytest.mark.parametrize("dtype, tolerance", PRECISIONS)
def test_both_forms_of_a_label_are_the_golden_one_hot_case(dtype, tolerance, form, one):
    layer = conditional_batch_norm.ConditionalBatchNorm(form=form, num_classes=5, epsilon=1e-4, dtype=dtype)
    layer.build(GOLDEN["x"].shape, GOLDEN["onehot.labels"].shape)
    layer.condition_gain.kernel.assign(one + GOLDEN["kernel_gain"].astype(np.float64))
    layer.condition_offset.kernel.assign(GOLDEN["kernel_bias"])
    assert_golden(layer(tensor("x", dtype), tf.constant(GOLDEN["onehot.labels"]), training=True), "onehot.out_train", tolerance)


def test_standing_statistics_are_the_means_over_batches():
    layer = linear("float64", 1e-5)
    layer.momentum = 0.0
    means, variances = [], []
    for key in ("x", "x_eval"):
        layer(tensor(key, "float64"), tensor("cond", "float64"), training=True)
        means.append(layer.moving_mean.numpy())
        variances.append(layer.moving_variance.numpy())
    assert_golden(np.mean(means, 0), "standing_mean", 1e-9)
    assert_golden(np.mean(variances, 0), "standing_var_biased", 1e-9)


def test_a_new_table_is_plain_batch_norm_for_every_class():
    x = tensor("x", "float32")
    layer = conditional_batch_norm.ConditionalBatchNorm(form="table", num_classes=3)
    y = layer(x, tf.constant([0, 1, 2, 0, 1, 2]), training=True)
    np.testing.assert_allclose(y, batch_norm.BatchNorm()(x, training=True), atol=1e-6)


@pytest.mark.parametrize("training", [False, True])
def test_half_precision_gains_of_a_class_are_float32s(training):
    """A gain of 1.003, which bfloat16 would round to 1, and one cast at the end: the same in training, where one op normalises, and after it."""
    rows = np.linspace(-1.0, 1.0, 4096, dtype=np.float32).reshape(-1, 1, 1, 1)
    layer = conditional_batch_norm.ConditionalBatchNorm(form="table", num_classes=2, dtype="mixed_bfloat16")
    layer.build(rows.shape, (len(rows),))
    layer.condition_gain.kernel.assign([[1.003], [1.0]])
    x, labels = tf.cast(rows, tf.bfloat16), tf.zeros([len(rows)], tf.int32)
    gained, plain = (tf.cast(layer(x, label, training=training), tf.float64).numpy() for label in (labels, labels + 1))
    assert np.sum(gained * plain) / np.sum(plain * plain) == pytest.approx(1.003, abs=1.5e-3)


def test_the_label_chooses_gain_and_offset_only():
    x, labels = tensor("x", "float32"), tf.constant([0, 1, 0, 1, 0, 1])
    layer = conditional_batch_norm.ConditionalBatchNorm(form="table", num_classes=2)
    plain = layer(x, labels, training=True).numpy()
    layer.condition_gain.kernel.assign(np.stack([np.ones(8), np.full(8, 3.0)]))
    layer.condition_offset.kernel.assign(np.stack([np.zeros(8), np.full(8, -2.0)]))
    y = layer(x, labels, training=True).numpy()
    np.testing.assert_allclose(y[0::2], plain[0::2], atol=1e-6)
    np.testing.assert_allclose(y[1::2], 3.0 * plain[1::2] - 2.0, atol=1e-5)


def test_swapping_two_labels_swaps_gain_and_offset_and_nothing_else():
    x, numbers = tensor("x", "float32"), np.random.default_rng(0)
    layer = conditional_batch_norm.ConditionalBatchNorm(form="table", num_classes=2)
    layer.build(x.shape, (6,))
    layer.condition_gain.kernel.assign(numbers.uniform(0.5, 2.0, (2, 8)))
    layer.condition_offset.kernel.assign(numbers.standard_normal((2, 8)))
    plain, labels = batch_norm.BatchNorm()(x, training=True).numpy(), np.array([0, 1, 1, 0, 1, 0])
    for given in (labels, 1 - labels):
        gain, offset = (part.kernel.numpy()[given][:, None, None] for part in (layer.condition_gain, layer.condition_offset))
        np.testing.assert_allclose(layer(x, tf.constant(given), training=True), plain * gain + offset, atol=1e-5)


@pytest.mark.parametrize("options, condition", [({"form": "linear"}, (2, 5)), ({"form": "one_hot", "num_classes": 5}, (2,))])
def test_spectral_norm_reaches_the_maps_of_the_condition(options, condition):
    layer = conditional_batch_norm.ConditionalBatchNorm(spectral_norm=True, **options)
    layer.build((2, 4, 4, 8), condition)
    spectral_norm.power_iterations(layer, 200)
    for part in (layer.condition_gain, layer.condition_offset):
        np.testing.assert_allclose(part.sigma(), np.linalg.norm(part.kernel.numpy(), 2), rtol=1e-5)


@pytest.mark.parametrize("options", [{"form": "spline"}, {"form": "table"}, {"form": "one_hot"}, {"form": "linear", "num_classes": 3}])
def test_unusable_options_are_refused(options):
    with pytest.raises(ValueError, match="table"):
        conditional_batch_norm.ConditionalBatchNorm(**options)


def test_layer_is_rebuilt_from_its_config():
    layer = conditional_batch_norm.ConditionalBatchNorm(form="linear", spectral_norm=True, epsilon=1e-4)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
