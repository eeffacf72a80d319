import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import virtual_batch_norm

NUMBERS = np.random.default_rng(0)
REFERENCE = (NUMBERS.standard_normal((4, 5, 5, 3)) * 2.0 + 1.0).astype(np.float32)
LIVE = NUMBERS.standard_normal((8, 5, 5, 3)).astype(np.float32)


def normalized(reference, live, gain=1.0, offset=0.0):
    """(reference rows, live rows) of the layer's output."""
    layer = virtual_batch_norm.VirtualBatchNorm(len(reference))
    layer.build((None, *reference.shape[1:]))
    layer.gain.assign(np.full(reference.shape[-1], gain))
    layer.offset.assign(np.full(reference.shape[-1], offset))
    y = layer(np.concatenate([reference, live])).numpy()
    return y[: len(reference)], y[len(reference) :]


def batch_norm(x, epsilon=1e-5):
    """Batch norm in training, in numpy."""
    axes = tuple(range(x.ndim - 1))
    x = x.astype(np.float64)
    return (x - x.mean(axes)) / np.sqrt(x.var(axes) + epsilon)


def test_the_reference_is_normalised_as_by_batch_norm_in_training():
    np.testing.assert_allclose(normalized(REFERENCE, LIVE)[0], batch_norm(REFERENCE), rtol=1e-4, atol=1e-5)


def test_a_live_row_is_normalised_as_one_more_row_of_the_reference():
    expected = np.stack([batch_norm(np.concatenate([REFERENCE, row[None]]))[-1] for row in LIVE])
    np.testing.assert_allclose(normalized(REFERENCE, LIVE)[1], expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(normalized(REFERENCE, LIVE, gain=2.0, offset=0.5)[1], 2.0 * expected + 0.5, rtol=1e-3, atol=1e-4)


def test_features_without_pixels_are_normalised_likewise():
    reference, live = REFERENCE[:, 0, 0], LIVE[:, 0, 0]
    expected = np.stack([batch_norm(np.concatenate([reference, row[None]]))[-1] for row in live])
    np.testing.assert_allclose(normalized(reference, live)[1], expected, rtol=1e-3, atol=1e-4)


def test_a_live_row_equal_to_a_reference_of_identical_rows_gets_batch_norm():
    identical = np.repeat(REFERENCE[:1], 4, 0)
    np.testing.assert_allclose(normalized(identical, REFERENCE[:1])[1], batch_norm(identical)[:1], rtol=1e-4, atol=1e-5)


def test_one_reference_row_that_is_also_live_gives_its_own_statistics():
    reference, live = normalized(REFERENCE[:1], REFERENCE[:1])
    np.testing.assert_allclose(live, reference, rtol=1e-5, atol=1e-5)


def test_a_row_does_not_depend_on_its_neighbours():
    whole = normalized(REFERENCE, LIVE)[1]
    for i in range(8):
        np.testing.assert_allclose(normalized(REFERENCE, LIVE[i : i + 1])[1][0], whole[i], atol=1e-6)


def test_equal_values_everywhere_are_finite():
    flat = np.full((3, 5, 5, 3), 1e3, np.float32)
    assert np.isfinite(normalized(flat, flat)[1]).all()


def test_gradients_of_live_rows_reach_the_reference_path():
    layer = virtual_batch_norm.VirtualBatchNorm(4)
    x = tf.constant(np.concatenate([REFERENCE, LIVE]))
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.sin(layer(x)[4:]))
    assert np.abs(tape.gradient(loss, x)[:4]).min() > 0.0


def test_reference_rows_are_put_first_kept_as_a_weight_and_dropped_last():
    inputs = keras.Input((3,))
    first = virtual_batch_norm.ReferenceBatch(2, initializer=keras.initializers.RandomNormal(stddev=1.0))
    model = keras.Model(inputs, [first(inputs), virtual_batch_norm.DropReference(2)(first(inputs))])
    x = np.arange(12.0, dtype=np.float32).reshape(4, 3)
    everything, live = model(x)
    np.testing.assert_array_equal(everything[:2], first.reference)
    np.testing.assert_array_equal(everything[2:], x)
    np.testing.assert_array_equal(live, x)
    assert not model.trainable_variables and len(model.variables) == 1


def test_no_reference_is_refused():
    with pytest.raises(ValueError, match="reference_size of at least 1; received 0"):
        virtual_batch_norm.ReferenceBatch(0)


@pytest.mark.parametrize("name", ["ReferenceBatch", "DropReference", "VirtualBatchNorm"])
def test_a_layer_is_rebuilt_from_its_configuration(name):
    layer = getattr(virtual_batch_norm, name)(3)
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
