"""TensorFlow's batching kernel before a signature: requests of different callers are joined on axis 0, padded, run once and split again."""

import os
from typing import Any

import tensorflow as tf

from export import protos, serving_config

_LARGEST_BATCH = 1000
_ENQUEUED_BATCHES = 10
"""TF Serving's defaults, tensorflow_serving/batching/batching_session and session_bundle_config.proto."""
_CALLS = ("PartitionedCall", "StatefulPartitionedCall")


def read(path: str) -> Any:
    """The BatchingParameters in the file `path`. ValueError, naming it, where a server would refuse them or this one cannot follow them."""
    try:
        with open(path, encoding="utf-8") as file:
            parameters = serving_config.parse_batching(file.read())
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
    except ValueError as error:
        raise ValueError(f"{path} is not valid: {error}") from error
    if parameters.pad_variable_length_inputs:
        raise ValueError(f"{path}: pad_variable_length_inputs is not offered by this server, and generators have no use for it.")
    if parameters.HasField("max_execution_batch_size") and parameters.max_execution_batch_size.value != largest(parameters):
        raise ValueError(f"{path}: this server runs batches of max_batch_size, {largest(parameters)}; leave max_execution_batch_size out.")
    return parameters


def defaults() -> Any:
    """What TF Serving does with --enable_batching alone."""
    return protos.message_class("BatchingParameters")()


def largest(parameters: Any) -> int:
    """The rows of the largest batch."""
    return parameters.max_batch_size.value if parameters.HasField("max_batch_size") else _LARGEST_BATCH


def batched(outputs: list[tf.Tensor], inputs: list[tf.Tensor], parameters: Any, name: str) -> list[tf.Tensor]:
    """`outputs`, of a signature that a SavedModel's graph computes from `inputs` by one function call, through a batching queue of their own.

    Unlike TF Serving's, queues are per signature rather than per set of outputs asked for, and each has its own threads.
    """
    call = outputs[0].op
    given = {tensor.ref(): tensor for tensor in inputs}
    arguments = [tensor for tensor in call.inputs if tensor.ref() in given]
    if call.type not in _CALLS or any(tensor.op is not call for tensor in outputs) or len(arguments) != len(inputs):
        raise ValueError(f"The signature {name!r} is not one function call, as those saved by TensorFlow 2 are; serve it without batching.")
    results = tf.raw_ops.BatchFunction(
        in_tensors=arguments,
        captured_tensors=list(call.inputs[len(arguments) :]),
        f=call.get_attr("f"),
        Tout=[tensor.dtype for tensor in call.outputs],
        num_batch_threads=parameters.num_batch_threads.value or os.cpu_count(),
        max_batch_size=largest(parameters),
        batch_timeout_micros=parameters.batch_timeout_micros.value,
        max_enqueued_batches=parameters.max_enqueued_batches.value or _ENQUEUED_BATCHES,
        allowed_batch_sizes=list(parameters.allowed_batch_sizes),
        enable_large_batch_splitting=parameters.enable_large_batch_splitting.value,
        shared_name=f"batching/{name}",
    )
    return [results[tensor.value_index] for tensor in outputs]
