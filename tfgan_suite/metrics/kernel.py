"""Kernel distance: the unbiased squared maximum mean discrepancy under a cubic kernel. KID when the features are those of the 2015 Inception graph.

    k(x, y) = (x.y / f + 1)^3        Binkowski et al. 2018, section 4

    1/(m(m-1)) sum_{i != j} k(x_i, x_j) + 1/(n(n-1)) sum_{i != j} k(y_i, y_j) - 2/(mn) sum k(x_i, y_j)

The estimate on one pair of sets is TF-GAN's, in float64. The subsets are ours: the paper draws each without replacement from all rows and reports the
mean and the standard deviation; TF-GAN cuts the rows into blocks instead. Unbiased, so it can be negative.
"""

import numpy as np
import tensorflow as tf

from tfgan_suite import compat


def squared_discrepancy(x: np.ndarray, y: np.ndarray) -> float:
    """The estimate above on all rows of x [m, f] and y [n, f]."""
    if min(len(x), len(y)) < 2:
        raise ValueError(f"A kernel distance needs at least 2 rows in each set. Received: {len(x)} and {len(y)}.")
    with tf.device("CPU"), compat.without_deprecation_logs():
        value, _ = compat.tfgan_eval().kernel_classifier_distance_and_std_from_activations(
            tf.constant(x, tf.float64), tf.constant(y, tf.float64), max_block_size=max(len(x), len(y))
        )
    return float(value)


def subsets(count_x: int, count_y: int, number: int, size: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """`number` pairs of row indices [size], each drawn without replacement from all rows of its set."""
    if not 2 <= size <= min(count_x, count_y):
        raise ValueError(
            f"A kernel distance draws subsets without replacement, so their size must be between 2 and the smaller set. "
            f"Received: subset size {size} for {count_x} and {count_y} rows."
        )
    if number < 1:
        raise ValueError(f"A kernel distance needs at least one subset. Received: {number}.")
    generator = np.random.RandomState(seed)
    return [(generator.choice(count_x, size, replace=False), generator.choice(count_y, size, replace=False)) for _ in range(number)]


def kernel_distance(x: np.ndarray, y: np.ndarray, *, number: int = 50, size: int = 1000, seed: int = 0) -> tuple[float, float]:
    """Mean and standard deviation (population) of the estimate over random subsets (the authors' code: 50 of 1,000 rows; their paper: 100).

    x, y: features [m, f] and [n, f].
    """
    values = [squared_discrepancy(x[i], y[j]) for i, j in subsets(len(x), len(y), number, size, seed)]
    return float(np.mean(values)), float(np.std(values))
