"""Ways of telling both players the class, on the same networks: an auxiliary classifier, projection, 2C and D2D-CE. Kang and Park 2020, table 1."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.core import picture, sampling
from tfgan_suite.studies import outcome

_VARIANTS = {"acgan": "AC-GAN", "projection_gan": "projection", "contragan": "2C", "reacgan": "D2D-CE"}
_QUICK_SOURCES = ("captioned_shapes/studio", "captioned_shapes/scenes")
_QUICK_STEPS = 2000
_BODIES = {"sndcgan": "contragan/cifar10_sndcgan", "resnet": "contragan/cifar10_resnet", "biggan": "contragan/cifar10"}
"""Body -> the preset whose settings all ways of conditioning share on it."""
_PUBLISHED = {
    "sndcgan": {"acgan": 21.439, "projection_gan": 19.524, "contragan": 18.788},
    "resnet": {"acgan": 11.588, "projection_gan": 11.025, "contragan": 11.334},
    "biggan": {"acgan": 10.697, "projection_gan": 10.739, "contragan": 10.597},
}
"""Frechet inception distances of the paper's table, CIFAR-10."""
_ROWS = 3


def cells(quick: bool) -> dict[str, experiments.Experiment]:
    """`<dataset>/<body>/<variant>` -> its experiment; cells of one dataset and body differ in how the class enters alone.

    quick: the built-in dataset's two configurations, the small networks of the variants' demos, 2,000 steps; else the paper's table on CIFAR-10.
    """
    found = {}
    for source in _QUICK_SOURCES if quick else ():
        for variant in _VARIANTS:
            made = registry.experiment(f"{variant}/demo")
            made.data.source, made.training.steps = source, _QUICK_STEPS
            found[f"{source.rpartition('/')[2]}/{made.model.body}/{variant}"] = registry.checked(made)
    for body, preset in () if quick else _BODIES.items():
        for variant in _VARIANTS:
            found[f"cifar10/{body}/{variant}"] = _on(preset, variant)
    return found


def _on(preset: str, variant: str) -> experiments.Experiment:
    """The preset with another variant and its terms."""
    made = registry.experiment(preset)
    config = registry.module(variant).Config
    shared = {f.name: getattr(made.model, f.name) for f in dataclasses.fields(config) if hasattr(made.model, f.name) and f.name != "terms"}
    made.variant, made.model = variant, config(**shared)
    return registry.checked(made)


def measure(name: str, model: Any, restore: Callable[[int], Any]) -> dict[str, np.ndarray]:
    """The grid of the finished `model`, uint8 [h, w, c], a column per class."""
    return {"grid": sampling.grid(model, rows=_ROWS, seed=0)}


_COLUMNS = {
    "FID": ("fid", "{:.2f}"),
    "IS": ("is", "{:.2f}"),
    "Frechet": ("fid_proxy", "{:.2f}"),
    "precision": ("precision", "{:.2f}"),
    "recall": ("recall", "{:.2f}"),
    "agreement": ("agreement", "{:.1%}"),
    "shape": ("agreement_shape", "{:.1%}"),
    "color": ("agreement_color", "{:.1%}"),
    "intra-class FID": ("intra_fid", "{:.2f}"),
    "intra-class Frechet": ("intra_fid_proxy", "{:.2f}"),
    "diversity": ("diversity", "{:.2f}"),
}
"""Heading -> (the score's name, how it is written). A page shows those that a score was found for."""

_LEGEND = (
    "*FID* is in the features of the 2015 Inception network, *Frechet* in those of the embedded classifier, which also says whether it sees the "
    "class (*agreement*), the shape, the colour that was asked for; *intra-class*: the mean over classes of the distance within a class; "
    "*diversity*: mean feature distance within a class over that of real images. One picture per class agrees perfectly: read agreement and "
    "diversity together."
)


def report(outcomes: Mapping[str, outcome.Outcome], command: str, folder: str) -> dict[str, bytes | str]:
    """The page (under the empty name) and a grid per cell by file name; `folder`: where they will lie, as the page refers to them."""
    lines = ["# Ways of conditioning on a class", "", f"Written by `{command}`.", "", _about(outcomes), "", _LEGEND]
    files: dict[str, bytes | str] = {}
    for place in dict.fromkeys(name.rpartition("/")[0] for name in outcomes):
        mine = {name.rpartition("/")[2]: o for name, o in outcomes.items() if name.rpartition("/")[0] == place}
        lines += ["", f"## {place.replace('/', ', body ')}", "", *_table(place.rpartition("/")[2], mine)]
        for variant, found in mine.items():
            if found.problem:
                lines += ["", f"{_VARIANTS[variant]} stopped before the last step: {found.problem}"]
                continue
            file = f"{place.replace('/', '-')}-{variant}.png"
            files[file] = picture.png(found.arrays["grid"])
            lines += ["", f"{_VARIANTS[variant]} (`{variant}`):", "", f"![samples]({folder}/{file})"]
    return files | {"": "\n".join(lines) + "\n"}


def _about(outcomes: Mapping[str, outcome.Outcome]) -> str:
    record = next((score.protocol for o in outcomes.values() for score in o.scores.values()), None)
    judged = f"{record.step:,} steps each, one run, seed 0" if record else "no run has finished"
    return f"In a table the networks, optimizers, batches and steps are the same, and the class enters the discriminator in different ways: {judged}."


def _table(body: str, cells: Mapping[str, outcome.Outcome]) -> list[str]:
    columns = {heading: c for heading, c in _COLUMNS.items() if any(c[0] in o.scores for o in cells.values())}
    published = _PUBLISHED.get(body, {})
    head = ["conditioning", *columns, *(["published FID"] if published else []), "seconds"]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * (len(head) - 1)]
    for variant, found in cells.items():
        figures = [form.format(found.scores[key].value) if key in found.scores else "" for key, form in columns.values()]
        figures += [f"{published[variant]:.2f}" if variant in published else ""] if published else []
        lines.append("| " + " | ".join([_VARIANTS[variant], *figures, f"{found.seconds:.0f}"]) + " |")
    return lines
