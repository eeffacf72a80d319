"""The training images nearest to generated ones in feature space: has the generator memorised its examples? Brock et al. 2019, figures 10 to 13.

A distance alone says nothing, so held-out images are asked the same question: a generator that copies is nearer to the training set than images that
nobody trained on, and the ratio of the medians falls far below 1.
"""

import json
import os

import numpy as np

from tfgan_suite.analysis import subject as subjects
from tfgan_suite.core import files, picture, sampling
from tfgan_suite.metrics import evaluation, examples


def run(subject: subjects.Subject, options: subjects.Options, output: str) -> list[str]:
    """Writes `neighbours.png`, a generated image and its nearest training images per row, and `neighbours.json`, the distances; returns the paths."""
    judge = subject.judge(("fid",))
    how = {"batch_size": judge.record.batch_size, "seed": options.seed, "truncation": options.truncation, "held_out": judge.held_out}
    drawn = list(sampling.samples(subject.model, options.samples, **how))
    generated = np.concatenate([batch["image"] for batch in drawn])
    shown = min(options.rows, len(generated))
    distances, images = nearest(judge, generated, options.neighbours, shown)
    held_out = _held_out(judge, options)
    rows = np.concatenate([np.concatenate([generated[i : i + 1], images[i]]) for i in range(shown)])
    paths = [os.path.join(output, f"neighbours.{kind}") for kind in ("png", "json")]
    sheet = picture.grid(rows, 1 + options.neighbours, scale=subject.scale)
    files.write(paths[0], picture.png(picture.with_column_names(sheet, ["generated", *(str(i + 1) for i in range(options.neighbours))])))
    files.write(paths[1], json.dumps(_record(judge, subject, distances, held_out), indent=2, allow_nan=False) + "\n")
    return paths


def nearest(judge: evaluation.Evaluator, queries: np.ndarray, count: int, shown: int) -> tuple[np.ndarray, list[np.ndarray]]:
    """Of images [n, h, w, c]: distances [n, count] to the nearest training images, ascending, and these images for the first `shown`.

    The training split is read once, batch by batch. Raises a ValueError if it has fewer than `count` images.
    """
    if judge.data.spec.size < count:
        raise ValueError(f"{count} neighbours were asked for, and {judge.data.spec.name!r} has {judge.data.spec.size} training images.")
    features = judge.extractor(queries)["features"].astype(np.float64)
    best, images = np.full((len(queries), count), np.inf), [np.zeros((count, *queries.shape[1:]), np.float32) for _ in range(shown)]
    for batch in examples.of(judge.data, "train"):
        there = judge.extractor(batch["image"])["features"].astype(np.float64)
        distances = np.concatenate([best, _distances(features, there)], axis=1)
        order = np.argsort(distances, axis=1, kind="stable")[:, :count]
        best = np.take_along_axis(distances, order, axis=1)
        for i in range(shown):
            images[i] = np.stack([images[i][j] if j < count else batch["image"][j - count] for j in order[i]])
    return best, images


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[n, m] of rows a [n, f] and b [m, f], both about b's mean, where the squares lose fewer digits."""
    centre = b.mean(0)
    a, b = a - centre, b - centre
    squares = (a * a).sum(1)[:, None] + (b * b).sum(1)[None] - 2.0 * a @ b.T
    return np.sqrt(np.maximum(squares, 0.0))


def _held_out(judge: evaluation.Evaluator, options: subjects.Options) -> np.ndarray | None:
    """Distances of as many test images; None without a test split."""
    if not judge.data.spec.test_size:
        return None
    images = np.concatenate([batch["image"] for batch in examples.of(judge.data, "test", options.samples)])
    return nearest(judge, images, 1, 0)[0][:, 0]


def _record(judge: evaluation.Evaluator, subject: subjects.Subject, distances: np.ndarray, held_out: np.ndarray | None) -> dict:
    record = {
        "extractor": judge.extractor.name,
        "weights": judge.extractor.fingerprint,
        "data": judge.data.fingerprint,
        "step": int(subject.model.step.numpy()),
        "generated": _summary(distances[:, 0]),
        "distances": distances.tolist(),
    }
    if held_out is None:
        return record
    ratio = float(np.median(distances[:, 0]) / np.median(held_out)) if np.median(held_out) > 0.0 else None
    return record | {"held_out": _summary(held_out), "ratio_of_medians": ratio}


def _summary(nearest_distances: np.ndarray) -> dict[str, float]:
    smallest, quarter, median, most = np.quantile(nearest_distances, (0.0, 0.25, 0.5, 1.0))
    return {"images": len(nearest_distances), "smallest": smallest, "lower_quartile": quarter, "median": median, "largest": most}
