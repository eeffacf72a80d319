"""What unlabelled digits teach a classifier: a semi-supervised GAN against the same classifier on its labelled images alone, subset by subset."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.core import picture, sampling
from tfgan_suite.studies import outcome

_ARMS = {"semi_supervised": "improved_gan/mnist_100_labels_short", "labelled_alone": "improved_gan/mnist_100_labels_supervised"}
"""Arm -> preset. They differ in the terms that read unlabelled and generated images, and in the generator's updates."""
_SUBSETS, _QUICK_SUBSETS = 5, 1


def cells(quick: bool) -> dict[str, experiments.Experiment]:
    """`subset_<i>/<arm>` -> its experiment: subset i of the labelled images, and seed i of everything else.

    quick: one subset instead of five.
    """
    found = {}
    for seed in range(_QUICK_SUBSETS if quick else _SUBSETS):
        for arm, preset in _ARMS.items():
            made = registry.experiment(preset)
            made.data.labelled_seed = made.seed = seed
            found[f"subset_{seed}/{arm}"] = registry.checked(made)
    return found


def measure(name: str, model: Any, restore: Callable[[int], Any]) -> dict[str, np.ndarray]:
    """The samples of a semi-supervised generator, uint8 [h, w, c]; the other arm has none."""
    return {"grid": sampling.grid(model, rows=8, seed=0)} if name.endswith("/semi_supervised") else {}


def report(outcomes: Mapping[str, outcome.Outcome], command: str, folder: str) -> dict[str, bytes | str]:
    """The page (under the empty name) and a grid by file name; `folder`: where it will lie, as the page refers to it."""
    subsets = list(dict.fromkeys(name.partition("/")[0] for name in outcomes))
    errors = {arm: [_error(outcomes.get(f"{subset}/{arm}")) for subset in subsets] for arm in _ARMS}
    lines = ["# Digits with a hundred labels", "", f"Written by `{command}`.", "", _about(outcomes), "", *_table(subsets, errors, outcomes)]
    files: dict[str, bytes | str] = {}
    shown = next((o for o in outcomes.values() if "grid" in o.arrays), None)
    if shown:
        files["samples.png"] = picture.png(shown.arrays["grid"])
        lines += [
            "",
            "Samples of the first generator, which is trained to match features and not to please:",
            "",
            f"![samples]({folder}/samples.png)",
        ]
    return files | {"": "\n".join(lines) + "\n"}


def _error(cell: outcome.Outcome | None) -> float | None:
    return cell.scores["test_error"].value if cell and not cell.problem else None


def _about(outcomes: Mapping[str, outcome.Outcome]) -> str:
    record = next((o.scores["test_error"].protocol for o in outcomes.values() if not o.problem), None)
    judged = f"after {record.step:,} steps, on {record.num_real:,} test images" if record else "nowhere"
    presets = " and ".join(f"`{preset}`" for preset in _ARMS.values())
    return (
        f"Test error of the averaged classifier {judged}: the presets {presets}, the same network, noise, optimizer, batches and steps in both. The "
        "first also sees the remaining training images without their labels, and a generator's (Salimans et al. 2016, section 5). A subset is "
        "ten labelled images per class, drawn by its number, which is also the seed of the run."
    )


def _table(subsets: list[str], errors: Mapping[str, list[float | None]], outcomes: Mapping[str, outcome.Outcome]) -> list[str]:
    lines = ["| subset and seed | semi-supervised | labelled alone | seconds |", "|---:|---:|---:|---:|"]
    for i, subset in enumerate(subsets):
        seconds = " + ".join(f"{outcomes[f'{subset}/{arm}'].seconds:.0f}" for arm in _ARMS if f"{subset}/{arm}" in outcomes)
        lines.append(f"| {subset.removeprefix('subset_')} | {' | '.join(_percent(errors[arm][i]) for arm in _ARMS)} | {seconds} |")
    if len(subsets) > 1:
        lines.append(f"| mean and deviation | {' | '.join(_summary(errors[arm]) for arm in _ARMS)} | |")
    return lines


def _percent(error: float | None) -> str:
    return "stopped" if error is None else f"{error:.2%}"


def _summary(errors: list[float | None]) -> str:
    found = [error for error in errors if error is not None]
    return f"{np.mean(found):.2%} ± {np.std(found, ddof=1):.2%}" if len(found) > 1 else "stopped"
