"""Endpoints -> the signatures of a SavedModel: traced functions whose every input and output has the batch as axis 0."""

import dataclasses
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging

from export import images
from tfgan_suite.core import endpoint as endpoints_lib

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
REDUCED_PRECISION = (tf.float16, tf.bfloat16)
"""REST cannot carry these: such outputs leave as float32."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Signature:
    """One signature: an endpoint as it is, or with its images encoded."""

    name: str
    endpoint: endpoints_lib.Endpoint
    encoding: str
    """A key of `images.CHANNELS`, or "" where the outputs are the endpoint's own."""
    concrete: Any
    """The traced tf.function."""

    def examples(self, rows: int) -> dict[str, np.ndarray]:
        """The endpoint's example inputs as arrays [rows, ...], checked against its declared shapes and types."""
        given = self.endpoint.examples(rows)
        if set(given) != set(self.endpoint.inputs):
            raise ValueError(f"Endpoint {self.endpoint.name!r}: examples gives {sorted(given)}; its inputs are {sorted(self.endpoint.inputs)}.")
        return {key: _example(self.endpoint, key, given[key], rows) for key in self.endpoint.inputs}


def build(endpoints: Sequence[endpoints_lib.Endpoint]) -> tuple[Signature, ...]:
    """The signatures of `endpoints`: each as it is, then `<name>_<format>` for each of its encodings that its images allow.

    Raises ValueError, naming the endpoint, for a name a server cannot route, an input without a batch dimension, no inputs or outputs at all.
    """
    if not endpoints:
        raise ValueError("There is no endpoint to export; a model gives at least one from endpoints().")
    signatures: list[Signature] = []
    for endpoint in endpoints:
        _check(endpoint)
        plain = _trace(endpoint, "")
        signatures += [plain, *(_trace(endpoint, encoding) for encoding in _encodings(plain))]
    names = [signature.name for signature in signatures]
    if len(set(names)) != len(names):
        raise ValueError(f"Two signatures have one name: {sorted(names)}. Rename an endpoint.")
    return tuple(signatures)


def outputs(endpoint: endpoints_lib.Endpoint, inputs: dict[str, tf.Tensor], encoding: str = "") -> dict[str, tf.Tensor]:
    """What the signature answers to `inputs`, eagerly or in a graph."""
    named = endpoint.function(**inputs)
    if not isinstance(named, dict) or not named:
        raise ValueError(f"Endpoint {endpoint.name!r} must return a dict of named tensors, received {type(named).__name__}.")
    if encoding:
        return {"image_bytes": images.encode(named["images"], encoding)}
    wrong = [name for name in named if not _NAME.fullmatch(name)]
    if wrong:
        raise ValueError(f"Endpoint {endpoint.name!r}: the outputs {wrong} must be named by letters, digits and underscores, starting with a letter.")
    named = {name: tf.convert_to_tensor(value) for name, value in named.items()}
    return {name: tf.cast(value, tf.float32) if value.dtype in REDUCED_PRECISION else value for name, value in named.items()}


def _check(endpoint: endpoints_lib.Endpoint) -> None:
    if not _NAME.fullmatch(endpoint.name):
        raise ValueError(f"Endpoint name {endpoint.name!r}: a signature's name is letters, digits and underscores, starting with a letter.")
    if not endpoint.inputs:
        raise ValueError(f"Endpoint {endpoint.name!r} has no inputs; a server batches requests by their inputs, so each endpoint needs at least one.")
    for name, spec in endpoint.inputs.items():
        if spec.shape.rank is None or spec.shape.rank < 1 or spec.shape[0] is not None:
            raise ValueError(f"Endpoint {endpoint.name!r}: the input {name!r} must have the batch as axis 0, shape [None, ...]; it is {spec.shape}.")
    unknown = set(endpoint.encodings) - set(images.CHANNELS)
    if unknown:
        raise ValueError(f"Endpoint {endpoint.name!r}: unknown encodings {sorted(unknown)}; known: {sorted(images.CHANNELS)}.")


def _trace(endpoint: endpoints_lib.Endpoint, encoding: str) -> Signature:
    name = f"{endpoint.name}_{encoding}" if encoding else endpoint.name
    specs = {key: tf.TensorSpec(spec.shape, spec.dtype, name=key) for key, spec in endpoint.inputs.items()}
    function = tf.function(lambda **inputs: outputs(endpoint, inputs, encoding), autograph=False)
    return Signature(name=name, endpoint=endpoint, encoding=encoding, concrete=function.get_concrete_function(**specs))


def _encodings(plain: Signature) -> list[str]:
    """The endpoint's encodings that can hold its images; the others are left out with a warning."""
    endpoint = plain.endpoint
    if not endpoint.encodings:
        return []
    produced = plain.concrete.structured_outputs
    if "images" not in produced or produced["images"].shape.rank != 4:
        raise ValueError(
            f"Endpoint {endpoint.name!r} asks for {list(endpoint.encodings)} but has no output 'images' [b, h, w, c]; it has {dict(produced)}."
        )
    channels = produced["images"].shape[-1]
    possible = [encoding for encoding in endpoint.encodings if channels in images.CHANNELS[encoding]]
    for encoding in set(endpoint.encodings) - set(possible):
        logging.warning(
            "%s_%s is left out: %s holds images of %s channels, these have %s.",
            endpoint.name,
            encoding,
            encoding,
            images.CHANNELS[encoding],
            channels,
        )
    return possible


def _example(endpoint: endpoints_lib.Endpoint, key: str, value: Any, rows: int) -> np.ndarray:
    spec = endpoint.inputs[key]
    array = tf.convert_to_tensor(value, spec.dtype).numpy()
    if not spec.shape.is_compatible_with(array.shape) or array.shape[0] != rows:
        raise ValueError(f"Endpoint {endpoint.name!r}: examples({rows}) gives {key!r} of shape {array.shape}; the input is {spec.shape}.")
    return array
