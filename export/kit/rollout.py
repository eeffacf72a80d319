"""Promotes a version, or rolls back, in the configuration of an export folder; with a server at hand, waits for it between the steps."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from export import serving_config, versions
from export.kit import labels, state

HISTORY = "history.json"
"""Beside `models.config`: {model: the fields of `labels.History`}."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Server:
    """A running server, and how long to wait for it."""

    url: str
    """Of its REST port."""
    seconds: float


@dataclasses.dataclass(kw_only=True)
class Folder:
    """The configuration of one model of an export folder, read and to be written under `versions.locked`."""

    output: str
    model: str
    config: Any
    entry: Any
    """The model's part of `config`."""
    available: list[int]
    """The versions on disk, rising."""
    history: labels.History
    histories: dict[str, Any]

    def loads(self, version: int) -> bool:
        """Whether a server with this configuration loads `version`."""
        return version in serving_config.loaded(self.entry.model_version_policy, self.available)

    def write(self) -> None:
        """The history first: whatever a crash leaves out, `labels.History.target` finds the way back."""
        histories = self.histories | {self.model: dataclasses.asdict(self.history)}
        versions.replace_file(os.path.join(self.output, HISTORY), json.dumps(histories, indent=2, sort_keys=True) + "\n")
        versions.replace_file(os.path.join(self.output, serving_config.MODELS), serving_config.models_text(self.config))


def read(output: str, model: str) -> Folder:
    """The configuration of `model`. ValueError where there is none, naming the models that are there."""
    path = os.path.join(output, serving_config.MODELS)
    text = serving_config.read(output, serving_config.MODELS)
    if not text:
        raise ValueError(f"{output} is not an export folder: it has no {serving_config.MODELS}. Give the folder that tfgan-export --output wrote to.")
    try:
        config = serving_config.parse_models(text)
    except ValueError as error:
        raise ValueError(f"{path} is not valid: {error}") from error
    entries = {entry.name: entry for entry in config.model_config_list.config}
    if model not in entries:
        raise ValueError(f"{path} has no model {model!r}. It has: {', '.join(sorted(entries)) or 'none'}.")
    directory = os.path.join(output, model)
    histories = _histories(output)
    return Folder(
        output=output,
        model=model,
        config=config,
        entry=entries[model],
        available=versions.numbers(directory) if os.path.isdir(directory) else [],
        history=_history(histories.get(model, {})),
        histories=histories,
    )


def promote(output: str, model: str, version: int | None, server: Server | None) -> Iterator[str]:
    """Moves `stable` to `version`, or else to that of `canary`, or else to the newest; yields what was done, a line each."""

    def choose(folder: Folder) -> int:
        newest = serving_config.NEWEST_LABEL
        chosen = version or (folder.entry.version_labels[newest] if newest in folder.entry.version_labels else max(folder.available, default=0))
        if chosen not in folder.available:
            raise ValueError(f"{model} has no version {chosen} on disk. It has: {', '.join(map(str, folder.available)) or 'none'}.")
        return chosen

    yield from _move(output, model, choose, labels.promote, f"promote --output={output} --model={model} --version={{}}", server)


def roll_back(output: str, model: str, server: Server | None) -> Iterator[str]:
    """Returns `stable` to the version that it pointed at before; yields what was done, a line each."""

    def choose(folder: Folder) -> int:
        current = labels.stable(folder.entry)
        target = folder.history.target(current, folder.available)
        if not target:
            gone = f" ({', '.join(map(str, folder.history.before))} no longer on disk)" if folder.history.before else ""
            raise ValueError(
                f"There is no version of {model} to return to: stable is {current or 'not set'}, and tfgan-serving has promoted none "
                f"before it{gone}. Name one: tfgan-serving promote --version=N."
            )
        return target

    yield from _move(output, model, choose, labels.roll_back, f"rollback --output={output} --model={model}", server)


def _move(
    output: str,
    model: str,
    choose: Callable[[Folder], int],
    step: Callable[[Any, int, Sequence[int], labels.History], labels.History],
    again: str,
    server: Server | None,
) -> Iterator[str]:
    _check_folder(output)
    with versions.locked(output):
        folder = read(output, model)
        version = choose(folder)
        if labels.stable(folder.entry) == version:
            yield f"stable of {model} is version {version} already."
            return
        first = not folder.loads(version)
        if first:
            folder.history = labels.load(folder.entry, version, folder.available, folder.history)
            folder.write()
        elif not server:
            yield from _second(folder, version, step)
            yield "A server that has not loaded it yet moves the label as soon as it has; until then stable answers as before."
            return
    if first:
        yield f"Step 1 of 2: {serving_config.MODELS} tells the server to load version {version} of {model} beside the others."
    if not server:
        yield f"When the server says AVAILABLE to GET /v1/models/{model}/versions/{version}, do step 2:"
        yield f"  tfgan-serving {again.format(version)}"
        return
    state.await_available(server.url, model, version, server.seconds)
    yield f"Version {version} of {model} is available at {server.url}."
    with versions.locked(output):
        folder = read(output, model)
        if not folder.loads(version):
            raise ValueError(
                f"{serving_config.MODELS} no longer loads version {version} of {model}: someone else changed it meanwhile. Look, and try again."
            )
        yield from _second(folder, version, step)
    state.await_label(server.url, model, serving_config.STABLE_LABEL, version, server.seconds)
    yield f"{server.url} answers stable with version {version}."


def _second(folder: Folder, version: int, step: Callable[..., labels.History]) -> Iterator[str]:
    """Step two, under the lock."""
    before = labels.stable(folder.entry)
    folder.history = step(folder.entry, version, folder.available, folder.history)
    folder.write()
    yield f"stable of {folder.model}: version {before or 'none'} -> {version}."
    note = " New versions are loaded when they are promoted, not by themselves." if folder.history.policy else ""
    yield f"The server loads {describe(folder.entry.model_version_policy)}.{note}"


def describe(policy: Any) -> str:
    """A version policy in words."""
    kind = policy.WhichOneof("policy_choice")
    if kind == "specific":
        return f"versions {', '.join(map(str, sorted(policy.specific.versions)))}"
    return "all versions" if kind == "all" else f"the newest {max(1, policy.latest.num_versions)}"


def _check_folder(output: str) -> None:
    if not os.path.isdir(output):
        raise ValueError(f"{output} is not a folder. Give the folder that tfgan-export --output wrote to.")


def _histories(output: str) -> dict[str, Any]:
    path = os.path.join(output, HISTORY)
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}. Move it away; what was stable before is then forgotten.") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} is not what tfgan-serving writes. Move it away; what was stable before is then forgotten.")
    return found


def _history(values: dict[str, Any]) -> labels.History:
    return labels.History(before=tuple(values.get("before", ())), policy=values.get("policy", ""))
