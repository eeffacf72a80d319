"""How much of an augmentation's signature generated images bear, against real ones: shifted colours, black rectangles, mirrored borders.

A generator that learns from augmented real images alone draws the augmentation (Zhao et al. 2020, arXiv:2006.02595, section 4.1, who show pictures of
it). The figures here are definitions of our own. Images are uint8 [n, h, w, c]; each figure is about 0 for images of the same distribution.
"""

from typing import Any

import numpy as np

Figures = dict[str, dict[str, Any]]

CHANNELS = ("red", "green", "blue")
BLACK = 12
"""The largest value, of 255, that still counts as black: a twentieth of the range."""
_CHUNK = 250


def color_distances(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """[c]: per channel how far apart the images' mean values lie (Wasserstein-1), over the standard deviation of the real ones.

    A shift of all images by d gives d / deviation; a shift of each by a random amount of mean 0 widens the distribution, and counts too. The
    deviation is taken as one level of 255 at least.
    """
    means = [images.mean((1, 2), dtype=np.float64) for images in (real, fake)]
    spread = np.maximum(means[0].std(0), 1.0)
    return np.array([_wasserstein(r, f) for r, f in zip(means[0].T, means[1].T, strict=True)]) / spread


def black_shares(images: np.ndarray) -> np.ndarray:
    """[n]: the share of the pixels that lie in a square of black pixels, an eighth of the smaller side wide, and 2 at least.

    Rectangles that are wider and higher than that count whole, lines and single pixels not at all.
    """
    width = max(2, min(images.shape[1:3]) // 8)
    whole = _window_sums((images.max(-1) <= BLACK).astype(np.int32), width) == width**2  # by the square's first pixel
    margin = width - 1
    covered = _window_sums(np.pad(whole.astype(np.int32), ((0, 0), (margin, margin), (margin, margin))), width) > 0
    return covered.mean((1, 2))


def reflections(images: np.ndarray) -> np.ndarray:
    """[n]: how well a strip along the border agrees with its mirror image further in, at the best of many widths, mean over the four borders.

    Agreement is the cosine between the differences of neighbouring pixels across the mirror, for strips from 2 pixels to half the side: 1 for
    margins that were filled by reflection, whatever they show; -1 for an even slope. Strips flatter than one level of 255 count less.
    """
    borders = [_reflections(turned) for image in (images, images.swapaxes(1, 2)) for turned in (image, image[:, :, ::-1])]
    return np.mean(borders, 0)


def figures(evaluator: Any, fake: Any) -> Figures:
    """The three as an `evaluation.Evaluator` asks for them: {name of the result: the fields of its `catalog.Result`}.

    `leak_color`: the mean over channels; `leak_color_red` and so on where there are three. `leak_black` and `leak_reflection`: the fakes' mean less
    the reals', with its standard error.
    """
    real = evaluator.reference.images
    colors = color_distances(real, fake.images)
    found: Figures = {"leak_color": {"value": float(colors.mean())}}
    if len(colors) == len(CHANNELS):
        found |= {f"leak_color_{name}": {"value": float(distance)} for name, distance in zip(CHANNELS, colors, strict=True)}
    for name, measure in (("leak_black", black_shares), ("leak_reflection", reflections)):
        mine, theirs = (_in_chunks(measure, images) for images in (fake.images, real))
        error = np.sqrt(mine.var() / len(mine) + theirs.var() / len(theirs))
        found[name] = {"value": float(mine.mean() - theirs.mean()), "std": float(error)}
    return found


def _wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """The area between the empirical distribution functions of two samples [n] and [m]."""
    places = np.sort(np.concatenate([a, b]))
    shares = [np.searchsorted(np.sort(x), places[:-1], side="right") / len(x) for x in (a, b)]
    return float(np.sum(np.abs(shares[0] - shares[1]) * np.diff(places)))


def _window_sums(values: np.ndarray, width: int) -> np.ndarray:
    """[n, h, w] -> [n, h - width + 1, w - width + 1]: the sums over squares."""
    for axis in (1, 2):
        before = [(int(i == axis), 0) for i in range(3)]
        total = np.moveaxis(np.cumsum(np.pad(values, before), axis), axis, 0)
        values = np.moveaxis(total[width:] - total[:-width], 0, axis)
    return values


def _reflections(images: np.ndarray) -> np.ndarray:
    """Of the left border alone: [n]. A mirror at column s says x[s - i] = x[s + i], which the differences x[j + 1] - x[j] say without the level."""
    steps = np.diff(images.astype(np.float32), axis=2)
    found = []
    for s in range(2, max(3, (images.shape[2] + 1) // 2)):
        outer, inner = -steps[:, :, :s][:, :, ::-1], steps[:, :, s : 2 * s]
        product, norms = _total(outer * inner), np.sqrt(_total(outer**2) * _total(inner**2))
        found.append(product / np.maximum(norms, outer[0].size))
    return np.max(found, 0)


def _total(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).sum(1, dtype=np.float64)


def _in_chunks(measure, images: np.ndarray) -> np.ndarray:
    return np.concatenate([measure(images[i : i + _CHUNK]) for i in range(0, len(images), _CHUNK)])
