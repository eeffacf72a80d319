"""Counter-based random numbers: a function of (seed, names, step), never of state, of the number of replicas, or of the compiler.

TensorFlow's stateless floats differ between XLA and the other kernels, its raw bits do not, so floats are made here from bits.
"""

import zlib

import numpy as np
import tensorflow as tf

_ALGORITHM = "philox"


def uniform01(shape, seed) -> tf.Tensor:
    """Uniform float32 in [0, 1) with 24 random bits, bitwise equal in eager, graph and XLA. `seed`: integer tensor [2]."""
    bits = tf.random.stateless_uniform(shape, seed, None, None, tf.uint32, alg=_ALGORITHM)
    return tf.cast(tf.cast(tf.bitwise.right_shift(bits, tf.constant(8, tf.uint32)), tf.int32), tf.float32) * 2.0**-24


def normal01(shape, seed) -> tf.Tensor:
    """Standard normal float32 by the Box-Muller transform (equal to rounding under XLA). `seed`: integer tensor [2]."""
    u = uniform01(tf.concat([[2], shape], 0), seed)
    return tf.sqrt(-2.0 * tf.math.log(1.0 - u[0])) * tf.cos(2.0 * np.pi * u[1])


def truncated_normal01(shape, seed, threshold, candidates: int = 32) -> tf.Tensor:
    """Standard normal resampled where its magnitude exceeds `threshold` (BigGAN's truncation trick; broadcastable to `shape`).

    The first of `candidates` draws inside the threshold is taken; an element that has none (probability below 1e-6 at a threshold of 0.5)
    is the last draw clipped to the threshold.
    """
    draws = normal01(tf.concat([[candidates], shape], 0), seed)
    inside = tf.abs(draws) <= threshold
    first = tf.argmax(tf.cast(inside, tf.int32), axis=0, output_type=tf.int32)
    chosen = tf.reduce_sum(draws * tf.one_hot(first, candidates, axis=0), axis=0)
    return tf.where(tf.reduce_any(inside, axis=0), chosen, tf.clip_by_value(draws[-1], -threshold, threshold))


def _fold(seed: tf.Tensor, data: int | str | tf.Tensor) -> tf.Tensor:
    if isinstance(data, str):
        data = zlib.crc32(data.encode())
    return tf.random.experimental.stateless_fold_in(seed, tf.cast(data, tf.int64), alg=_ALGORITHM)


class Stream:
    """A stream of random numbers for one use in one step.

    Shapes are per replica and axis 0 is the replica's batch: the numbers are drawn for the global batch and this replica's rows are taken, so N
    replicas of b rows see what one replica of N * b rows would. Two draws from the same stream are equal: `fold` a name for each use. A batch that
    goes through in parts takes the rows of each from the `part` of one stream.
    """

    def __init__(self, seed: int, *data: int | str | tf.Tensor):
        self._part = (0, 1)
        self._seed = tf.constant([seed, 0], tf.int64)
        for part in data:
            self._seed = _fold(self._seed, part)

    def fold(self, data: int | str | tf.Tensor) -> "Stream":
        """A stream independent of this one and of every other `data`: a name, a Python int or an integer scalar."""
        return self._like(_fold(self._seed, data), self._part)

    def part(self, index: int, parts: int) -> "Stream":
        """What the rows index, index + parts, ... of a replica's batch draw from this stream: shapes are now a part's, and all `parts` together
        draw what the whole batch would. Streams folded from it are of the same part."""
        return self._like(self._seed, (index, parts))

    def uniform(self, shape, low: float = 0.0, high: float = 1.0) -> tf.Tensor:
        """float32 in [low, high)."""
        return low + (high - low) * self._rows(uniform01, shape)

    def normal(self, shape) -> tf.Tensor:
        """Standard normal, float32."""
        return self._rows(normal01, shape)

    def truncated_normal(self, shape, threshold: float) -> tf.Tensor:
        """Standard normal resampled beyond `threshold`, float32."""
        return self._rows(lambda s, seed: truncated_normal01(s, seed, threshold), shape)

    def integers(self, shape, high: int) -> tf.Tensor:
        """int32 in [0, high)."""
        return self._rows(lambda s, seed: tf.random.stateless_uniform(s, seed, 0, high, tf.int32, alg=_ALGORITHM), shape)

    def _rows(self, draw, shape) -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        replicas = context.num_replicas_in_sync if context else 1
        shape, (index, parts) = tuple(shape), self._part
        if replicas == parts == 1:
            return draw(shape, self._seed)
        whole = (parts * shape[0],) + shape[1:]
        rows = draw((replicas * whole[0],) + whole[1:], self._seed)
        if replicas > 1:
            start = tf.cast(context.replica_id_in_sync_group, tf.int32) * whole[0]
            rows = tf.slice(rows, [start] + [0] * (len(shape) - 1), whole)
        return tf.ensure_shape(rows[index::parts], shape)

    def _like(self, seed, part) -> "Stream":
        stream = object.__new__(Stream)
        stream._seed, stream._part = seed, part
        return stream


_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))


def threefry(key: tuple[tf.Tensor, tf.Tensor], counter: tuple[tf.Tensor, tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor]:
    """Threefry-2x32 with 20 rounds on uint32 tensors of broadcastable shapes. Salmon et al. 2011, section 3.3.

    Plain integer arithmetic: equal on every device and convertible to other formats, unlike TensorFlow's generators.
    """
    keys = (key[0], key[1], tf.bitwise.bitwise_xor(tf.bitwise.bitwise_xor(key[0], key[1]), tf.constant(0x1BD11BDA, tf.uint32)))
    x, y = counter[0] + keys[0], counter[1] + keys[1]
    for group in range(5):
        for distance in _ROTATIONS[group % 2]:
            x += y
            left = tf.bitwise.left_shift(y, tf.constant(distance, tf.uint32))
            y = tf.bitwise.bitwise_xor(tf.bitwise.bitwise_or(left, tf.bitwise.right_shift(y, tf.constant(32 - distance, tf.uint32))), x)
        x += keys[(group + 1) % 3]
        y += keys[(group + 2) % 3] + tf.constant(group + 1, tf.uint32)
    return x, y


def _row_bits(seeds: tf.Tensor, size: int, draws: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Two uniform float32 tensors [b, draws, size] in [0, 1), row i a function of seeds[i] (int64) alone."""
    words = tf.bitcast(seeds, tf.uint32)[:, :, None, None]
    numbers = tf.cast(tf.range(size, dtype=tf.int32), tf.uint32)[None, None, :]
    rounds = tf.cast(tf.range(draws, dtype=tf.int32), tf.uint32)[None, :, None]
    bits = threefry((words[:, 0], words[:, 1]), (numbers, rounds))
    return tuple(tf.cast(tf.cast(tf.bitwise.right_shift(b, tf.constant(8, tf.uint32)), tf.int32), tf.float32) * 2.0**-24 for b in bits)


def row_uniform(seeds: tf.Tensor, size: int) -> tf.Tensor:
    """Uniform float32 [b, size] in [0, 1) from one seed per row. `seeds`: int64 [b]."""
    return _row_bits(seeds, size, 1)[0][:, 0]


def row_truncated_normal(seeds: tf.Tensor, size: int, truncation: tf.Tensor, candidates: int = 32) -> tf.Tensor:
    """Standard normal float32 [b, size] from one seed per row, resampled where its magnitude exceeds `truncation` [b].

    The first of `candidates` draws inside is taken, the last one clipped if there is none. `seeds`: int64 [b].
    """
    first, second = _row_bits(seeds, size, candidates)
    draws = tf.unstack(tf.sqrt(-2.0 * tf.math.log(1.0 - first)) * tf.cos(2.0 * np.pi * second), axis=1)
    threshold = truncation[:, None]
    chosen = tf.clip_by_value(draws[-1], -threshold, threshold)
    for draw in reversed(draws):
        chosen = tf.where(tf.abs(draw) <= threshold, draw, chosen)
    return chosen


def row_seeds(rows: tf.Tensor) -> tf.Tensor:
    """A seed, int64 [b], from each row of float32 [b, n]: equal rows have equal seeds (0 and -0 are equal), others other ones.

    The sum of Threefry's answers to (bits of the number, its place).
    """
    bits = tf.bitcast(tf.where(rows == 0.0, tf.zeros_like(rows), rows), tf.uint32)
    places = tf.cast(tf.range(tf.shape(rows)[1]), tf.uint32)[None]
    zero = tf.zeros([], tf.uint32)
    return tf.reduce_sum(tf.bitcast(tf.stack(threefry((zero, zero), (bits, places)), -1), tf.int64), 1)
