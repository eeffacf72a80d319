"""From a published version to a checked file or folder of another format, with a description beside it."""

import json
import os
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from export.homes import checking, delivery, source, to_litert, to_onnx, to_web

_SUFFIXES = {"onnx": ".onnx", "litert": ".tflite"}
_BATCH = "batch"


def convert(directory: str, target: str, output: str, *, onnxruntime_web: str | None = None) -> tuple[str, checking.Converted]:
    """Converts the version in `directory` to `target`, a key of `TARGETS`; returns (what was written, how it was checked).

    `output`: a file named by the format's suffix (.onnx, .tflite), or a folder to put `<model><suffix>` into; for `web` the folder itself, new or
    empty. Beside a file lies `<file>.json` with its inputs and outputs.

    ValueError for what the caller can correct, a model that does not convert, and one that answers otherwise than the version; OSError where `output`
    cannot be written. Either way nothing is written.
    """
    if target not in TARGETS:
        raise ValueError(f"Unknown format {target!r}; known: {', '.join(TARGETS)}.")
    return TARGETS[target](directory, output, onnxruntime_web)


def _to_web(directory: str, output: str, onnxruntime_web: str | None) -> tuple[str, checking.Converted]:
    delivery.check_free(output)
    to_onnx.check_installed()
    version = source.open_version(directory)
    to_web.check(version)
    converted = to_onnx.convert(version)
    to_web.write(output, version, converted, describe(version, converted, "onnx", "model.onnx"), onnxruntime_web)
    return output, converted


def _to_file(target: str, convert_version: Callable[[source.Version], checking.Converted]) -> Callable[..., tuple[str, checking.Converted]]:
    def to_file(directory: str, output: str, onnxruntime_web: str | None) -> tuple[str, checking.Converted]:
        if onnxruntime_web:
            raise ValueError("--onnxruntime_web is a part of --to=web; leave it out.")
        version = source.open_version(directory)
        converted = convert_version(version)
        suffix = _SUFFIXES[target]
        path = output if output.endswith(suffix) else os.path.join(output, version.model + suffix)
        description = describe(version, converted, target, os.path.basename(path))
        delivery.write(path, converted.content)
        delivery.write(f"{path}.json", json.dumps(description, indent=2).encode())
        return path, converted

    return to_file


def describe(version: source.Version, converted: checking.Converted, target: str, file: str) -> dict[str, Any]:
    """What an app must know to call the converted model, and how far it was checked; JSON."""
    rows = converted.rows or _BATCH

    def tensor(name: str, shape: tuple[int, ...], dtype: tf.DType, low: float | None, high: float | None) -> dict[str, Any]:
        return {"name": name, "shape": [rows, *shape], "type": dtype.name, "low": low, "high": high}

    return {
        "model": version.model,
        "version": version.number,
        "format": target,
        "file": file,
        "inputs": [tensor(each.name, each.shape, each.dtype, each.low, each.high) for each in version.inputs],
        "outputs": [tensor(source.IMAGES, version.image_shape, tf.float32, -1.0, 1.0)],
        "checked_batches": list(converted.batches),
        "largest_difference": converted.difference,
        "tolerance": version.expected.tolerance,
    }


TARGETS = {"onnx": _to_file("onnx", to_onnx.convert), "litert": _to_file("litert", to_litert.convert), "web": _to_web}
"""Format -> (directory, output, onnxruntime_web) -> (what was written, the check)."""
