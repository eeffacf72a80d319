"""Every objective under every stabiliser on the toys: which of them find the modes, and what weight clipping does to the gradient of a deep critic.

Each cell is the ordinary training of a preset with other terms. All cells share networks, optimizers, data and steps, so that they differ in the
objective alone; no cell was tuned for itself.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.losses import adversarial, divergences, gradient_penalty, term
from tfgan_suite.studies import depth, outcome, plane

_PRESET = "gan/ring8"
_TOYS = ("toy:ring8", "toy:grid25", "toy:swiss_roll")
_QUICK_STEPS, _STEPS = 1000, 10_000
_SNAPSHOTS = 4
_DEPTH_STEPS, _DEPTH_BATCH = 200, 128
_CLIP = 0.1  # of three layers of 128 units; 0.01, the paper's for DCGAN, leaves them no gradient


class Stabiliser(NamedTuple):
    """What is asked of the discriminator beside the objective: penalties, or another variant or body of networks."""

    penalties: tuple[term.Term, ...] = ()
    variant: str = "gan"
    body: str = "relu_mlp"
    options: Mapping[str, Any] = {}


def objectives() -> dict[str, term.Term]:
    """Name -> the game that is played. A line per family."""
    games = {name: adversarial.Adversarial(loss=name) for name in adversarial.LOSSES}
    return games | {f"f_{name}": divergences.FDivergence(divergence=name) for name in divergences.DIVERGENCES}


STABILISERS = {
    "none": Stabiliser(),
    "clipping": Stabiliser(variant="wgan", options={"clip": _CLIP, "warm_up_steps": 0}),
    "gradient_penalty": Stabiliser((gradient_penalty.GradientPenalty(weight=0.1),)),
    "one_sided_penalty": Stabiliser((gradient_penalty.GradientPenalty(weight=0.1, one_sided=True),)),
    "zero_centered_penalty": Stabiliser((gradient_penalty.ZeroCenteredGradientPenalty(weight=0.1),)),
    "r1": Stabiliser((gradient_penalty.R1(gamma=0.1),)),
    "dragan": Stabiliser((gradient_penalty.Dragan(weight=0.1),)),
    "spectral_norm": Stabiliser(body="spectral_mlp"),
    "minibatch_discrimination": Stabiliser(body="minibatch_mlp"),
}
"""Name -> what is added. Weights of penalties are those of WGAN-GP's toys, 0.1."""

PAIRS = (
    ("wasserstein", "clipping"),
    ("wasserstein", "gradient_penalty"),
    ("non_saturating", "r1"),
    ("non_saturating", "dragan"),
    ("non_saturating", "minibatch_discrimination"),
)
"""Objective and stabiliser as papers have combined them: WGAN, WGAN-GP, R1, DRAGAN, minibatch discrimination."""

DEPTHS = {
    "clipping at 0.1": Stabiliser(variant="wgan", body="deep_mlp", options={"clip": 0.1, "warm_up_steps": 0}),
    "clipping at 0.01": Stabiliser(variant="wgan", body="deep_mlp", options={"clip": 0.01, "warm_up_steps": 0}),
    "clipping at 0.001": Stabiliser(variant="wgan", body="deep_mlp", options={"clip": 0.001, "warm_up_steps": 0}),
    "gradient penalty": Stabiliser((gradient_penalty.GradientPenalty(weight=0.1),), body="deep_mlp"),
}
"""What is compared on a critic of 12 layers. Gulrajani et al. 2017, figure 1b."""


def cells(quick: bool) -> dict[str, experiments.Experiment]:
    """Name of a cell, `<toy>/<objective>/<stabiliser>` or `depth/<stabiliser>` -> its experiment.

    quick: the ring, every objective without a stabiliser and `PAIRS`, 1,000 steps each; else the whole grid, 10,000 steps each.
    """
    whole = [(toy, objective, stabiliser) for toy in _TOYS for objective in objectives() for stabiliser in STABILISERS]
    chosen = [("toy:ring8", *pair) for pair in (*((name, "none") for name in objectives()), *PAIRS)] if quick else whole
    steps = _QUICK_STEPS if quick else _STEPS
    found = {}
    for toy, objective, stabiliser in chosen:
        made = _experiment(toy, objectives()[objective], STABILISERS[stabiliser], steps)
        found[f"{toy.removeprefix('toy:')}/{objective}/{stabiliser}"] = made
    for name, stabiliser in DEPTHS.items():
        made = _experiment("toy:swiss_roll", adversarial.Adversarial(loss="wasserstein"), stabiliser, _DEPTH_STEPS)
        made.data.batch_size = _DEPTH_BATCH
        found[f"depth/{name.replace(' ', '_')}"] = made
    return found


def _experiment(toy: str, objective: term.Term, stabiliser: Stabiliser, steps: int) -> experiments.Experiment:
    """The preset on `toy` with these terms, in the stabiliser's variant."""
    preset = registry.experiment(_PRESET)
    config = registry.module(stabiliser.variant).Config
    shared = {f.name: getattr(preset.model, f.name) for f in dataclasses.fields(config) if hasattr(preset.model, f.name)}
    preset.variant = stabiliser.variant
    preset.model = config(**(shared | {"body": stabiliser.body, "terms": (objective, *stabiliser.penalties)} | stabiliser.options))
    preset.data.source = toy
    preset.training.steps = steps
    preset.checkpointing = experiments.Checkpointing(every_steps=steps // _SNAPSHOTS, keep=_SNAPSHOTS)
    preset.logging = experiments.Logging(every_steps=steps // _SNAPSHOTS, samples_every_steps=0)
    preset.health = dataclasses.replace(preset.health, saturation=float("inf"))  # a collapse is a result here, not a mistake
    if toy == "toy:swiss_roll":  # which has no modes
        preset.evaluation.metrics = ("fid", "prdc")
    return registry.checked(preset)


def measure(name: str, model: Any, restore: Callable[[int], Any]) -> dict[str, np.ndarray]:
    """What the figures show of a cell: of its finished `model`, and of others at the steps whose checkpoints `restore` gives."""
    if name.startswith("depth/"):
        points = np.random.RandomState(0).uniform(-1.0, 1.0, (256, 1, 2, 1))
        return {"gradient_norms": depth.gradient_norms(model.discriminator, points)}
    every = model.run.steps // _SNAPSHOTS
    earlier = range(every, model.run.steps, every) if shown_in_full(name) else ()
    models = [(step, restore(step)) for step in earlier] + [(model.run.steps, model)]
    return {f"{step}/{key}": array for step, m in models for key, array in plane.snapshot(m).items()} | {"centers": _centers(model)}


def shown_in_full(name: str) -> bool:
    """Whether the cell's training is drawn step by step: the pairs and the bare objectives beside them, on the ring."""
    toy, objective, stabiliser = name.split("/")
    return toy == "ring8" and ((objective, stabiliser) in PAIRS or (stabiliser == "none" and objective in {o for o, _ in PAIRS}))


def _centers(model: Any) -> np.ndarray:
    return np.array(model.data.mixture.centers if model.data.mixture else np.zeros((0, 2)))


# The page


_COLUMNS = {
    "modes": ("modes", "{:.0f}"),
    "assigned": ("assigned_modes", "{:.0f}"),
    "high quality": ("high_quality", "{:.1%}"),
    "reverse KL": ("reverse_kl", "{:.2f}"),
    "spread": ("std_ratio", "{:.2f}"),
    "Frechet": ("fid_proxy", "{:.3f}"),
    "precision": ("precision", "{:.2f}"),
    "recall": ("recall", "{:.2f}"),
}
"""Heading -> (the score's name, how it is written)."""


def report(outcomes: Mapping[str, outcome.Outcome], command: str, folder: str) -> dict[str, bytes | str]:
    """The page (under the empty name) and its figures by file name; `folder`: where the figures will lie, as the page refers to them."""
    depths = {name.removeprefix("depth/").replace("_", " "): o for name, o in outcomes.items() if name.startswith("depth/")}
    grid = {name: o for name, o in outcomes.items() if not name.startswith("depth/")}
    toys = list(dict.fromkeys(name.partition("/")[0] for name in grid))
    files: dict[str, bytes | str] = {}
    lines = _introduction(grid, command)
    for toy in toys:
        mine = {name: o for name, o in grid.items() if name.startswith(f"{toy}/")}
        lines += ["", f"## {toy}", "", *_table(mine), *_problems(mine)]
        drawn = {name: o.arrays for name, o in mine.items() if not o.problem}
        if drawn:
            files[f"{toy}.png"] = plane.overview({n.partition("/")[2].replace("/", "\n"): _last(a) for n, a in drawn.items()}, _any_centers(drawn))
            lines += ["", f"![the last step of every cell on {toy}]({folder}/{toy}.png)"]
        full = {name.partition("/")[2]: _snapshots(a) for name, a in drawn.items() if shown_in_full(name)}
        if full:
            files[f"{toy}-training.png"] = plane.training(full, _any_centers(drawn))
            lines += ["", _HOW_TO_READ, "", f"![the course of training on {toy}]({folder}/{toy}-training.png)"]
    norms = {name: o.arrays["gradient_norms"] for name, o in depths.items() if not o.problem}
    lines += [*_depth_section(norms), *_problems(depths)]
    if norms:
        files["depth.png"] = depth.draw(norms)
        lines += ["", f"![gradient norms over the layers]({folder}/depth.png)"]
    return files | {"": "\n".join(lines) + "\n"}


_LEGEND = (
    "*modes*: centres with a point within three standard deviations; *assigned*: centres that are the nearest to any point, however far; *high "
    "quality*: share of points within three deviations (98.9 % for a perfect sampler); *reverse KL*: of the modes' shares among those points from "
    "equal ones; *spread*: their deviation within a mode over the data's (0.97 for a perfect sampler); *Frechet*, *precision*, *recall*: in the "
    "plane itself. Other seeds give other rows: read differences of kind, not of decimals."
)
_HOW_TO_READ = (
    "Red: 1,000 generated points. Crosses: the true modes. Shades: level sets of the discriminator's score. Arrows: minus the gradient of the "
    "generator's loss, the way a generated point at that place is pushed; lengths are relative within a panel."
)
_ABOUT_DEPTH = (
    f"A Wasserstein critic of 12 hidden layers after {_DEPTH_STEPS} steps on the swiss roll: mean norm of the gradient of its score by the "
    "activations of a layer. *factor*: by how much the norm is multiplied from a layer to the one before it; above 1 the gradient explodes towards "
    "the input, below 1 it vanishes (Gulrajani et al. 2017, figure 1b)."
)


def _introduction(grid: Mapping[str, outcome.Outcome], command: str) -> list[str]:
    records = [score.protocol for o in grid.values() for score in list(o.scores.values())[:1]]
    judged = f"{records[0].num_fake} generated points against {records[0].num_real} real ones" if records else "nothing"
    steps = " or ".join(map(str, sorted({record.step for record in records})))
    shared = f"the networks, optimizers and data of the preset `{_PRESET}`"
    about = f"Every cell trains {shared} with other terms: {steps} steps, one run each, no cell tuned for itself."
    return ["# Objectives and stabilisers on toy distributions", "", f"Written by `{command}`.", "", f"{about} It judges {judged}. {_LEGEND}"]


def _table(cells: Mapping[str, outcome.Outcome]) -> list[str]:
    head = ["objective", "stabiliser", *_COLUMNS, "seconds"]
    lines = ["| " + " | ".join(head) + " |", "|---|---|" + "---:|" * (len(head) - 2)]
    for name, o in cells.items():
        figures = [form.format(o.scores[key].value) if key in o.scores else "" for key, form in _COLUMNS.values()]
        lines.append("| " + " | ".join([*name.split("/")[1:], *figures, f"{o.seconds:.0f}"]) + " |")
    return lines


def _problems(cells: Mapping[str, outcome.Outcome]) -> list[str]:
    failed = [f"- `{name}`: {o.problem}" for name, o in cells.items() if o.problem]
    return ["", "Stopped before the last step:", "", *failed] if failed else []


def _depth_section(norms: Mapping[str, np.ndarray]) -> list[str]:
    head = ["", "## Weight clipping and depth", "", _ABOUT_DEPTH, "", "| constraint | last layer | first layer | factor |", "|---|---:|---:|---:|"]
    return head + [f"| {name} | {values[-1]:.2g} | {values[0]:.2g} | {depth.factor(values):.3g} |" for name, values in norms.items()]


def _snapshots(arrays: Mapping[str, np.ndarray]) -> list[tuple[int, dict[str, np.ndarray]]]:
    """[(step, its arrays)] in the order of the steps."""
    steps = sorted({int(key.partition("/")[0]) for key in arrays if "/" in key})
    return [(step, {key.partition("/")[2]: a for key, a in arrays.items() if key.startswith(f"{step}/")}) for step in steps]


def _last(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return _snapshots(arrays)[-1][1]


def _any_centers(drawn: Mapping[str, Mapping[str, np.ndarray]]) -> np.ndarray:
    return next(iter(drawn.values()))["centers"]
