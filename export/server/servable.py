"""One loaded version of a model: a graph session, which is how TensorFlow Serving runs it."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from export import sessions, warmup
from export.server import batching

DEFAULT_SIGNATURE = "serving_default"
_INITIALIZER = "__saved_model_init_op"


class Signature:
    """One signature: its definition, and how to run it."""

    def __init__(self, definition: Any, alone: Any, together: Any):
        self.definition = definition
        self.inputs = sorted(definition.inputs)
        self.outputs = sorted(definition.outputs)
        self.alone = alone
        self.together = together
        """The same through the batching kernel; None where the version is not batched."""


class Servable:
    """A SavedModel in a session of its own, checked by its warm-up requests. Safe to call from many threads."""

    def __init__(self, directory: str, *, parameters: Any = None, max_rows: int):
        """`parameters`: BatchingParameters, or None for no batching. `max_rows`: of one request.

        Raises what TensorFlow raises for a directory that it cannot load, and ValueError or OpError where a warm-up request fails.
        """
        splits = parameters is not None and parameters.enable_large_batch_splitting.value
        self.max_rows = max_rows if parameters is None or splits else min(max_rows, batching.largest(parameters))
        options = tf.compat.v1.ConfigProto(gpu_options=tf.compat.v1.GPUOptions(allow_growth=True))
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=options)
        try:
            with self._session.graph.as_default():
                self.graph_def = sessions.load(self._session, directory)
                self._signatures = {
                    name: self._signature(name, definition, parameters)
                    for name, definition in self.graph_def.signature_def.items()
                    if name != _INITIALIZER
                }
                self._session.graph.finalize()
            self._warm_up(directory)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Gives the memory back; nothing may run or be asked for any more."""
        self._session.close()

    def signature(self, name: str) -> Signature:
        """The signature `name`, "" for the default one. FailedPreconditionError if there is none, as in TF Serving."""
        try:
            return self._signatures[name or DEFAULT_SIGNATURE]
        except KeyError:
            raise tf.errors.FailedPreconditionError(
                None, None, f'Serving signature key "{name or DEFAULT_SIGNATURE}" not found; there are {", ".join(sorted(self._signatures))}.'
            ) from None

    def predict(
        self, name: str, inputs: dict[str, np.ndarray], output_filter: Sequence[str] = (), timeout: float | None = None
    ) -> dict[str, np.ndarray]:
        """The outputs of the signature `name`, those in `output_filter` or all. `timeout`: seconds left for it.

        Raises InvalidArgumentError for inputs that the signature does not take (checked here, so that they never enter a batch), UnavailableError
        where the batching queue is full, DeadlineExceededError, and whatever the graph raises.

        **One caller's bad row costs no other caller its answer.** In TF Serving an assertion in the graph, such as a label out of range, fails the
        whole merged batch. Here each request of a batch that failed with InvalidArgument is run again by itself, and only the bad one fails.
        """
        signature = self.signature(name)
        wanted = _wanted(signature, output_filter)
        _check(signature, inputs, self.max_rows)
        values = [inputs[key] for key in signature.inputs]
        # A deadline passed to the session would cancel the whole merged batch, and with it other callers: it is for requests alone.
        options = tf.compat.v1.RunOptions(timeout_in_ms=max(1, round(1000 * timeout)) if timeout is not None else 0)
        if signature.together is None:
            outputs = signature.alone(*values, options=options)
        else:
            try:
                outputs = signature.together(*values)
            except tf.errors.InvalidArgumentError:
                outputs = signature.alone(*values, options=options)
        answers = dict(zip(signature.outputs, outputs, strict=True))
        return {key: answers[key] for key in wanted}

    def _signature(self, name: str, definition: Any, parameters: Any) -> Signature:
        tensor = self._session.graph.get_tensor_by_name
        inputs = [tensor(definition.inputs[key].name) for key in sorted(definition.inputs)]
        outputs = [tensor(definition.outputs[key].name) for key in sorted(definition.outputs)]
        alone = self._session.make_callable(outputs, inputs, accept_options=True)
        if parameters is None:
            return Signature(definition, alone, None)
        return Signature(definition, alone, self._session.make_callable(batching.batched(outputs, inputs, parameters, name), inputs))

    def _warm_up(self, directory: str) -> None:
        """Replays the version's warm-up requests through batching, as TF Serving does; a failing one refuses the version."""
        if not os.path.exists(os.path.join(directory, warmup.FILE)):
            return
        for name, inputs in warmup.read(directory):
            self.predict(name, inputs)


def _wanted(signature: Signature, output_filter: Sequence[str]) -> Sequence[str]:
    for i, key in enumerate(output_filter):
        if key not in signature.outputs:
            raise _invalid(
                f"output tensor alias not found in signature: {key[:100]} Outputs expected to be in the set {{{','.join(signature.outputs)}}}."
            )
        if key in output_filter[:i]:
            raise _invalid(f"duplicate output tensor alias: {key}")
    return output_filter or signature.outputs


def _check(signature: Signature, inputs: dict[str, np.ndarray], max_rows: int) -> None:
    """Names, types and shapes are the signature's, and every input has the same number of rows, at least one and at most `max_rows`."""
    extra, missing = sorted(set(inputs) - set(signature.inputs)), sorted(set(signature.inputs) - set(inputs))
    if extra or missing:
        raise _invalid(
            f"input size does not match signature: {len(inputs)}!={len(signature.inputs)}. Sent extra: {{{','.join(extra)[:200]}}}. "
            f"Missing but required: {{{','.join(missing)}}}."
        )
    rows = set()
    for key, value in inputs.items():
        info = signature.definition.inputs[key]
        dtype, shape = tf.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape)
        received = "string" if value.dtype == object else value.dtype.name
        if received != dtype.name:
            raise _invalid(f"The input {key!r} must be {dtype.name}; received {received}.")
        if not shape.is_compatible_with(value.shape):
            raise _invalid(f"The input {key!r} must have the shape {list(shape)}; received {list(value.shape)}.")
        if not value.ndim:
            raise _invalid(f"The input {key!r} has no batch dimension.")
        rows.add(len(value))
    if len(rows) > 1:
        raise _invalid(f"Batching input tensors must have equal 0th-dimension size; received {sorted(rows)}.")
    for count in rows:
        if not 0 < count <= max_rows:
            raise _invalid(f"Task size {count} is larger than maximum input batch size {max_rows}." if count else "The request has no rows.")


def _invalid(message: str) -> tf.errors.OpError:
    return tf.errors.InvalidArgumentError(None, None, message)
