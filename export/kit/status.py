"""What an export folder holds: versions on disk, policy, labels, sizes, dates; and beside them what a server says."""

import datetime
import os
from collections.abc import Iterator, Sequence

import requests

from export import serving_config
from export.kit import cost, rollout, state


def report(output: str, model: str | None, url: str | None) -> Iterator[str]:
    """The lines of a report on `model`, or on all. `url`: of a server's REST port."""
    text = serving_config.read(output, serving_config.MODELS)
    names = [model] if model else [entry.name for entry in serving_config.parse_models(text).model_config_list.config] if text else [""]
    for name in names:
        yield from _model(rollout.read(output, name), url)


def _model(folder: rollout.Folder, url: str | None) -> Iterator[str]:
    policy = rollout.describe(folder.entry.model_version_policy)
    pinned = ", pinned until the next promote" if folder.history.policy else ""
    yield f"{folder.model}: the server loads {policy}{pinned}"
    target = folder.history.target(folder.entry.version_labels.get("stable", 0), folder.available)
    states, problem = _states(url, folder.model)
    rows = [("version", "size", "published", "loaded", "labels", *(["server"] if url else []))]
    for version in folder.available:
        directory = os.path.join(folder.output, folder.model, str(version))
        labels = [
            *(label for label, at in sorted(folder.entry.version_labels.items()) if at == version),
            *(["(rollback)"] if version == target else []),
        ]
        row = (str(version), _megabytes(cost.size(directory)), _date(directory), "yes" if folder.loads(version) else "no", ", ".join(labels) or "-")
        rows.append((*row, *([" ".join(filter(None, states.get(version, ("-", ""))))] if url else [])))
    yield from _table(rows)
    for label, version in sorted(folder.entry.version_labels.items()):
        if not folder.loads(version):
            yield f"  {label} points at version {version}, which the server does not load: requests to it fail."
    if problem:
        yield f"  {problem}"


def _states(url: str | None, model: str) -> tuple[dict[int, tuple[str, str]], str]:
    try:
        return (state.versions(url, model) if url else {}), ""
    except requests.RequestException as error:
        return {}, f"The server at {url} does not answer: {type(error).__name__}."


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def _date(directory: str) -> str:
    """When the version was written, in this machine's time."""
    return datetime.datetime.fromtimestamp(os.stat(directory).st_mtime).strftime("%Y-%m-%d %H:%M")
