"""Numbered version directories that appear whole or not at all.

A server polls `<output>/<model>/` and loads every child whose name is a number, so a version is written and checked under another name
beside it, forced to disk, and renamed in one step. Whatever moment a process is killed at, no number names an unfinished version.
"""

import contextlib
import fcntl
import os
import re
import shutil
import uuid
from collections.abc import Callable, Iterator

_LOCK = ".publish.lock"
_OWNER = "owner"
_CONTENT = "version"
_SCRATCH = "scratch"
_STAGING = re.compile(r"\.staging-[0-9a-f]{32}")
_TEMPORARY = re.compile(r"\.[a-zA-Z_.]+-[0-9a-f]{32}")
_HIGHEST = 2**63 - 1
"""Servers read a version as int64."""


class Staged:
    """A version in the making: write it into `directory`; `scratch` is for whatever must not be published."""

    def __init__(self, output: str, model_directory: str, path: str):
        self._output = output
        self._model_directory = model_directory
        self.directory = os.path.join(path, _CONTENT)
        self.scratch = os.path.join(path, _SCRATCH)
        os.mkdir(self.directory)
        os.mkdir(self.scratch)

    def publish(self, after: Callable[[int], None]) -> str:
        """Gives the version its number, last + 1, then calls `after(number)` while no other exporter publishes; returns its directory."""
        _force_to_disk(self.directory)
        with locked(self._output):
            number = max(numbers(self._model_directory), default=0) + 1
            if number > _HIGHEST:
                raise ValueError(f"{self._model_directory} already has the version {_HIGHEST}, the highest a server can read; move it away.")
            final = os.path.join(self._model_directory, str(number))
            os.rename(self.directory, final)
            _force_name_to_disk(self._model_directory)
            after(number)
        return final


def numbers(model_directory: str) -> list[int]:
    """The versions in `model_directory`, rising: whatever a server would take for one, be it a directory, a file or a link."""
    found = (int(name) for name in os.listdir(model_directory) if re.fullmatch(r"[0-9]+", name))
    return sorted(number for number in found if number <= _HIGHEST)


@contextlib.contextmanager
def staged(output: str, model_name: str) -> Iterator[Staged]:
    """A version of `model_name` in the making, removed at the end unless published.

    Sweeps first what killed exporters of this model left behind. On failure the directories made here are removed too.
    """
    model_directory = os.path.join(output, model_name)
    made = _make_directories(model_directory)
    path = os.path.join(model_directory, f".staging-{uuid.uuid4().hex}")
    try:
        with contextlib.ExitStack() as stack:
            with locked(output):
                _sweep(output, model_directory)
                stack.callback(shutil.rmtree, path, ignore_errors=True)
                os.mkdir(path)
                stack.enter_context(_owned(path))
            yield Staged(output, model_directory, path)
    except BaseException:
        for directory in reversed(made):
            with contextlib.suppress(OSError):  # not empty: another exporter is at work, or this version was published
                os.rmdir(directory)
        raise


def _make_directories(path: str) -> list[str]:
    """Makes `path` and its parents; returns those that were missing, outermost first."""
    path = os.path.abspath(path)
    missing = []
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    missing.reverse()
    for directory in missing:
        os.makedirs(directory, exist_ok=True)
    return missing


@contextlib.contextmanager
def locked(output: str) -> Iterator[None]:
    """Excludes everyone else who publishes to `output` or changes the files beside its models.

    The kernel drops the lock of a holder that dies. The file is removed at the end.
    """
    path = os.path.join(output, _LOCK)
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), os.stat(path)):
                break
        os.close(descriptor)  # the holder before us removed the file we had opened
    try:
        yield
    finally:
        os.unlink(path)
        os.close(descriptor)


@contextlib.contextmanager
def _owned(path: str) -> Iterator[None]:
    """Marks the staging directory `path` as that of a live exporter."""
    descriptor = os.open(os.path.join(path, _OWNER), os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _sweep(output: str, model_directory: str) -> None:
    """Removes what killed exporters left behind. Called under the lock, so no staging directory is between its making and its marking."""
    remove_temporaries(output)
    for name in os.listdir(model_directory):
        path = os.path.join(model_directory, name)
        if _STAGING.fullmatch(name) and set(os.listdir(path)) <= {_OWNER, _CONTENT, _SCRATCH} and not _is_owned(path):
            shutil.rmtree(path)


def _is_owned(path: str) -> bool:
    try:
        descriptor = os.open(os.path.join(path, _OWNER), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _force_to_disk(directory: str) -> None:
    for parent, _, files in os.walk(directory):
        for name in files:
            _force_name_to_disk(os.path.join(parent, name))
        _force_name_to_disk(parent)


def _force_name_to_disk(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_temporaries(directory: str) -> None:
    """Removes what a killed `replace_file` left in `directory`. Called under the lock, without which nobody writes there."""
    for name in os.listdir(directory):
        if _TEMPORARY.fullmatch(name) and os.path.isfile(os.path.join(directory, name)):
            os.unlink(os.path.join(directory, name))


def replace_file(path: str, content: str | bytes) -> None:
    """Writes `content` to `path` so that a reader sees the old file or the new one, never a part."""
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}-{uuid.uuid4().hex}")
    try:
        with open(temporary, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
    _force_name_to_disk(os.path.dirname(path))
