import numpy as np
import tensorflow as tf

from tfgan_suite.ops import replicas

WHOLE = np.arange(8.0, dtype=np.float32).reshape(4, 2) ** 2


def per_replica(strategy, function):
    halves = strategy.experimental_distribute_values_from_function(lambda context: tf.constant(np.split(WHOLE, 2)[context.replica_id_in_sync_group]))
    return [x.numpy() for x in strategy.experimental_local_results(strategy.run(tf.function(function), (halves,)))]


def test_outside_a_strategy_everything_is_the_identity():
    x = tf.constant(WHOLE)
    assert replicas.count() == 1
    for function in (replicas.gather, replicas.rows, replicas.mean):
        np.testing.assert_array_equal(function(x), WHOLE)


def test_gather_gives_every_replica_the_global_batch(mirrored):
    def gather(x):
        y = replicas.gather(x)
        assert y.shape == (4, 2)  # static: masks need it
        return y

    for part in per_replica(mirrored, gather):
        np.testing.assert_array_equal(part, WHOLE)


def test_rows_undoes_gather(mirrored):
    parts = per_replica(mirrored, lambda x: replicas.rows(replicas.gather(x)))
    np.testing.assert_array_equal(np.concatenate(parts), WHOLE)


def test_rolling_the_gathered_batch_is_the_same_on_one_and_two_replicas(mirrored):
    parts = per_replica(mirrored, lambda x: replicas.rows(tf.roll(replicas.gather(x), 1, 0)))
    np.testing.assert_array_equal(np.concatenate(parts), np.roll(WHOLE, 1, 0))


def test_mean_is_the_mean_over_replicas(mirrored):
    for part in per_replica(mirrored, replicas.mean):
        np.testing.assert_allclose(part, (WHOLE[:2] + WHOLE[2:]) / 2)


def test_gradients_through_gather_sum_over_replicas_to_those_of_one_replica(mirrored):
    weights = np.linspace(-1.0, 2.0, 4).astype(np.float32)

    def gradient(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = replicas.gather(x)
            loss = tf.reduce_sum(tf.square(tf.reduce_sum(y * weights[:, None], 0)))
        return tape.gradient(loss, x, output_gradients=tf.constant(0.5))  # each replica computes the whole loss: its share is a half

    expected = 2 * weights[:, None] * (WHOLE * weights[:, None]).sum(0)
    np.testing.assert_allclose(np.concatenate(per_replica(mirrored, gradient)), expected, rtol=1e-6)
