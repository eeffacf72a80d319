"""Arrays kept on disk between runs: written whole or not at all, and never trusted blindly."""

import hashlib
import json
import os
import pathlib
import warnings
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

_META = "meta"


def key(*parts: Any) -> str:
    """A short name for what an entry depends on: any change of a part is another entry. Parts must be JSON values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def fingerprint(arrays: Mapping[str, np.ndarray]) -> str:
    """Hash of names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def write(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
    """Writes an npz of `arrays` with a JSON `meta` and a hash of both, by way of a temporary file beside it."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    record = json.dumps({"meta": meta, "hash": fingerprint(arrays)})
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            np.savez(file, **arrays, **{_META: np.array(record)})
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], dict[str, Any]] | None:
    """Arrays and meta of an entry; None where there is none, or where it is damaged (with a warning: it will be made anew)."""
    path = pathlib.Path(path)
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files if name != _META}
            record = json.loads(str(file[_META]))
        if record["hash"] != fingerprint(arrays):
            raise ValueError("its hash does not match its contents")
        return arrays, record["meta"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        warnings.warn(f"The cached file {path} is damaged ({error}) and is made anew.", stacklevel=2)
        return None
