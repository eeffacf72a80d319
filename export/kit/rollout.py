"""Promotes a version, or rolls back, in the configuration of an export folder; with a server at hand, waits for it between the steps."""

import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import requests

from export import serving_config, versions
from export.kit import labels, state


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
        serving_config.write_history(self.output, histories)
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
    histories = serving_config.history(output)
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
    """Moves `stable` to `version`, or else to that of `canary`, or else, and where the entry is pinned, to the newest; yields what was done."""

    def choose(folder: Folder) -> int:
        canary = folder.entry.version_labels.get(serving_config.NEWEST_LABEL, 0) if not folder.history.policy else 0  # in a list it stays behind
        chosen = version or canary or max(folder.available, default=0)
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
    step: Callable[..., labels.History],
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
        serving, before = _serving(folder, server), dict(folder.entry.version_labels)
        first = not folder.loads(version)
        if first:
            folder.history = labels.load(folder.entry, version, folder.available, folder.history, serving)
            folder.write()
        elif server:
            if labels.free(folder.entry, folder.available, serving):
                folder.write()
        else:
            yield from _second(folder, version, step, serving)
            yield "A server that has not loaded it yet moves the label as soon as it has; until then stable answers as before."
            return
    yield from _moved(folder, before)
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
        yield from _second(folder, version, step, _serving(folder, server))
    state.await_label(server.url, model, serving_config.STABLE_LABEL, version, server.seconds)
    yield f"{server.url} answers stable with version {version}."


def _serving(folder: Folder, server: Server | None) -> list[int] | None:
    """The versions of the folder's model that the server has loaded; None without a server, or where it does not know the model yet.

    ValueError for a label of another model that would keep the whole file out: the server has it at another version, and not the one it is to have.
    """
    if not server:
        return None
    try:
        for entry in folder.config.model_config_list.config:
            if entry.name == folder.model:
                continue
            loaded = state.available(server.url, entry.name)
            for label, version in sorted(entry.version_labels.items()):
                now = 0 if version in loaded else state.labelled(server.url, entry.name, label)
                if now not in (0, version):
                    raise ValueError(
                        f"The server at {server.url} takes no change of {serving_config.MODELS} as long as the label {label} of {entry.name} is at "
                        f"version {version}, which it has not loaded: it has the label at {now}. Wait until that version is AVAILABLE, or set "
                        f"the label back: version_labels {{ key: {json.dumps(label)} value: {now} }}. stable stays where it is."
                    )
        return state.available(server.url, folder.model) or None
    except requests.RequestException as error:
        raise ValueError(
            f"The server at {server.url} does not answer: {type(error).__name__}. stable stays where it is; try again when it does."
        ) from error


def _second(folder: Folder, version: int, step: Callable[..., labels.History], serving: Sequence[int] | None) -> Iterator[str]:
    """Step two, under the lock."""
    before = dict(folder.entry.version_labels)
    folder.history = step(folder.entry, version, folder.available, folder.history, serving)
    folder.write()
    yield from _moved(folder, before)
    note = " A version that is exported next takes the place of those without a label." if folder.history.policy else ""
    yield f"The server loads {describe(folder.entry.model_version_policy)}.{note}"


def _moved(folder: Folder, before: dict[str, int]) -> Iterator[str]:
    """A line for each label that is not where it was, `stable` first."""
    for label, now in sorted(folder.entry.version_labels.items(), key=lambda item: (item[0] != serving_config.STABLE_LABEL, item[0])):
        if now != before.get(label):
            yield f"{label} of {folder.model}: version {before.get(label, 'none')} -> {now}."


def describe(policy: Any) -> str:
    """A version policy in words."""
    kind = policy.WhichOneof("policy_choice")
    if kind == "specific":
        return f"versions {', '.join(map(str, sorted(policy.specific.versions)))}"
    return "all versions" if kind == "all" else f"the newest {max(1, policy.latest.num_versions)}"


def _check_folder(output: str) -> None:
    if not os.path.isdir(output):
        raise ValueError(f"{output} is not a folder. Give the folder that tfgan-export --output wrote to.")


def _history(values: dict[str, Any]) -> labels.History:
    return labels.History(before=tuple(values.get("before", ())), policy=values.get("policy", ""))
