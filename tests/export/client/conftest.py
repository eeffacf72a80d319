"""Fake servers, one for each protocol, that answer as TensorFlow Serving's documentation says, or as a test tells them to.

Both serve one model, `toy`: an image is 2 x 3 x 3 and every value of it says what it was made of, so that no two rows look alike.
"""

import base64
import collections
import io
import json
import re
import subprocess
import threading
import time
from concurrent import futures

import grpc
import numpy as np
import pytest
import tensorflow as tf
import werkzeug
from PIL import Image
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from werkzeug import serving

from export.client import rest as rest_client
from export.client import retries, rpc

FEW_TRIES = retries.Policy(attempts=4, first_wait=0.01, attempt_seconds=10.0)
CODES = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504, "INTERNAL": 500, "RESOURCE_EXHAUSTED": 429}
"""tensorflow_serving/model_servers/http_server.cc"""

ROW, SEED = {"truncation": ("DT_FLOAT", [-1]), "label": ("DT_INT64", [-1])}, {"seed": ("DT_INT64", [-1])}
BETWEEN = SEED | {"other_seed": ("DT_INT64", [-1]), "position": ("DT_FLOAT", [-1])}
FILES, PIXELS = {"image_bytes": ("DT_STRING", [-1])}, {"images": ("DT_UINT8", [-1, 2, 3, 3])}
FLOATS = {"images": ("DT_FLOAT", [-1, 2, 3, 3]), "latents": ("DT_FLOAT", [-1, 4])}
SIGNATURES = {
    "__saved_model_init_op": ({}, {"__saved_model_init_op": ("DT_INVALID", None)}),
    "sample": (SEED | ROW, FLOATS),
    "sample_png": (SEED | ROW, FILES),
    "sample_uint8": (SEED | ROW, PIXELS),
    "interpolate": (BETWEEN | ROW, FLOATS),
    "interpolate_png": (BETWEEN | ROW, FILES),
    "interpolate_uint8": (BETWEEN | ROW, PIXELS),
    "read": ({"words": ("DT_STRING", [-1, 2])}, {"tokens": ("DT_INT64", [-1, 2]), "word_bytes": ("DT_STRING", [-1, 2])}),
    "draw": ({"codes": ("DT_FLOAT", [-1, 2])}, {"images": ("DT_FLOAT", [-1, 1, 2, 1])}),
    "big": ({"seed": ("DT_INT64", [-1])}, {"images": ("DT_FLOAT", [-1, 512, 1024, 3])}),
}
"""{name: (inputs, outputs)}, each {name: (type, shape)}."""


def pixels(seed, truncation=np.inf, label=0, position=0.0):
    """uint8 [2, 3, 3]: what the row was made of, in its corners."""
    image = np.zeros([2, 3, 3], np.uint8)
    image[0, 0] = seed % 256, seed // 256 % 256, label
    image[1, 2] = 255 if np.isinf(truncation) else round(100 * float(truncation)), round(100 * float(position)), 7
    return image


def png(image):
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


def answer(signature, inputs):
    """{output: array} by NumPy alone."""
    if signature == "read":
        return {"tokens": np.vectorize(len)(inputs["words"]).astype(np.int64), "word_bytes": inputs["words"]}
    if signature == "draw":
        return {"images": inputs["codes"].reshape([-1, 1, 2, 1])}
    if signature == "big":
        return {"images": np.broadcast_to(inputs["seed"].astype(np.float32)[:, None, None, None], [len(inputs["seed"]), 512, 1024, 3])}
    drawn = {"seed": inputs["seed"], "truncation": inputs["truncation"], "label": inputs["label"]}
    if "position" in inputs:
        drawn["position"] = inputs["position"]
    images = np.stack([pixels(**dict(zip(drawn, row, strict=True))) for row in zip(*drawn.values(), strict=True)])
    if signature.endswith("_png"):
        return {"image_bytes": np.array([png(image) for image in images], dtype=object)}
    if signature.endswith("_uint8"):
        return {"images": images}
    return {"images": images.astype(np.float32) / 127.5 - 1.0, "latents": np.zeros([len(images), 4], np.float32)}


class Fake:
    """What the fakes share.

    `calls`: [(signature, {input: array})] as received; `targets`: the models and versions that were named; `asked`: how often, by kind.
    `signatures`, `states`, `alter` (of outputs): what to answer in place of the truth.
    """

    def __init__(self):
        self.calls, self.targets, self.asked = [], [], collections.Counter()
        self.failures = collections.deque()
        self.signatures = dict(SIGNATURES)
        self.alter = lambda outputs: outputs
        self.states = [(3, "AVAILABLE", "OK", ""), (2, "END", "INTERNAL", "no such file")]
        self._lock = threading.Lock()

    def fail(self, code, text="", seconds=0.0, times=1):
        """The next `times` questions of any kind wait so long, then fail so; without a code they only wait."""
        self.failures.extend([(code, text, seconds)] * times)

    def next_failure(self, kind):
        with self._lock:
            self.asked[kind] += 1
            code, text, seconds = self.failures.popleft() if self.failures else ("", "", 0.0)
        time.sleep(seconds)
        return code, text

    def predict(self, signature, inputs):
        with self._lock:
            self.calls.append((signature, inputs))
        return self.alter(answer(signature, inputs))


class Rest(Fake):
    """GET and POST as in TensorFlow Serving's "RESTful API"; `bodies`: the requests' documents; `raw`: a (status, bytes) to answer instead."""

    protocol, connect = "rest", staticmethod(rest_client.connect)

    def __init__(self, ssl_context=None):
        super().__init__()
        self.bodies, self.raw = [], None
        handler = type("Quiet", (serving.WSGIRequestHandler,), {"log": lambda *unused: None, "protocol_version": "HTTP/1.1"})
        self._server = serving.make_server("127.0.0.1", 0, self, threaded=True, request_handler=handler, ssl_context=ssl_context)
        self.address = f"127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __call__(self, environ, start_response):
        return self._response(werkzeug.Request(environ))(environ, start_response)

    def _response(self, request):
        match = re.fullmatch(r"/v1/models/(\w+)(?:/(versions|labels)/(\w+))?(:predict|/metadata|)", request.path)
        body = request.get_data()
        code, text = self.next_failure(match[4])
        if code:
            return self._json({"error": text}, CODES[code])
        if self.raw is not None:
            return werkzeug.Response(self.raw[1], status=self.raw[0])
        self.targets.append((match[1], {match[2]: match[3]} if match[2] else {}))
        if match[4] == "/metadata":
            definitions = {name: {"inputs": self._infos(i), "outputs": self._infos(o)} for name, (i, o) in self.signatures.items()}
            spec = {"name": "toy", "signature_name": "", "version": "3"}
            return self._json({"model_spec": spec, "metadata": {"signature_def": {"signature_def": definitions}}})
        if not match[4]:
            states = [{"version": str(n), "state": s, "status": {"error_code": c, "error_message": m}} for n, s, c, m in self.states]
            return self._json({"model_version_status": states})
        self.bodies.append(json.loads(body))
        return self._json({"outputs": self._predicted(self.bodies[-1])})

    def _predicted(self, document):
        name = document["signature_name"]
        given = self.signatures[name][0]
        assert set(document["inputs"]) == set(given)
        inputs = {key: self._array(value, given[key][0]) for key, value in document["inputs"].items()}
        outputs = {key: self._value(key, value) for key, value in self.predict(name, inputs).items()}
        return outputs if len(outputs) != 1 else next(iter(outputs.values()))

    def _array(self, value, dtype):
        if dtype == "DT_STRING":
            decoded = [[base64.b64decode(item["b64"]) for item in row] for row in value]
            return np.array(decoded, dtype=object)
        return np.array(value, {"DT_INT64": np.int64, "DT_FLOAT": np.float32}[dtype])

    def _value(self, name, array):
        if isinstance(array, np.ndarray) and array.dtype == object:
            return [self._value(name, item) for item in array]
        if isinstance(array, bytes):
            return {"b64": base64.b64encode(array).decode()} if name.endswith("_bytes") else array.decode()
        return array.tolist()

    def _infos(self, tensors):
        def info(name, dtype, shape):
            dim = [{"size": str(size), "name": ""} for size in shape or ()]
            return {"name": f"{name}:0", "dtype": dtype, "tensor_shape": {"dim": dim, "unknown_rank": shape is None}}

        return {name: info(name, *tensor) for name, tensor in tensors.items()}

    def _json(self, document, status=200):
        return werkzeug.Response(json.dumps(document), status=status, mimetype="application/json")


class Grpc(Fake, prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """PredictionService and ModelService; `requests`: as received; `remaining`: the seconds that each gave."""

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


@pytest.fixture
def start():
    """Starts fakes of a test's own: `start(Rest)`; they are stopped at the end."""
    started = []

    def start(kind, *arguments, **options):
        started.append(kind(*arguments, **options))
        return started[-1]

    yield start
    for fake in started:
        fake.stop()


@pytest.fixture(params=[Rest, Grpc], ids=["rest", "grpc"])
def fake(request, start):
    """One fake server, over each protocol in turn."""
    return start(request.param)


@pytest.fixture
def rest_fake(start):
    """The fake that speaks REST."""
    return start(Rest)


@pytest.fixture
def grpc_fake(start):
    """The fake that speaks gRPC."""
    return start(Grpc)


@pytest.fixture
def connect():
    """`connect(fake, **options)` -> a client that tries a few times, quickly; closed at the end."""
    opened = []

    def connect(to, **options):
        opened.append(to.connect(to.address, "toy", **{"policy": FEW_TRIES} | options))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture(name="pixels", scope="session")
def pixels_fixture():
    """`pixels(seed, truncation, label, position)`: the image that the fakes answer."""
    return pixels


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """(key file, certificate file) for 127.0.0.1, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    key, signed = str(folder / "key.pem"), str(folder / "certificate.pem")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, *names, "-keyout", key, "-out", signed], check=True, capture_output=True)
    return key, signed
