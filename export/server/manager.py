"""Which versions of which models are loaded: follows the configuration and the folders as TensorFlow Serving does.

After tensorflow_serving/model_servers/server_core.cc and core/availability_preserving_policy.cc: a new version is loaded and warm before an old one
goes; an old one goes only when a wanted one answers; a version that fails is tried again `_RETRIES` times, `_RETRY_SECONDS` apart.
"""

import contextlib
import dataclasses
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from absl import logging

from export import serving_config
from export.server import servable as servables

_RETRIES = 5
_RETRY_SECONDS = 60.0
"""TF Serving's --max_num_load_retries and --load_retry_interval_micros."""
_CLOSE_SECONDS = 5.0
_HIGHEST = 2**63 - 1


@dataclasses.dataclass(kw_only=True)
class Version:
    """One version of a model, loaded or not."""

    number: int
    directory: str
    state: str = "START"
    """A name of ModelVersionStatus.State."""
    error: tf.errors.OpError | None = None
    """Why it is not loaded."""
    servable: servables.Servable | None = None
    users: int = 0
    """Requests that it is answering."""
    failures: int = 0
    retry_at: float = 0.0


@dataclasses.dataclass(kw_only=True)
class _Model:
    name: str
    base_path: str
    policy: Any
    versions: dict[int, Version] = dataclasses.field(default_factory=dict)
    labels: dict[str, int] = dataclasses.field(default_factory=dict)


class Manager:
    """The loaded models. `using` hands out a version, which stays loaded until the request that uses it has ended."""

    def __init__(self, load: Callable[[str], servables.Servable], *, labels_for_unavailable: bool = False):
        """`load`: version directory -> servable, or an exception. `labels_for_unavailable`: --allow_version_labels_for_unavailable_models."""
        self._load = load
        self._labels_for_unavailable = labels_for_unavailable
        self._models: dict[str, _Model] = {}
        self._lock = threading.Lock()  # guards what requests read
        self._ceasing = threading.Event()
        self._changing = threading.Lock()  # one change of models at a time; loading happens under it, requests go on

    def names(self) -> list[str]:
        """The configured models."""
        with self._lock:
            return sorted(self._models)

    def configure(self, config: Any) -> None:
        """Takes over a checked ModelServerConfig. New models are loaded before this returns, new versions of known ones by the next `look`.

        The labels of all models come first, as in TF Serving: a label in use never moves to a version that is not available, and one that is new, or
        stays where it is, names such a version only if the manager was told to allow it. One label that may not move is a
        FailedPreconditionError and nothing of the configuration is taken over, be it of another model or a policy that would load that
        version. So moving a label to a new version takes two steps. UnknownError where a new model has no version that loads.
        """
        entries = {entry.name: entry for entry in config.model_config_list.config}
        with self._changing:
            self._check_labels(entries)
            added = []
            with self._lock:
                for name, entry in entries.items():
                    if name not in self._models:
                        added.append(name)
                        self._models[name] = _Model(name=name, base_path=entry.base_path, policy=entry.model_version_policy)
                    self._models[name].base_path, self._models[name].policy = entry.base_path, entry.model_version_policy
                    self._models[name].labels = dict(entry.version_labels)
                removed = [self._models.pop(name) for name in set(self._models) - set(entries)]
            for model in removed:
                for version in model.versions.values():
                    self._unload(model, version)
            failed = [f"{name}: {reason}" for name in added if (reason := self._follow(self._models[name]))]
            if failed:
                raise tf.errors.UnknownError(None, None, f"Some models did not become available: {'; '.join(failed)}")

    def look(self) -> None:
        """Loads and unloads what has changed in the folders and policies."""
        with self._changing:
            for model in list(self._models.values()):
                reason = self._follow(model)
                if reason:
                    logging.warning("%s: %s", model.name, reason)

    def cease(self) -> None:
        """Begins no further load; one that is under way ends by itself."""
        self._ceasing.set()

    def close(self, seconds: float = _CLOSE_SECONDS) -> None:
        """Unloads everything, each version when its last request has ended; nothing, if a load is under way for longer than `seconds`."""
        self.cease()
        if not self._changing.acquire(timeout=seconds):
            logging.warning("A version is still being loaded; nothing is unloaded.")
            return
        try:
            with self._lock:
                models, self._models = list(self._models.values()), {}
            for model in models:
                for version in model.versions.values():
                    self._unload(model, version)
        finally:
            self._changing.release()

    @contextlib.contextmanager
    def using(self, spec: Any) -> Iterator[Version]:
        """The version that a ModelSpec names by number or label, else the newest loaded. NotFoundError, or InvalidArgumentError for no such label."""
        with self._lock:
            version = self._find(spec)
            version.users += 1
        try:
            yield version
        finally:
            with self._lock:
                version.users -= 1
                last = version.state == "UNLOADING" and not version.users
            if last:
                _end(version)

    def status(self, spec: Any) -> list[Version]:
        """The versions of a model, newest first, or the one that a ModelSpec names by number; a label is ignored. As they are now. NotFoundError."""
        with self._lock:
            model = self._models.get(spec.name)
            versions = {} if model is None else model.versions
            if not versions:
                raise _not_found(f"Could not find any versions of model {spec.name[:100]}")
            if spec.WhichOneof("version_choice") != "version":
                return [dataclasses.replace(versions[number]) for number in sorted(versions, reverse=True)]
            number = spec.version.value
            if number not in versions:
                raise _not_found(f"Could not find version {number} of model {spec.name}")
            return [dataclasses.replace(versions[number])]

    def _find(self, spec: Any) -> Version:
        model = self._models.get(spec.name)
        available = {} if model is None else _available(model)
        choice = spec.WhichOneof("version_choice")
        if choice == "version_label" and model is not None:
            number = _labelled(model, spec.version_label)
        elif choice == "version":
            number = spec.version.value
        else:
            number = max(available, default=None)
        if number not in available:
            wanted = f"Latest({spec.name[:100]})" if number is None else f"Specific({spec.name[:100]}, {number})"
            raise _not_found(f"Servable not found for request: {wanted}")
        return available[number]

    def _follow(self, model: _Model) -> str:
        """Brings `model`'s versions in line with its folder and policy; returns why none is available, or ""."""
        try:
            found = _directories(model.base_path)
        except OSError as error:
            return f"the folder {model.base_path} cannot be read: {error.strerror}"
        wanted = serving_config.loaded(model.policy, sorted(found))
        for number in sorted(wanted, reverse=True):
            if self._ceasing.is_set():
                return ""
            version = model.versions.get(number)
            if version is None or (version.state == "END" and time.monotonic() >= version.retry_at and version.failures <= _RETRIES):
                self._start(model, number, found[number])
        if not wanted or set(wanted) & set(_available(model)):
            for number in set(_available(model)) - set(wanted):
                self._unload(model, model.versions[number])
        if _available(model):
            return ""
        errors = [f"version {version.number}: {version.error.message}" for version in model.versions.values() if version.error]
        return "; ".join(errors) or f"No versions of servable {model.name} found under base path {model.base_path}"

    def _start(self, model: _Model, number: int, directory: str) -> None:
        """Loads a version; what goes wrong is kept in it."""
        with self._lock:
            version = model.versions.setdefault(number, Version(number=number, directory=directory))
            version.state, version.directory, version.error = "LOADING", directory, None
        logging.info("Loading %s", directory)
        try:
            loaded = self._load(directory)
        except Exception as error:  # whatever TensorFlow makes of broken files: the server goes on with what it has
            problem = error if isinstance(error, tf.errors.OpError) else tf.errors.UnknownError(None, None, str(error) or type(error).__name__)
            logging.error("%s cannot be served: %s", directory, problem.message)
            with self._lock:
                version.state, version.error = "END", problem
                version.failures += 1
                version.retry_at = time.monotonic() + _RETRY_SECONDS
            return
        with self._lock:
            version.state, version.servable, version.failures, version.retry_at = "AVAILABLE", loaded, 0, 0.0
        logging.info("Serving %s", directory)

    def _unload(self, model: _Model, version: Version) -> None:
        with self._lock:
            if version.state != "AVAILABLE":
                return
            version.state = "UNLOADING"
            idle = not version.users
        logging.info("Unloading version %d of %s", version.number, model.name)
        if idle:
            _end(version)

    def _check_labels(self, entries: dict[str, Any]) -> None:
        """FailedPreconditionError for the first label that may not be assigned."""
        for name, entry in entries.items():
            model = self._models.get(name)
            for label, number in entry.version_labels.items():
                known = model.labels.get(label) if model else None
                allowed = self._labels_for_unavailable and known in (None, number)
                if not allowed and (model is None or number not in _available(model)):
                    raise tf.errors.FailedPreconditionError(
                        None, None, f"Request to assign label to version {number} of model {name}, which is not currently available for inference"
                    )


def _directories(base_path: str) -> dict[int, str]:
    """{version: its directory}. Other names, such as those of a version in the making, are none."""
    names = [name for name in os.listdir(base_path) if re.fullmatch("[0-9]+", name)]
    paths = {int(name): os.path.join(base_path, name) for name in sorted(names, reverse=True)}
    return {number: path for number, path in paths.items() if number <= _HIGHEST and os.path.isdir(path)}


def _available(model: _Model) -> dict[int, Version]:
    return {number: version for number, version in model.versions.items() if version.state == "AVAILABLE"}


def _labelled(model: _Model, label: str) -> int:
    try:
        return model.labels[label]
    except KeyError:
        raise tf.errors.InvalidArgumentError(None, None, f"Unrecognized servable version label: {label[:100]}") from None


def _end(version: Version) -> None:
    """Called by the one who sees the last use of an unloading version end."""
    loaded, version.servable = version.servable, None
    version.state = "END"
    loaded.close()


def _not_found(message: str) -> tf.errors.OpError:
    return tf.errors.NotFoundError(None, None, message)
