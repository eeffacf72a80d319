"""What a version must answer: example inputs and the model's own outputs for them, kept beside the SavedModel."""

import dataclasses
import json
import os
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from export import images, signatures

ROWS = 3
"""Example rows per signature: enough to put each alone, among others, and in another place."""
TOLERANCE = 1e-5
"""Largest difference of a float32 output, relative where the expected value's magnitude is above 1."""
REDUCED_TOLERANCE = 0.05
"""The same where the graph computes in half precision: fused kernels round otherwise than eager ones (bfloat16 keeps 8 bits)."""

_FILE = os.path.join("assets.extra", "expected.npz")
_END = b"."
"""Appended to every stored string: numpy's fixed-width bytes drop trailing zeros."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Expectation:
    """The inputs and outputs of one signature, `ROWS` rows each; an encoded image is kept as the pixels that it decodes to."""

    inputs: dict[str, np.ndarray]
    outputs: dict[str, np.ndarray]
    encoding: str
    tolerance: float


def compute(built: Sequence[signatures.Signature]) -> dict[str, Expectation]:
    """{signature: its expectation}, by calling each endpoint once, eagerly on the CPU, where verification runs."""
    produced: dict[str, tuple[dict[str, np.ndarray], dict[str, tf.Tensor]]] = {}
    for signature in built:
        if signature.endpoint.name not in produced:
            produced[signature.endpoint.name] = _produce(signature)
    return {signature.name: _expectation(signature, *produced[signature.endpoint.name]) for signature in built}


def _produce(signature: signatures.Signature) -> tuple[dict[str, np.ndarray], dict[str, tf.Tensor]]:
    """(inputs, the endpoint's outputs)."""
    inputs = signature.examples(ROWS)
    try:
        with tf.device("CPU:0"):
            return inputs, signatures.outputs(signature.endpoint, {key: tf.constant(value) for key, value in inputs.items()})
    except tf.errors.OpError as error:
        raise ValueError(f"Endpoint {signature.endpoint.name!r} fails on its own examples: {error.message}") from error


def _expectation(signature: signatures.Signature, inputs: dict[str, np.ndarray], produced: dict[str, tf.Tensor]) -> Expectation:
    if signature.encoding:
        encoded = images.encode(produced["images"], signature.encoding)
        outputs = {name: np.stack(images.decode(value.numpy(), signature.encoding)) for name, value in encoded.items()}
    else:
        outputs = {name: value.numpy() for name, value in produced.items()}
    tolerance = REDUCED_TOLERANCE if signatures.computes_in_reduced_precision(signature) else TOLERANCE
    return Expectation(inputs=inputs, outputs=outputs, encoding=signature.encoding, tolerance=tolerance)


def write(directory: str, expected: dict[str, Expectation]) -> None:
    """Stores `expected` in the version `directory`."""
    arrays = {"settings": np.array(json.dumps({name: {"encoding": one.encoding, "tolerance": one.tolerance} for name, one in expected.items()}))}
    for name, one in expected.items():
        arrays |= {f"{name}/inputs/{key}": pack(value) for key, value in one.inputs.items()}
        arrays |= {f"{name}/outputs/{key}": pack(value) for key, value in one.outputs.items()}
    np.savez_compressed(os.path.join(directory, _FILE), **arrays)


def read(directory: str) -> dict[str, Expectation]:
    """What `write` stored. ValueError where `directory` is not a version written by this exporter."""
    path = os.path.join(directory, _FILE)
    try:
        with np.load(path) as file:
            arrays = dict(file)
    except FileNotFoundError:
        raise ValueError(f"{directory} is not a version written by tfgan-export: it has no {_FILE}.") from None
    settings = json.loads(str(arrays.pop("settings")))
    parts = {name: {"inputs": {}, "outputs": {}} for name in settings}
    for path, array in arrays.items():
        name, part, key = path.split("/")
        parts[name][part][key] = unpack(array)
    return {name: Expectation(**parts[name], **settings[name]) for name in settings}


def pack(array: np.ndarray) -> np.ndarray:
    """Strings as fixed-width bytes, which npz holds without pickling; other arrays as they are."""
    if array.dtype != object:
        return array
    return np.array([value + _END for value in array.reshape(-1)], dtype="S").reshape(array.shape)


def unpack(array: np.ndarray) -> np.ndarray:
    """The inverse of `pack`."""
    if array.dtype.kind != "S":
        return array
    return np.array([value[: -len(_END)] for value in array.reshape(-1)], dtype=object).reshape(array.shape)
