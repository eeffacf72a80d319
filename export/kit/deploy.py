"""The files of `<output>/deploy/`: written at every export, and left alone once someone has changed them.

`.written.json` holds the hash of what was written to each file. A file with another hash is somebody's own and is never touched again; one that
is missing is written. So whoever wants the current text of a changed file moves it away and exports again.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence

from absl import logging

from export import versions
from export.kit import containers, grafana, kubernetes, prometheus, served, tls

DIRECTORY = "deploy"
_RECORD = ".written.json"

FILES: dict[str, Callable[[served.Served], str]] = {
    "Dockerfile": containers.dockerfile,
    "Dockerfile.dockerignore": containers.ignored,
    "compose.yaml": containers.compose,
    "kubernetes/deployment.yaml": kubernetes.deployment,
    "kubernetes/service.yaml": kubernetes.service,
    "kubernetes/autoscaler.yaml": kubernetes.autoscaler,
    "kubernetes/disruption_budget.yaml": kubernetes.disruption_budget,
    "prometheus/scrape_kubernetes.yaml": prometheus.scrape_kubernetes,
    "prometheus/scrape_static.yaml": prometheus.scrape_static,
    "prometheus/alerts.yaml": prometheus.alerts,
    "grafana/dashboard.json": grafana.dashboard,
    "ssl.config.template": tls.template,
}
"""Every file, and what writes its text."""


def update(output: str, base_path: str) -> None:
    """Writes the files for the models in `output`, which the server sees as `base_path`; call it under `versions.locked`."""
    of = served.read(output, base_path)
    directory = os.path.join(output, DIRECTORY)
    texts = {name: write(of) for name, write in FILES.items()}
    known, there = _record(directory), {name: _hash_of_file(os.path.join(directory, name)) for name in texts}
    own = [name for name, found in there.items() if found and found not in known.get(name, [])]
    for folder in sorted({os.path.dirname(name) for name in texts}):
        os.makedirs(os.path.join(directory, folder), exist_ok=True)
        versions.remove_temporaries(os.path.join(directory, folder))
    after = {name: known.get(name, []) if name in own else [_hash(text)] for name, text in texts.items()}
    # What is there and what will be are both on record before a file changes: killed at any moment, no file looks like somebody's own.
    _write_record(directory, {name: hashes if name in own else [*filter(None, [there[name]]), *hashes] for name, hashes in after.items()})
    for name in texts.keys() - set(own):
        versions.replace_file(os.path.join(directory, name), texts[name])
    _write_record(directory, after)
    _tell(directory, [name for name in own if os.path.getsize(os.path.join(directory, name))])


def _tell(directory: str, own: Sequence[str]) -> None:
    """Names the files that are somebody's own; an empty one says that its owner wants none, and is passed over."""
    if own:
        logging.warning(
            "Changed by hand and so left as they are: %s in %s. To get the current text, move a file away and export again.",
            ", ".join(own),
            directory,
        )


def _hash_of_file(path: str) -> str:
    """ "" where there is none."""
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return ""


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _record(directory: str) -> dict[str, list[str]]:
    """{file: the hashes of what was written to it}; nothing where the record is lost, so that every file counts as somebody's own."""
    try:
        with open(os.path.join(directory, _RECORD), encoding="utf-8") as file:
            return dict(json.load(file))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return {}


def _write_record(directory: str, record: dict[str, list[str]]) -> None:
    versions.replace_file(os.path.join(directory, _RECORD), json.dumps(record, indent=2, sort_keys=True) + "\n")
