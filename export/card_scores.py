"""Scores in a model card: a table, and below it under which protocol each was measured. No number without its protocol."""

from collections.abc import Sequence
from typing import Any

from export import facts

_PROXY = "_proxy"
_MEANINGS = {
    "fid": "Fréchet distance of features, lower is better",
    "kid": "kernel distance of features, lower is better",
    "is": "inception score, higher is better",
    "intra_fid": "mean Fréchet distance within a class, lower is better",
    "precision": "share of the samples that lie among the data",
    "recall": "share of the data that lie among the samples",
    "density": "how densely the data lie around the samples, about 1 for the data themselves",
    "coverage": "share of the data with a sample nearby",
    "diversity": "spread within a class over the data's, 1 for as varied as the data",
    "agreement": "share of the samples that a classifier gives the class asked for",
    "ms_ssim": "similarity of two samples of a class, lower is more varied",
    "test_error": "share of the held-out images that the model's own classifier gets wrong",
    "leak_color": "shift of colours, in the data's deviations",
    "leak_black": "share of the pixels in black rectangles, above the data's",
    "leak_reflection": "agreement of borders with their mirror image, above the data's",
}


def text(run: facts.Run, scores: Sequence[facts.Score]) -> str:
    """A table of the scores, and below it under which protocol each was measured; "" without scores."""
    if not scores:
        return ""
    rows = ["| metric | value | +/- | unit | what it is |", "|---|---|---|---|---|"]
    for score in scores:
        deviation = "" if score.std is None else f"{score.std:.2g}"
        rows.append(f"| `{score.name}` | {score.value:.4g} | {deviation} | {score.unit} | {_meaning(score.name)} |")
    names: dict[str, list[str]] = {}
    for score in scores:
        names.setdefault(_protocol(run, score.protocol), []).append(f"`{score.name}`")
    lines = [f"- {', '.join(group)}: {line}" for line, group in names.items()]
    return "\n".join([*rows, "", "Measured so:", "", *lines])


def _meaning(name: str) -> str:
    base = name.removesuffix(_PROXY)
    known = next((text for key, text in _MEANINGS.items() if base == key or base.startswith(f"{key}_")), "")
    return f"{known}; by other features than the published figures, so not to be compared with them" if name != base else known


def _protocol(run: facts.Run, record: dict[str, Any]) -> str:
    """The protocol of one number, as a line."""
    resolution = " x ".join(map(str, record.get("resolution", ())))
    truncation = record.get("truncation", 0.0)
    parts = [
        f"{record.get('num_fake')} samples against {record.get('num_real')} real images of the split {record.get('split')!r}",
        f"data {record.get('data')}",
        f"features {record.get('backbone')} ({record.get('weights')}), resized by {record.get('resizer')} from {resolution}" if resolution else "",
        "rounded to 8 bits" if record.get("quantised") else "not rounded to 8 bits",
        f"labels {record['label_sampling']}" if record.get("label_sampling") else "",
        f"truncation {truncation:g}" if truncation else "no truncation",
        *(f"{key} {record[key]}" for key in ("splits", "subsets", "subset_size", "pairs", "k") if record.get(key)),
        f"{record.get('generator')} generator, {record.get('batch_norm')} statistics, batches of {record.get('batch_size')}",
        f"seed {record.get('seed')}",
        f"step {record.get('step')}{other_step(run, record.get('step'))}",
    ]
    return "; ".join(filter(None, parts)) + "."


def other_step(run: facts.Run, step: int | None) -> str:
    """A warning where a number belongs to other weights than these."""
    here = run.training.step
    return f" (**of other weights: these are of step {here}**)" if here is not None and step != here else ""
