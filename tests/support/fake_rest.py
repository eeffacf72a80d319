"""A server that answers as TensorFlow Serving's "RESTful API" says, or as a test tells it to."""

import base64
import json
import re
import threading

import fake_server
import numpy as np
import werkzeug
from werkzeug import serving

from export.client import rest

CODES = {"INVALID_ARGUMENT": 400, "NOT_FOUND": 404, "UNAVAILABLE": 503, "DEADLINE_EXCEEDED": 504, "INTERNAL": 500, "RESOURCE_EXHAUSTED": 429}
"""tensorflow_serving/model_servers/http_server.cc"""


class Rest(fake_server.Fake):
    """`bodies`: the requests' documents; `raw`: a (status, bytes) to answer instead."""

    protocol, connect = "rest", staticmethod(rest.connect)

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
