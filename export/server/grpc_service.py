"""TF Serving's gRPC services on a `Service`: Predict, GetModelMetadata, GetModelStatus, HandleReloadConfigRequest.

Answers carry numbers as `tensor_content`, as TF Serving's do with --enable_serialization_as_tensor_content; `tf.make_ndarray` reads both forms.
Classify, Regress and MultiInference take tf.Example and have no use for images: UNIMPLEMENTED.
"""

import functools
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from absl import logging
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export.server import servable
from export.server import service as services

_SPARE_THREADS = 4
"""For answering while every place is taken: that there is none, and what needs none."""
_WAITING = 1000
"""Calls that gRPC itself holds beyond its threads; then it answers RESOURCE_EXHAUSTED."""


def server(service: services.Service, *, places: int, max_bytes: int) -> grpc.Server:
    """A gRPC server with a bounded number of threads, calls and bytes per message; not started, without a port."""
    pool = futures.ThreadPoolExecutor(places + _SPARE_THREADS, thread_name_prefix="grpc")
    options = [("grpc.max_receive_message_length", max_bytes), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]
    made = grpc.server(pool, options=options, maximum_concurrent_rpcs=places + _WAITING)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(_Prediction(service, max_bytes), made)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(_Models(service), made)
    return made


def _answering(method: Callable[[Any, Any, grpc.ServicerContext], Any]) -> Callable[[Any, Any, grpc.ServicerContext], Any]:
    """Errors as gRPC's status codes."""

    @functools.wraps(method)
    def answer(self, request, context):
        try:
            return method(self, request, context)
        except Exception as error:
            if not isinstance(error, tf.errors.OpError):
                logging.exception("%s failed", method.__name__)
            failure = error
        context.abort(services.code(failure), services.message(failure))

    return answer


class _Prediction(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, service: services.Service, max_bytes: int):
        self._service = service
        self._max_bytes = max_bytes

    @_answering
    def Predict(self, request, context):
        left = context.time_remaining()
        deadline = None if left is None else time.monotonic() + left
        with self._service.serving(request.model_spec, "Predict", "GRPC") as version:
            inputs = {key: _array(key, tensor, self._max_bytes) for key, tensor in request.inputs.items()}
            outputs = self._service.predict(request.model_spec, version, inputs, list(request.output_filter), deadline)
            response = predict_pb2.PredictResponse()
            response.model_spec.name = request.model_spec.name
            response.model_spec.version.value = version.number
            response.model_spec.signature_name = request.model_spec.signature_name or servable.DEFAULT_SIGNATURE
            for key, value in outputs.items():
                response.outputs[key].CopyFrom(tf.make_tensor_proto(value))
            return response

    @_answering
    def GetModelMetadata(self, request, context) -> get_model_metadata_pb2.GetModelMetadataResponse:
        if not request.HasField("model_spec"):
            raise _invalid("Missing ModelSpec")
        if not request.metadata_field:
            raise _invalid("GetModelMetadataRequest must specify at least one metadata_field")
        wrong = [field for field in request.metadata_field if field != "signature_def"]
        if wrong:
            raise _invalid(f"Metadata field {wrong[0][:100]} is not supported")
        return self._service.metadata(request.model_spec)

    @_answering
    def Classify(self, request, context):
        raise _not_offered("Classify")

    @_answering
    def Regress(self, request, context):
        raise _not_offered("Regress")

    @_answering
    def MultiInference(self, request, context):
        raise _not_offered("MultiInference")


class _Models(model_service_pb2_grpc.ModelServiceServicer):
    def __init__(self, service: services.Service):
        self._service = service

    @_answering
    def GetModelStatus(self, request, context) -> get_model_status_pb2.GetModelStatusResponse:
        if not request.HasField("model_spec"):
            raise _invalid("Missing ModelSpec")
        return self._service.status(request.model_spec)

    @_answering
    def HandleReloadConfigRequest(self, request, context) -> model_management_pb2.ReloadConfigResponse:
        if request.config.WhichOneof("config") != "model_config_list":
            raise _invalid("ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently supported")
        self._service.reload(request.config)
        return model_management_pb2.ReloadConfigResponse()


def _array(key: str, proto: Any, max_bytes: int) -> np.ndarray:
    """A TensorProto as an array. A few bytes may claim any size, since one value stands for all: what it takes to hold them is checked first."""
    shape = [dimension.size for dimension in proto.tensor_shape.dim]
    try:
        dtype = tf.as_dtype(proto.dtype)
        size = np.dtype(dtype.as_numpy_dtype).itemsize
    except (TypeError, KeyError):  # a number without a type, or a type that no array has
        raise _invalid(f"The input {key!r} has the unknown type {proto.dtype}.") from None
    count = 1
    for dimension in shape:
        count *= dimension
        if dimension < 0 or count * size > max_bytes:
            raise _invalid(f"The input {key!r} has the shape {shape[:8]}; a tensor is limited to {max_bytes} bytes.")
    try:
        return tf.make_ndarray(proto)
    except (TypeError, ValueError) as error:
        raise _invalid(f"The input {key!r} is no valid TensorProto: {error}") from None


def _not_offered(method: str) -> tf.errors.OpError:
    return tf.errors.UnimplementedError(None, None, f"{method} takes tf.Example; this server has Predict alone.")


def _invalid(text: str) -> tf.errors.OpError:
    return tf.errors.InvalidArgumentError(None, None, text)
