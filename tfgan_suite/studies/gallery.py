"""What every variant's `demo` preset learns in minutes on two cores: a grid each, and the scores that say whether the grid can be believed."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.core import picture, sampling
from tfgan_suite.studies import outcome

_QUICK = 4
_ROWS, _CLASS_ROWS = 8, 4


def cells(quick: bool) -> dict[str, experiments.Experiment]:
    """Variant -> its `demo` preset; quick: a quarter of the steps."""
    found = {variant: registry.experiment(f"{variant}/demo") for variant in registry.VARIANTS}
    for made in found.values() if quick else ():
        made.training.steps = max(1, made.training.steps // _QUICK)
    return found


def measure(name: str, model: Any, restore: Callable[[int], Any]) -> dict[str, np.ndarray]:
    """The grid of the finished `model`, uint8 [h, w, c]: a column per class of a conditional one."""
    rows = _CLASS_ROWS if "label" in model.condition_keys else _ROWS
    return {"grid": sampling.grid(model, rows=rows, seed=0)}


_COLUMNS = {
    "Frechet": ("fid_proxy", "{:.2f}"),
    "precision": ("precision", "{:.2f}"),
    "recall": ("recall", "{:.2f}"),
    "agreement": ("agreement", "{:.1%}"),
    "shape": ("agreement_shape", "{:.1%}"),
    "color": ("agreement_color", "{:.1%}"),
    "diversity": ("diversity", "{:.2f}"),
}
"""Heading -> (the score's name, how it is written)."""

_LEGEND = (
    "*Frechet*: distance in the features of the embedded classifier, comparable within this page only; *agreement*, *shape*, *color*: share of "
    "samples in which that classifier sees the class, the shape, the colour that was asked for; *diversity*: mean feature distance within a class "
    "(without classes: between any two samples) over that of real images. A generator with one picture per class agrees perfectly: read both."
)


def report(outcomes: Mapping[str, outcome.Outcome], command: str, folder: str) -> dict[str, bytes | str]:
    """The page (under the empty name) and a grid per variant by file name; `folder`: where they will lie, as the page refers to them."""
    lines = ["# Gallery", "", f"Written by `{command}`: every variant's `demo` preset, one run each, seed 0.", "", _LEGEND, "", *_table(outcomes)]
    files: dict[str, bytes | str] = {}
    for variant, found in outcomes.items():
        row = registry.VARIANTS[variant]
        lines += ["", f"## {variant}", "", f"{row.summary} {row.paper}.", ""]
        if found.problem:
            lines.append(f"Stopped before the last step: {found.problem}")
            continue
        files[f"{variant}.png"] = picture.png(found.arrays["grid"])
        lines.append(f"![samples of {variant}/demo]({folder}/{variant}.png)")
    return files | {"": "\n".join(lines) + "\n"}


def _table(outcomes: Mapping[str, outcome.Outcome]) -> list[str]:
    head = ["variant", "steps", *_COLUMNS, "seconds"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for variant, found in outcomes.items():
        steps = next((str(score.protocol.step) for score in found.scores.values()), "")
        figures = [form.format(found.scores[key].value) if key in found.scores else "" for key, form in _COLUMNS.values()]
        lines.append("| " + " | ".join([f"[{variant}](#{variant})", steps, *figures, f"{found.seconds:.0f}"]) + " |")
    return lines
