"""The global batch, seen from one replica. Everything is the identity on one replica, and differentiable (twice) on several."""

import tensorflow as tf


def count() -> int:
    """How many replicas compute this step together; 1 outside a strategy."""
    context = tf.distribute.get_replica_context()
    return context.num_replicas_in_sync if context else 1


def gather(x: tf.Tensor) -> tf.Tensor:
    """[b, ...] -> [n * b, ...]: the rows of all n replicas, in the order of the global batch, with a static shape (masks need one)."""
    n = count()
    if n == 1:
        return x
    return tf.ensure_shape(tf.distribute.get_replica_context().all_gather(x, 0), (n * x.shape[0],) + tuple(x.shape[1:]))


def rows(x: tf.Tensor) -> tf.Tensor:
    """[n * b, ...] -> [b, ...]: this replica's rows of something computed for the global batch. Inverse of `gather`."""
    n = count()
    if n == 1:
        return x
    b = x.shape[0] // n
    start = tf.cast(tf.distribute.get_replica_context().replica_id_in_sync_group, tf.int32) * b
    return tf.ensure_shape(tf.gather(x, start + tf.range(b)), (b,) + tuple(x.shape[1:]))


def mean(x: tf.Tensor) -> tf.Tensor:
    """The mean over replicas of a tensor that every replica has in the same shape."""
    n = count()
    return x if n == 1 else tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, x) / n
