"""Quality against variety as latents are truncated. Brock et al. 2019, section 3.1 and figure 16: FID against IS, one point per threshold.

In the features of the 2015 Inception that figure is drawn; in any other, precision against recall, and the Frechet distance against the threshold.
"""

import dataclasses
import io
import json
import math
import os

from matplotlib import figure

from tfgan_suite.analysis import subject as subjects
from tfgan_suite.core import files, sampling
from tfgan_suite.metrics import protocol


def run(subject: subjects.Subject, options: subjects.Options, output: str) -> list[str]:
    """Writes `truncation.json`, the scores with their records, and `truncation.png`; returns the paths."""
    found = sweep(subject, options)
    records = [{"truncation": None if math.isinf(t) else t} | {name: s.to_json() for name, s in scores.items()} for t, scores in found.items()]
    paths = [os.path.join(output, f"truncation.{kind}") for kind in ("json", "png")]
    files.write(paths[0], json.dumps(records, indent=2, allow_nan=False) + "\n")
    files.write(paths[1], plot(found))
    return paths


def sweep(subject: subjects.Subject, options: subjects.Options) -> dict[float, dict[str, protocol.Score]]:
    """{threshold: {metric: score}} of as many samples each, from the smallest threshold to none at all."""
    thresholds = sorted({*options.truncations, math.inf})
    if thresholds[0] <= 0.0:
        raise ValueError(f"Latents are truncated at magnitudes above 0. Received: {thresholds[0]}.")
    judge, found = subject.judge(("fid", "prdc")), {}
    metrics = ("fid", "is", "prdc") if judge.extractor.standard else ("fid", "prdc")
    for threshold in thresholds:
        judge = dataclasses.replace(judge, metrics=metrics, record=dataclasses.replace(judge.record, truncation=threshold))
        drawn = sampling.samples(
            subject.model,
            options.samples,
            batch_size=judge.record.batch_size,
            seed=options.seed,
            truncation=threshold,
            held_out=judge.held_out,
        )
        found[threshold] = judge.run(drawn, step=int(subject.model.step.numpy()))
    return found


def plot(found: dict[float, dict[str, protocol.Score]]) -> bytes:
    """A PNG of two curves over the thresholds; every point carries its own."""
    names = list(next(iter(found.values())))
    distance = next(name for name in names if name.startswith("fid"))
    drawing = figure.Figure(figsize=(10, 4.5), layout="constrained")
    left, right = drawing.subplots(1, 2)
    if "is" in names:
        _curve(left, found, "is", distance)
    else:
        positions = range(len(found))
        left.plot(positions, [scores[distance].value for scores in found.values()], marker="o")
        left.set(xlabel="threshold of the latents", ylabel=distance)
        left.set_xticks(positions, [_label(t) for t in found])
    _curve(right, found, "recall", "precision")
    buffer = io.BytesIO()
    drawing.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


def _curve(axes, found, x: str, y: str) -> None:
    points = [(scores[x].value, scores[y].value) for scores in found.values()]
    axes.plot(*zip(*points, strict=True), marker="o")
    for point, threshold in zip(points, found, strict=True):
        axes.annotate(_label(threshold), point, textcoords="offset points", xytext=(4, 4))
    axes.set(xlabel=x, ylabel=y)


def _label(threshold: float) -> str:
    return "none" if math.isinf(threshold) else f"{threshold:g}"
