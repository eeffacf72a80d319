"""Endpoints -> the signatures of a SavedModel: traced functions whose every input and output has the batch as axis 0."""

import dataclasses
import inspect
import re
from collections.abc import Callable, Sequence
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
    """A key of `images.ENCODINGS`, or "" where the outputs are the endpoint's own."""
    concrete: Any
    """The traced tf.function; it takes the inputs in the endpoint's order or by name."""

    def examples(self, rows: int) -> dict[str, np.ndarray]:
        """The endpoint's example inputs as arrays [rows, ...], checked against its declared shapes and types."""
        given = self.endpoint.examples(rows)
        if set(given) != set(self.endpoint.inputs):
            raise ValueError(f"Endpoint {self.endpoint.name!r}: examples gives {sorted(given)}; its inputs are {sorted(self.endpoint.inputs)}.")
        return {key: _example(self.endpoint, key, given[key], rows) for key in self.endpoint.inputs}


def build(endpoints: Sequence[endpoints_lib.Endpoint]) -> tuple[Signature, ...]:
    """The signatures of `endpoints`: each as it is, then `<name>_<encoding>` for each of its encodings that can hold its images.

    An encoding calls the endpoint's one trace, so it adds little to a graph. Raises ValueError, naming the endpoint, for a name a server cannot
    route, an input without a batch dimension, no inputs or outputs at all.
    """
    if not endpoints:
        raise ValueError("There is no endpoint to export; a model gives at least one from endpoints().")
    signatures: list[Signature] = []
    for endpoint in endpoints:
        _check(endpoint)
        plain = _trace(endpoint, "", lambda inputs, endpoint=endpoint: outputs(endpoint, inputs))
        signatures.append(plain)
        for encoding in _encodings(plain):
            signatures.append(
                _trace(endpoint, encoding, lambda inputs, plain=plain, encoding=encoding: images.encode(plain.concrete(**inputs)["images"], encoding))
            )
    names = [signature.name for signature in signatures]
    if len(set(names)) != len(names):
        raise ValueError(f"Two signatures have one name: {sorted(names)}. Rename an endpoint.")
    return tuple(signatures)


def outputs(endpoint: endpoints_lib.Endpoint, inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """What the endpoint's own signature answers to `inputs`, eagerly or in a graph."""
    named = endpoint.function(**inputs)
    if not isinstance(named, dict) or not named:
        raise ValueError(f"Endpoint {endpoint.name!r} must return a dict of named tensors, received {type(named).__name__}.")
    wrong = [name for name in named if not _NAME.fullmatch(name)]
    if wrong:
        raise ValueError(f"Endpoint {endpoint.name!r}: the outputs {wrong} must be named by letters, digits and underscores, starting with a letter.")
    named = {name: tf.convert_to_tensor(value) for name, value in named.items()}
    return {name: tf.cast(value, tf.float32) if value.dtype in REDUCED_PRECISION else value for name, value in named.items()}


def computes_in_reduced_precision(signature: Signature) -> bool:
    """Whether the graph rounds to half precision anywhere. Weights that are stored so and cast to float32 as they are read do not count."""
    graph = signature.concrete.graph.as_graph_def()
    halves = {dtype.as_datatype_enum for dtype in REDUCED_PRECISION}
    for node in (*graph.node, *(node for function in graph.library.function for node in function.node_def)):
        if node.op != "ReadVariableOp":
            attributes = [node.attr["DstT"]] if node.op == "Cast" else node.attr.values()
            if any(attribute.type in halves or halves & set(attribute.list.type) for attribute in attributes):
                return True
    return False


def _check(endpoint: endpoints_lib.Endpoint) -> None:
    if not _NAME.fullmatch(endpoint.name):
        raise ValueError(f"Endpoint name {endpoint.name!r}: a signature's name is letters, digits and underscores, starting with a letter.")
    if not endpoint.inputs:
        raise ValueError(f"Endpoint {endpoint.name!r} has no inputs; a server batches requests by their inputs, so each endpoint needs at least one.")
    for name, spec in endpoint.inputs.items():
        if spec.shape.rank is None or spec.shape.rank < 1 or spec.shape[0] is not None:
            raise ValueError(f"Endpoint {endpoint.name!r}: the input {name!r} must have the batch as axis 0, shape [None, ...]; it is {spec.shape}.")
    unknown = set(endpoint.encodings) - set(images.ENCODINGS)
    if unknown:
        raise ValueError(f"Endpoint {endpoint.name!r}: unknown encodings {sorted(unknown)}; known: {sorted(images.ENCODINGS)}.")


def _trace(endpoint: endpoints_lib.Endpoint, encoding: str, answer: Callable[[dict[str, tf.Tensor]], dict[str, tf.Tensor]]) -> Signature:
    name = f"{endpoint.name}_{encoding}" if encoding else endpoint.name
    specs = [tf.TensorSpec(spec.shape, spec.dtype, name=key) for key, spec in endpoint.inputs.items()]
    parameters = inspect.Signature([inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD) for key in endpoint.inputs])

    def called(*values, **named):
        return answer(parameters.bind(*values, **named).arguments)

    called.__signature__, called.__name__ = parameters, name
    concrete = tf.function(called, autograph=False, input_signature=specs).get_concrete_function()
    return Signature(name=name, endpoint=endpoint, encoding=encoding, concrete=concrete)


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
    possible = []
    for encoding in endpoint.encodings:
        held = images.ENCODINGS[encoding].channels
        if held is None or channels in held:
            possible.append(encoding)
        else:
            logging.warning("%s_%s is left out: %s holds images of %s channels, these have %s.", endpoint.name, encoding, encoding, held, channels)
    return possible


def _example(endpoint: endpoints_lib.Endpoint, key: str, value: Any, rows: int) -> np.ndarray:
    spec = endpoint.inputs[key]
    array = tf.convert_to_tensor(value, spec.dtype).numpy()
    if not spec.shape.is_compatible_with(array.shape) or array.shape[0] != rows:
        raise ValueError(f"Endpoint {endpoint.name!r}: examples({rows}) gives {key!r} of shape {array.shape}; the input is {spec.shape}.")
    return array
