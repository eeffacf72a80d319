"""Whether generated word vectors name what an image shows: the evaluation of Mirza and Osindero 2014, section 4.2.

For each image 100 word vectors are generated; for each of these the 20 nearest words of the dictionary by cosine are looked up; the 10 words found
most often are the image's tags. The paper shows lists of them; here they are compared with the image's own tags. As voting cannot tell one of an
image's topics from all of them, the share of its tags that some sample names is measured besides.
"""

import numpy as np

NEIGHBOURS, TAGS = 20, 10
_ROWS, _CHUNK = 1024, 4096  # vectors and words compared at once


def nearest(vectors: np.ndarray, dictionary: np.ndarray, k: int = NEIGHBOURS) -> tuple[np.ndarray, np.ndarray]:
    """The k words of the dictionary [v, d] nearest to each vector [n, d] by cosine, nearest first: (their numbers [n, k], their cosines [n, k]).

    The dictionary is gone through in chunks, so that memory does not grow with it.
    """
    if not 1 <= k <= len(dictionary):
        raise ValueError(f"There are {len(dictionary)} words, and {k} nearest ones were asked for.")
    vectors, found = _unit(vectors), []
    for start in range(0, len(vectors), _ROWS):
        found.append(_nearest(vectors[start : start + _ROWS], dictionary, k))
    numbers, cosines = zip(*found, strict=True)
    return np.concatenate(numbers), np.concatenate(cosines)


def tags(samples: np.ndarray, dictionary: np.ndarray, *, neighbours: int = NEIGHBOURS, count: int = TAGS) -> tuple[np.ndarray, np.ndarray]:
    """From samples [images, s, d]: (the `count` words found most often among an image's nearest ones, [images, count], the nearest word of each
    sample [images, s]).

    Words found equally often are ordered by the sum of their cosines (the paper does not say how); -1 where fewer than `count` are found.
    """
    images, draws, size = samples.shape
    numbers, cosines = nearest(samples.reshape(images * draws, size), dictionary, neighbours)
    found = np.full((images, count), -1)
    for i, (words, near) in enumerate(zip(numbers.reshape(images, -1), cosines.reshape(images, -1), strict=True)):
        distinct, place = np.unique(words, return_inverse=True)
        votes, sums = np.bincount(place), np.bincount(place, weights=near)
        best = np.lexsort((distinct, -sums, -votes))[:count]
        found[i, : len(best)] = distinct[best]
    return found, numbers[:, 0].reshape(images, draws)


def precision_recall(found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the words found [n, t] that are among the image's true ones [n, m], and the other way round: two arrays [n]. -1 is no word."""
    none = np.flatnonzero((true >= 0).sum(1) == 0)
    if len(none):
        raise ValueError(f"Image {none[0]} has no tag: leave images without tags out (Mirza and Osindero 2014 do).")
    equal = (found[:, :, None] == true[:, None, :]) & (found >= 0)[:, :, None]
    return equal.any(2).sum(1) / np.maximum((found >= 0).sum(1), 1), equal.any(1).sum(1) / (true >= 0).sum(1)


def _nearest(vectors, dictionary, k):
    numbers, cosines = np.zeros((len(vectors), 0), np.int64), np.zeros((len(vectors), 0), np.float32)
    for start in range(0, len(dictionary), _CHUNK):
        near = vectors @ _unit(dictionary[start : start + _CHUNK]).T
        best = _largest(near, k)
        numbers, cosines = np.concatenate([numbers, start + best], 1), np.concatenate([cosines, np.take_along_axis(near, best, 1)], 1)
        best = _largest(cosines, k)
        numbers, cosines = np.take_along_axis(numbers, best, 1), np.take_along_axis(cosines, best, 1)
    order = np.lexsort((numbers, -cosines), axis=1)
    return np.take_along_axis(numbers, order, 1), np.take_along_axis(cosines, order, 1)


def _largest(values: np.ndarray, k: int) -> np.ndarray:
    """Places of the k largest values of each row, in no order; all of them where there are no more."""
    width = values.shape[1]
    return np.argpartition(values, width - k, axis=1)[:, width - k :] if width > k else np.broadcast_to(np.arange(width), values.shape)


def _unit(rows: np.ndarray) -> np.ndarray:
    rows = np.asarray(rows, np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
