"""Whether generated word vectors name what an image shows: the evaluation of Mirza and Osindero 2014, section 4.2.

For each image 100 word vectors are generated; for each of these the 20 nearest words of the dictionary by cosine are looked up; the 10 words found
most often are the image's tags. The paper shows lists of them; here they are compared with the image's own tags.
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


def tags(samples: np.ndarray, dictionary: np.ndarray, *, neighbours: int = NEIGHBOURS, count: int = TAGS) -> np.ndarray:
    """The `count` words found most often among the nearest ones of an image's samples: [images, samples, d] -> word numbers [images, count].

    Words found equally often are ordered by the sum of their cosines (the paper does not say how).
    """
    images, draws, size = samples.shape
    numbers, cosines = nearest(samples.reshape(images * draws, size), dictionary, neighbours)
    found = np.full((images, count), -1)
    for i, (words, near) in enumerate(zip(numbers.reshape(images, -1), cosines.reshape(images, -1), strict=True)):
        distinct, place = np.unique(words, return_inverse=True)
        votes = np.bincount(place)
        sums = np.bincount(place, weights=near)
        best = np.lexsort((distinct, -sums, -votes))[:count]
        found[i, : len(best)] = distinct[best]
    return found


def precision_recall(found: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the words found [n, t] that are among the image's true ones [n, m], and the other way round: two arrays [n]. -1 is no word."""
    hits = ((found[:, :, None] == true[:, None, :]) & (found >= 0)[:, :, None]).any(2).sum(1)
    none = np.flatnonzero((true >= 0).sum(1) == 0)
    if len(none):
        raise ValueError(f"Image {none[0]} has no tag: leave images without tags out (Mirza and Osindero 2014 do).")
    return hits / np.maximum((found >= 0).sum(1), 1), hits / (true >= 0).sum(1)


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
