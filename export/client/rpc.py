"""TensorFlow Serving's gRPC API, port 8500: smaller and faster than REST for arrays. Needs tensorflow-serving-api, and with it TensorFlow."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export.client import client, errors, target
from export.client import metadata as metadata_lib

Answer = TypeVar("Answer")

_FIELD = "signature_def"
_BY_NAME = "dns:///"
_OPTIONS = [
    ("grpc.max_receive_message_length", -1),  # gRPC's own limit is 4 MiB: one 1024 x 1024 image of floats is 12
    ("grpc.max_send_message_length", -1),
    # After a refused connection gRPC fails calls without trying for a second, then for longer. How long to wait is decided in `retries`. The third of
    # these, min_reconnect_backoff_ms, is left alone: it is also the time that a connection may take to be made.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
]


def connect(server: str, model: str, *, version: int | None = None, version_label: str = "", ca_file: str = "", **options: Any) -> client.Client:
    """A client over gRPC.

    `server`: `host:port`, or `dns:///host:port` for one name of many servers, which are asked in turn. `ca_file`: a PEM file of the authorities that
    the server's certificate is checked by; it turns TLS on. `version`, `version_label`: which version answers; the newest unless told. `options`:
    of `client.Client`.
    """
    return client.Client(Transport(server, target.Target(model, version, version_label), ca_file=ca_file), **options)


class Transport:
    """`client.Transport` over gRPC. For any number of threads."""

    image_encodings = ("uint8", "png")

    def __init__(self, server: str, of: target.Target, *, ca_file: str = ""):
        address = server.removeprefix(_BY_NAME)
        if "/" in address or not address.rpartition(":")[2].isdecimal():
            raise ValueError(f"A gRPC server is host:port, e.g. localhost:8500, or {_BY_NAME}host:port for all of a name; received {server!r}.")
        self.where = server
        self._spec = model_pb2.ModelSpec(name=of.model)
        self._status_spec = model_pb2.ModelSpec(name=of.model)
        if of.version is not None:
            self._spec.version.value = self._status_spec.version.value = of.version
        elif of.version_label:  # not for a status, where TensorFlow Serving ignores it
            self._spec.version_label = of.version_label
        self._channel = _channel(server, ca_file)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self, signature: metadata_lib.Signature, inputs: Mapping[str, np.ndarray], outputs: Sequence[str], seconds: float
    ) -> dict[str, np.ndarray]:
        """The `outputs` of a signature, or all of them where none is named."""
        request = predict_pb2.PredictRequest(model_spec=self._spec, output_filter=outputs)
        request.model_spec.signature_name = signature.name
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array, signature.inputs[name].dtype))

        def parse(response: predict_pb2.PredictResponse) -> dict[str, np.ndarray]:
            return {name: tf.make_ndarray(tensor) for name, tensor in response.outputs.items()}

        return self._ask(self._predictions.Predict, request, seconds, parse)

    def metadata(self, seconds: float) -> metadata_lib.Metadata:
        """The signatures."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=self._spec, metadata_field=[_FIELD])

        def parse(response: get_model_metadata_pb2.GetModelMetadataResponse) -> metadata_lib.Metadata:
            signatures = get_model_metadata_pb2.SignatureDefMap()
            if not response.metadata[_FIELD].Unpack(signatures):
                raise ValueError("the metadata hold no signatures")
            return metadata_lib.parse({"model_spec": _document(response.model_spec), "metadata": {_FIELD: _document(signatures)}})

        return self._ask(self._predictions.GetModelMetadata, request, seconds, parse)

    def status(self, seconds: float) -> tuple[metadata_lib.Version, ...]:
        """The versions."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=self._status_spec)
        return self._ask(self._models.GetModelStatus, request, seconds, lambda response: metadata_lib.parse_status(_document(response)))

    def close(self) -> None:
        """Closes the connections."""
        self._channel.close()

    def _ask(self, method: Callable[..., Any], request: Any, seconds: float, parse: Callable[[Any], Answer]) -> Answer:
        try:
            response = method(request, timeout=seconds)
        except grpc.RpcError as error:
            raise errors.ServerError(error.code().name, self.where, error.details() or "no message") from error
        try:
            return parse(response)
        except (TypeError, ValueError) as error:
            raise errors.ServerError("INTERNAL", self.where, f"{type(response).__name__}: {error}") from error


def _channel(server: str, ca_file: str) -> grpc.Channel:
    options = _OPTIONS + ([("grpc.lb_policy_name", "round_robin")] if server.startswith(_BY_NAME) else [])
    if not ca_file:
        return grpc.insecure_channel(server, options=options)
    try:
        with open(ca_file, "rb") as file:
            credentials = grpc.ssl_channel_credentials(file.read())
    except OSError as error:
        raise ValueError(f"The file of authorities cannot be read: {error}.") from error
    return grpc.secure_channel(server, credentials, options=options)


def _document(message: Any) -> dict[str, Any]:
    """The message as REST would write it."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
