"""What became of one cell of a study, in the cell's own folder, an ordinary workdir: so that a study goes on where it was stopped."""

import dataclasses
import json
import os
from typing import Any

import numpy as np

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.metrics import protocol, scores

_SCORES, _ARRAYS, _OUTCOME = "metrics.json", "arrays.npz", "outcome.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """A finished cell."""

    scores: dict[str, protocol.Score]
    """As `tfgan-evaluate` gives them; none where training failed."""
    arrays: dict[str, np.ndarray]
    """What the study measured on the models of this cell."""
    problem: str = ""
    """Why training stopped before its last step."""
    seconds: float
    """Of training, compilation included, and of measuring."""


def load(folder: str, experiment: experiments.Experiment) -> Outcome | None:
    """The outcome in a cell's folder; None if the cell is not finished. ValueError: it belongs to another experiment."""
    path = os.path.join(folder, _OUTCOME)
    if not os.path.exists(path):
        return None
    with open(path) as file:
        record = json.load(file)
    different = registry.differences(experiment, json.dumps(record.pop("experiment")))
    if different:
        lines = "\n  ".join(different[:10])
        raise ValueError(f"{folder} holds the outcome of another experiment:\n  {lines}\nUse another --workdir, or remove that folder.")
    with np.load(os.path.join(folder, _ARRAYS)) as file:
        arrays = dict(file)
    found = {} if record["problem"] else scores.read(os.path.join(folder, _SCORES))
    return Outcome(scores=found, arrays=arrays, **record)


def save(folder: str, experiment: experiments.Experiment, outcome: Outcome) -> None:
    """Writes it, what makes the cell count as finished last and whole."""
    if not outcome.problem:
        scores.write(os.path.join(folder, _SCORES), outcome.scores)
    np.savez(os.path.join(folder, _ARRAYS), **outcome.arrays)
    record: dict[str, Any] = {"experiment": json.loads(registry.dump(experiment)), "problem": outcome.problem, "seconds": outcome.seconds}
    temporary = os.path.join(folder, f".{_OUTCOME}.tmp")
    with open(temporary, "w") as file:
        json.dump(record, file, indent=2, allow_nan=False)
    os.replace(temporary, os.path.join(folder, _OUTCOME))
