"""Files and folders that appear whole or not at all."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator

from export import versions


def write(path: str, content: bytes) -> None:
    """Makes the file `path`, and its folder, or replaces it; a reader sees the old content or the new, never a part."""
    path = os.path.abspath(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    versions.replace_file(path, content)


def check_free(path: str) -> None:
    """Raises ValueError where `folder` would refuse `path`."""
    if os.path.lexists(path) and not (os.path.isdir(path) and not os.listdir(path)):
        raise ValueError(f"{path} exists and is not an empty folder; nothing is overwritten. Name another, or remove it.")


@contextlib.contextmanager
def folder(path: str) -> Iterator[str]:
    """A folder to fill, which becomes `path` at the end; without one on failure. ValueError where `path` is there already and not empty."""
    check_free(path)
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    temporary = _beside(path)
    try:
        os.mkdir(temporary)
        yield temporary
        os.rename(temporary, path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _beside(path: str) -> str:
    directory, name = os.path.split(os.path.abspath(path))
    return os.path.join(directory, f".{name}-{uuid.uuid4().hex}")
