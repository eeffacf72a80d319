"""Scores with their records: as a file, and as a table to read."""

import json
import os
import pathlib
from collections.abc import Mapping

from tfgan_suite.metrics import protocol

_SHOWN = 30


def write(path: str | os.PathLike, scores: Mapping[str, protocol.Score]) -> None:
    """Writes scores with their records as JSON: whole or not at all."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.write_text(json.dumps({name: score.to_json() for name, score in scores.items()}, indent=2, allow_nan=False) + "\n")
    os.replace(temporary, path)


def read(path: str | os.PathLike) -> dict[str, protocol.Score]:
    """The scores of a file that `write` made."""
    return {name: protocol.Score.from_json(score) for name, score in json.loads(pathlib.Path(path).read_text()).items()}


def table(scores: Mapping[str, protocol.Score]) -> str:
    """A text table of the scores, what they were judged by, and how good that judge is."""
    rows = [("metric", "value", "+/-", "unit")]
    rows += [(n, f"{s.value:.4g}", "" if s.std is None else f"{s.std:.2g}", s.unit) for n, s in scores.items()]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for name, score in scores.items():
        for what, numbers in score.details.items():
            if numbers:
                shown = ", ".join(map(str, numbers[:_SHOWN])) + (f" and {len(numbers) - _SHOWN} more" if len(numbers) > _SHOWN else "")
                lines.append(f"{name}, {what}: {shown}")
    for record in [score.protocol for score in scores.values()][:1]:
        lines.append(f"{record.num_fake} generated against {record.num_real} real images of the split {record.split!r}")
        lines.append(f"features: {record.backbone} ({record.weights}), resized by {record.resizer}")
        if record.judge:
            shares = ", ".join(f"{name} {share:.1%}" for name, share in record.judge.items())
            lines.append(f"the extractor's own classifier on real held-out images: {shares}")
    return "\n".join(lines)
