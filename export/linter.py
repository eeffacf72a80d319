"""Static checks of a SavedModel: what a stock TensorFlow Serving 2.20 refuses, cannot carry over REST, or answers wrongly when it batches."""

import os
from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from google.protobuf import message
from tensorflow.core.protobuf import saved_model_pb2

_INITIALIZER = "__saved_model_init_op"
"""TensorFlow's own entry among the signatures; servers and clients skip it."""
_REST_TYPES = (tf.float32, tf.float64, tf.int8, tf.int16, tf.int32, tf.int64, tf.uint8, tf.uint32, tf.uint64, tf.bool, tf.string)
"""The types of TF Serving's JSON codec."""
_BYTES_SUFFIX = "_bytes"
"""REST writes a string output in base64 only where its name ends so; other bytes come out as broken text."""

_PYTHON = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc"})
_RANDOM = frozenset(
    "RandomUniform RandomUniformInt RandomStandardNormal TruncatedNormal ParameterizedTruncatedNormal RandomShuffle RandomGamma RandomPoisson "
    "RandomPoissonV2 RandomCrop Multinomial StatefulStandardNormal StatefulStandardNormalV2 StatefulUniform StatefulUniformInt "
    "StatefulUniformFullInt StatefulTruncatedNormal StatefulRandomBinomial NonDeterministicInts RngSkip RngReadAndSkip SampleDistortedBoundingBox "
    "SampleDistortedBoundingBoxV2".split()
)
_ASSIGNMENTS = ("Assign", "ResourceApply", "ResourceScatter", "ResourceSparseApply")
_BATCH_NORMS = frozenset({"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"})
_NEWER_THAN_SERVER = frozenset({"DecodeJxl"})
_NEWER_ATTRIBUTES = frozenset({("TensorListGetItem", "Tshape")})
"""What TensorFlow 2.21 registers and 2.20, inside the newest published server, does not: found by comparing the two registries."""


def lint(directory: str) -> list[str]:
    """One sentence per problem of the SavedModel in `directory`, none if a server takes it. ValueError if there is no SavedModel to read."""
    graph = read(directory)
    problems = []
    signatures = {name: signature for name, signature in graph.signature_def.items() if name != _INITIALIZER}
    if not signatures:
        problems.append("it has no signatures")
    for name, signature in sorted(signatures.items()):
        problems += [f"{name}: {problem}" for problem in _interface(signature)]
        problems += [f"{name}: {problem}" for problem in sorted(set(_computation(graph, signature)))]
    return problems


def read(directory: str) -> Any:
    """The MetaGraphDef that a server loads."""
    path = os.path.join(directory, "saved_model.pb")
    model = saved_model_pb2.SavedModel()
    try:
        with open(path, "rb") as file:
            model.ParseFromString(file.read())
    except (FileNotFoundError, NotADirectoryError, message.DecodeError) as error:
        raise ValueError(f"{path} cannot be read as a SavedModel: {error}.") from error
    for graph in model.meta_graphs:
        if "serve" in graph.meta_info_def.tags:
            return graph
    raise ValueError(f"{path} has no graph with the tag 'serve'.")


def _interface(signature: Any) -> Iterator[str]:
    if not signature.inputs:
        yield "it has no inputs, so a server can neither batch its requests nor take them over REST"
    for kind, tensors in (("input", signature.inputs), ("output", signature.outputs)):
        for key, info in sorted(tensors.items()):
            shape, dtype = info.tensor_shape, tf.as_dtype(info.dtype)
            if shape.unknown_rank:
                yield f"the {kind} {key!r} has no known rank"
            elif not shape.dim:
                yield f"the {kind} {key!r} is a scalar: it has no batch dimension"
            elif shape.dim[0].size != -1:
                yield f"the {kind} {key!r} has no batch dimension: axis 0 is fixed at {shape.dim[0].size}"
            if dtype not in _REST_TYPES:
                yield f"the {kind} {key!r} is {dtype.name}, which REST cannot carry; cast it to float32"
            if kind == "output" and dtype == tf.string and not key.endswith(_BYTES_SUFFIX):
                yield f"the string output {key!r} must end in {_BYTES_SUFFIX!r}, or REST sends its bytes as broken text"


def _computation(graph: Any, signature: Any) -> Iterator[str]:
    """What is wrong with the operations that the signature runs."""
    functions = {function.signature.name: function for function in graph.graph_def.library.function}
    compiled = [function for function in _reachable_functions(graph, signature, functions) if _is_compiled(functions[function])]
    for name in compiled:
        yield f"the function {name} has jit_compile=True, which a server refuses unless it is started with XLA"
    for node in _reachable_nodes(graph, signature, functions):
        if _is_compiled(node):
            yield f"the call {node.name} has jit_compile=True, which a server refuses unless it is started with XLA"
        if node.op in _PYTHON:
            yield f"{node.op} calls Python, which a server does not have"
        elif node.op in _RANDOM:
            yield f"{node.op} draws from hidden state, so equal requests get unequal answers; draw from a seed per row"
        elif node.op.startswith(_ASSIGNMENTS):
            yield f"{node.op} changes a variable, so one request alters the next"
        elif node.op in _BATCH_NORMS and ("is_training" not in node.attr or node.attr["is_training"].b):
            yield f"{node.op} normalises by the statistics of the batch, so a row depends on other users' rows"
        elif node.op in functions:
            continue
        elif not hasattr(tf.raw_ops, node.op):
            yield f"{node.op} is not an operation of stock TensorFlow"
        elif node.op in _NEWER_THAN_SERVER or any((node.op, attribute) in _NEWER_ATTRIBUTES for attribute in node.attr):
            yield f"{node.op}, as used here, is newer than the server's TensorFlow"


def _is_compiled(item: Any) -> bool:
    return "_XlaMustCompile" in item.attr and item.attr["_XlaMustCompile"].b


def _top_nodes(graph: Any, signature: Any) -> list[Any]:
    """The nodes of the main graph that the signature's outputs need."""
    nodes = {node.name: node for node in graph.graph_def.node}
    waiting, found = [info.name for info in signature.outputs.values()], {}
    while waiting:
        name = waiting.pop().lstrip("^").partition(":")[0]
        if name in nodes and name not in found:
            found[name] = nodes[name]
            waiting += nodes[name].input
    return list(found.values())


def _reachable_functions(graph: Any, signature: Any, functions: dict[str, Any]) -> set[str]:
    waiting = [name for node in _top_nodes(graph, signature) for name in _called(node, functions)]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [called for node in functions[name].node_def for called in _called(node, functions)]
    return found


def _reachable_nodes(graph: Any, signature: Any, functions: dict[str, Any]) -> Iterator[Any]:
    yield from _top_nodes(graph, signature)
    for name in sorted(_reachable_functions(graph, signature, functions)):
        yield from functions[name].node_def


def _called(node: Any, functions: dict[str, Any]) -> Iterator[str]:
    """The functions that a node runs: those its attributes name, or its operation itself."""
    if node.op in functions:
        yield node.op
    for value in node.attr.values():
        for function in (value.func, *value.list.func):
            if function.name in functions:
                yield function.name
