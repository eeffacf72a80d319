"""A server that answers as TensorFlow Serving's PredictionService and ModelService, or as a test tells it to."""

from concurrent import futures

import fake_server
import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from export.client import rpc


class Grpc(fake_server.Fake, prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """`requests`: as received; `remaining`: the seconds that each gave."""

    protocol, connect = "grpc", staticmethod(rpc.connect)

    def __init__(self, credentials=None, address="127.0.0.1:0"):
        super().__init__()
        self.requests, self.remaining = [], []
        self._pool = futures.ThreadPoolExecutor(4)
        self._server = grpc.server(self._pool, options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)])
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(self, self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(self, self._server)
        port = self._server.add_secure_port(address, credentials) if credentials else self._server.add_insecure_port(address)
        self.address = f"127.0.0.1:{port}"
        self._server.start()

    def stop(self):
        self._server.stop(0).wait()
        self._pool.shutdown()

    def Predict(self, request, context):
        self._meet(":predict", request, context)
        name = request.model_spec.signature_name
        outputs = self.predict(name, {key: tf.make_ndarray(value) for key, value in request.inputs.items()})
        response = predict_pb2.PredictResponse()
        for key in request.output_filter or outputs:
            if key in outputs:
                response.outputs[key].CopyFrom(tf.make_tensor_proto(outputs[key]))
        return response

    def GetModelMetadata(self, request, context):
        self._meet("/metadata", request, context)
        assert request.metadata_field == ["signature_def"]
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, given in self.signatures.items():
            definition = signatures.signature_def[name]
            for infos, tensors in zip((definition.inputs, definition.outputs), given, strict=True):
                for key, (dtype, shape) in tensors.items():
                    infos[key].dtype = tf.dtypes.as_dtype(dtype.removeprefix("DT_").lower()).as_datatype_enum if shape is not None else 0
                    infos[key].tensor_shape.CopyFrom(tf.TensorShape(shape and [None if size < 0 else size for size in shape]).as_proto())
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = "toy"
        response.model_spec.version.value = 3
        response.metadata["signature_def"].Pack(signatures)
        return response

    def GetModelStatus(self, request, context):
        self._meet("", request, context)
        response = get_model_status_pb2.GetModelStatusResponse()
        for number, state, code, text in self.states:
            added = response.model_version_status.add(version=number, state=state)
            added.status.error_code = {"OK": 0, "INTERNAL": 13}[code]
            added.status.error_message = text
        return response

    def _meet(self, kind, request, context):
        spec = request.model_spec
        self.requests.append(request)
        self.remaining.append(context.time_remaining())
        code, text = self.next_failure(kind)
        if code:
            context.abort(grpc.StatusCode[code], text)
        named = {"versions": str(spec.version.value)} if spec.HasField("version") else {"labels": spec.version_label} if spec.version_label else {}
        self.targets.append((spec.name, named))
