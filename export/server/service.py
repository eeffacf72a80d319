"""What both doors, gRPC and REST, ask for: a place, a version, an answer; counted, and refused where there is no place."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format, text_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from export import serving_config
from export.server import manager as managers
from export.server import metrics as metrics_lib

_CODES = {status.value[0]: status for status in grpc.StatusCode}
_METADATA_FIELD = "signature_def"
_NOISE = re.compile(r"Graph execution error:|Detected at node .*|Node: .*|\s+File \".*|\s*\[\[.*|\s*")
"""Lines of TensorFlow's messages that tell of this server's graph and files, not of the request."""
_LONGEST_MESSAGE = 2000


class Service:
    """Answers requests, at most `places` at once; further ones get UnavailableError."""

    def __init__(self, manager: managers.Manager, metrics: metrics_lib.Metrics, places: int):
        self.manager = manager
        self.metrics = metrics
        self._places = places
        self._taken = 0
        self._draining = False
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def serving(self, spec: Any, api: str, entrypoint: str) -> Iterator[managers.Version]:
        """A place and the version that `spec` names, for the time of one request."""
        model = spec.name if spec.name in self.manager.names() else ""
        start, status = time.perf_counter(), "OK"
        try:
            with self._place(), self.manager.using(spec) as version:
                yield version
        except Exception as error:
            status = code(error).name
            raise
        finally:
            self.metrics.request(model, api, entrypoint, status, time.perf_counter() - start)

    def predict(
        self, spec: Any, version: managers.Version, inputs: dict[str, np.ndarray], output_filter: Sequence[str], deadline: float | None
    ) -> dict[str, np.ndarray]:
        """The outputs of `spec`'s signature. `deadline`: by time.monotonic()."""
        start = time.perf_counter()
        outputs = version.servable.predict(spec.signature_name, inputs, output_filter, _left(deadline))
        self.metrics.run(spec.name, len(next(iter(inputs.values()))), time.perf_counter() - start)
        _left(deadline)
        return outputs

    def metadata(self, spec: Any) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """The signatures of a version, TensorFlow's initializer among them as TF Serving lists it."""
        with self.manager.using(spec) as version:
            response = get_model_metadata_pb2.GetModelMetadataResponse()
            response.model_spec.name = spec.name
            response.model_spec.version.value = version.number
            signatures = get_model_metadata_pb2.SignatureDefMap()
            for name, definition in version.servable.graph_def.signature_def.items():
                signatures.signature_def[name].CopyFrom(definition)
            response.metadata[_METADATA_FIELD].Pack(signatures)
            return response

    def metadata_json(self, spec: Any) -> dict[str, Any]:
        """The same as REST writes it."""
        response = self.metadata(spec)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata[_METADATA_FIELD].Unpack(signatures)
        options = {"preserving_proto_field_name": True, "always_print_fields_with_no_presence": True}
        return {
            "model_spec": json_format.MessageToDict(response.model_spec, **options),
            "metadata": {_METADATA_FIELD: json_format.MessageToDict(signatures, **options)},
        }

    def status(self, spec: Any) -> get_model_status_pb2.GetModelStatusResponse:
        """The state of a model's versions; of one, where `spec` names it by number. A label is ignored, as TF Serving does."""
        response = get_model_status_pb2.GetModelStatusResponse()
        for version in self.manager.status(spec):
            added = response.model_version_status.add(version=version.number)
            added.state = get_model_status_pb2.ModelVersionStatus.State.Value(version.state)
            added.status.SetInParent()
            if version.error is not None:
                added.status.error_code, added.status.error_message = version.error.error_code, message(version.error)
        return response

    def reload(self, config: Any) -> None:
        """Takes over a new ModelServerConfig."""
        try:
            config = serving_config.parse_models(text_format.MessageToString(config))
        except ValueError as error:
            raise tf.errors.InvalidArgumentError(None, None, str(error)) from error
        self.manager.configure(config)

    def drain(self, seconds: float) -> None:
        """Refuses new requests and waits for those under way, no longer than `seconds`."""
        with self._changed:
            self._draining = True
            self._changed.wait_for(lambda: not self._taken, seconds)

    @contextlib.contextmanager
    def _place(self) -> Iterator[None]:
        with self._changed:
            if self._draining:
                raise tf.errors.UnavailableError(None, None, "The server is stopping.")
            if self._taken >= self._places:
                raise tf.errors.UnavailableError(None, None, f"The server is answering {self._places} requests already; try again later.")
            self._taken += 1
        try:
            yield
        finally:
            with self._changed:
                self._taken -= 1
                self._changed.notify_all()


def _left(deadline: float | None) -> float | None:
    """Seconds until `deadline`. DeadlineExceededError where it has passed."""
    left = None if deadline is None else deadline - time.monotonic()
    if left is not None and left <= 0:
        raise tf.errors.DeadlineExceededError(None, None, "The request's time is over.")
    return left


def code(error: Exception) -> grpc.StatusCode:
    """The canonical code of an error; what is not TensorFlow's own is a fault of the server, INTERNAL."""
    number = error.error_code if isinstance(error, tf.errors.OpError) else tf.errors.INTERNAL
    return _CODES[number]


def message(error: Exception) -> str:
    """What to tell the caller: TensorFlow's words without the server's files and graph, nothing at all of a fault of the server."""
    if not isinstance(error, tf.errors.OpError):
        return "Internal error; see the server's log."
    lines = [line for line in error.message.splitlines() if not _NOISE.fullmatch(line)]
    return "\n".join(lines)[:_LONGEST_MESSAGE]
