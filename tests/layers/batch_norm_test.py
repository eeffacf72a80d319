import keras
import numpy as np
import tensorflow as tf

from tfgan_suite.layers import batch_norm


def draw(*shape, seed=0, dtype=np.float32):
    return (3.0 + 2.0 * np.random.default_rng(seed).standard_normal(shape)).astype(dtype)


def test_training_normalises_with_the_biased_moments_of_the_batch():
    layer = batch_norm.BatchNorm(dtype="float64")
    x = draw(5, 4, 3, 2, dtype=np.float64)
    layer.build(x.shape)
    layer.gain.assign([2.0, -1.0])
    layer.offset.assign([0.5, 3.0])
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    np.testing.assert_allclose(layer(x, training=True), (x - mean) / np.sqrt(variance + 1e-5) * [2.0, -1.0] + [0.5, 3.0], atol=1e-12)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-12)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-12)


def test_inference_uses_the_moving_statistics_and_moves_nothing():
    layer = batch_norm.BatchNorm(epsilon=1e-3)
    x = draw(5, 2)
    layer.build(x.shape)
    layer.moving_mean.assign([1.0, 2.0])
    layer.moving_variance.assign([4.0, 9.0])
    np.testing.assert_allclose(layer(x), (x - [1.0, 2.0]) / np.sqrt([4.001, 9.001]), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean, [1.0, 2.0])


def test_momentum_zero_leaves_the_last_batch_in_the_moving_statistics():
    layer = batch_norm.BatchNorm()
    layer(draw(5, 2), training=True)
    layer.momentum = 0.0
    x = draw(6, 2, seed=1)
    layer(x, training=True)
    np.testing.assert_allclose(layer.moving_mean, x.mean(0), rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance, x.var(0), rtol=1e-5)


def test_variance_does_not_cancel_when_the_mean_is_large():
    x = 1e4 + np.random.default_rng(0).standard_normal((64, 1)).astype(np.float32)
    _, variance = batch_norm.moments(tf.constant(x), synchronized=True)
    np.testing.assert_allclose(variance, x.astype(np.float64).var(0), rtol=1e-3)


def test_frozen_layer_still_trains_on_batch_statistics():
    """A frozen network in training mode must not fall back to moving statistics, as `keras.layers.BatchNormalization` does."""
    layer = batch_norm.BatchNorm()
    layer.trainable = False
    np.testing.assert_allclose(tf.reduce_mean(layer(draw(50, 2), training=True), 0), [0.0, 0.0], atol=1e-6)


def test_statistics_are_float32_under_mixed_precision():
    layer = batch_norm.BatchNorm(dtype="mixed_bfloat16")
    x = tf.cast(draw(64, 3), tf.bfloat16)
    y = layer(x, training=True)
    assert y.dtype == tf.bfloat16
    np.testing.assert_allclose(layer.moving_mean, 0.1 * tf.cast(x, tf.float32).numpy().mean(0), rtol=1e-6)


def outcome(layer, x):
    """Output, and the gradients of a loss that is not linear in it, in x, gain and offset."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        loss = tf.reduce_sum(tf.sin(y))
    dx, dgain, doffset = tape.gradient(loss, [x, layer.gain.value, layer.offset.value])
    return y, dx, dgain, doffset


def test_two_replicas_equal_one_in_values_gradients_and_statistics(mirrored):
    x = draw(8, 3, 3, 4)

    def build():
        layer = batch_norm.BatchNorm(gain_initializer=keras.initializers.Constant(1.5))
        layer.build(x.shape)
        return layer

    single = build()
    expected = [value.numpy() for value in tf.function(lambda: outcome(single, tf.constant(x)))()]
    with mirrored.scope():
        layer = build()
    halves = mirrored.experimental_distribute_values_from_function(lambda c: tf.constant(np.split(x, 2)[c.replica_id_in_sync_group]))
    results = mirrored.run(tf.function(lambda half: outcome(layer, half)), (halves,))
    y, dx, dgain, doffset = ([part.numpy() for part in mirrored.experimental_local_results(result)] for result in results)
    for value, reference in zip([np.concatenate(y), np.concatenate(dx), sum(dgain), sum(doffset)], expected, strict=True):
        assert np.abs(value - reference).max() <= 1e-6 * max(1.0, np.abs(reference).max())
    np.testing.assert_allclose(layer.moving_mean.numpy(), single.moving_mean.numpy(), rtol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.numpy(), single.moving_variance.numpy(), rtol=1e-6)


def test_unsynchronised_replicas_use_their_own_statistics_and_average_the_moving_ones(mirrored):
    x = draw(8, 2)
    with mirrored.scope():
        layer = batch_norm.BatchNorm(synchronized=False)
        layer.build(x.shape)
    halves = mirrored.experimental_distribute_values_from_function(lambda c: tf.constant(np.split(x, 2)[c.replica_id_in_sync_group]))
    parts = mirrored.experimental_local_results(mirrored.run(tf.function(lambda half: layer(half, training=True)), (halves,)))
    for half, part in zip(np.split(x, 2), parts, strict=True):
        np.testing.assert_allclose(part, (half - half.mean(0)) / np.sqrt(half.var(0) + 1e-5), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), 0.9 + 0.1 * (x[:4].var(0) + x[4:].var(0)) / 2, rtol=1e-5)


def test_one_op_and_composed_form_agree_in_second_derivatives():
    """One replica takes the fused op, float64 (and several replicas) the composed form."""
    gradients = []
    for dtype in ("float32", "float64"):
        x = tf.cast(draw(6, 2, 2, 3, dtype=np.float64), dtype)
        layer = batch_norm.BatchNorm(dtype=dtype)
        layer.build(x.shape)
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(tf.sin(layer(x, training=True)))
            norm = tf.reduce_sum(tf.square(inner.gradient(loss, x)))
        gradients.append(outer.gradient(norm, [layer.gain.value, layer.offset.value]))
    for a, b in zip(*gradients, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_xla_gives_the_same_values():
    x = tf.constant(draw(8, 3, 3, 4))
    first, second = batch_norm.BatchNorm(), batch_norm.BatchNorm()
    first.build(x.shape)
    second.build(x.shape)
    for a, b in zip(outcome(first, x), tf.function(lambda: outcome(second, x), jit_compile=True)(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_layer_is_rebuilt_from_its_config():
    layer = batch_norm.BatchNorm(momentum=0.8, epsilon=2e-5, synchronized=False, scale=False)
    assert batch_norm.BatchNorm.from_config(layer.get_config()).get_config() == layer.get_config()
