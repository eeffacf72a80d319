"""Reads from a run's folder what its model card states."""

import json
import os
from typing import Any

from export import facts

NEIGHBOURS = (os.path.join("analysis", "neighbours.json"), "neighbours.json")
"""Where in the run's folder `tfgan-analyze neighbours` may have written to."""


def read(
    workdir: str, experiment: dict[str, Any], data: dict[str, Any], *, step: int, summary: str = "", paper: str = "", license: str = "unknown"
) -> facts.Run:
    """What is known of the run in `workdir`. `experiment`, `data`: its experiment and its DataSpec as JSON has them; `step`: of the exported weights.

    ValueError for a file of results that cannot be read: a card without them would say that nothing was measured.
    """
    training, settings, evaluation = (experiment.get(part, {}) for part in ("training", "data", "evaluation"))
    return facts.Run(
        variant=experiment["variant"],
        summary=summary,
        paper=paper,
        license=license,
        data=facts.Data(
            name=data["name"],
            classes=data.get("num_classes", 0),
            class_names=tuple(data.get("class_names", ())),
            image_shape=tuple(data["features"].get("image", {}).get("shape", ())),
            size=data["size"],
            held_out=data.get("test_size", 0),
        ),
        training=facts.Training(
            step=step,
            steps=training.get("steps"),
            batch_size=settings.get("batch_size"),
            precision=training.get("precision"),
            seed=experiment.get("seed"),
        ),
        metrics=tuple(evaluation.get("metrics", ())),
        scores=_scores(os.path.join(workdir, "metrics.json")),
        neighbours=next(filter(None, (_neighbours(os.path.join(workdir, name)) for name in NEIGHBOURS)), None),
    )


def _scores(path: str) -> tuple[facts.Score, ...]:
    found = _json(path) or {}
    try:
        return tuple(
            facts.Score(name=name, value=score["value"], std=score["std"], unit=score["unit"], protocol=score["protocol"])
            for name, score in found.items()
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not what tfgan-evaluate writes: {error!r}. Evaluate again, or move it away.") from error


def _neighbours(path: str) -> facts.Neighbours | None:
    found = _json(path)
    if found is None:
        return None
    try:
        return facts.Neighbours(
            extractor=found["extractor"],
            step=found["step"],
            samples=found["generated"]["images"],
            median=found["generated"]["median"],
            held_out_median=found["held_out"]["median"] if "held_out" in found else None,
            ratio=found.get("ratio_of_medians"),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{path} is not what tfgan-analyze neighbours writes: {error!r}. Analyse again, or move it away.") from error


def _json(path: str) -> Any:
    """None where there is no file."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}. Write it again, or move it away.") from error
