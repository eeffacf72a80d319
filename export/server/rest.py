"""TF Serving's REST API as a WSGI application on a `Service`, with the metrics and the demo page.

After tensorflow_serving/model_servers/http_rest_api_handler.cc and http_server.cc. Differences: no compression, no CORS, `classify` and `regress`
answer 501. A status request that names a label gets the status of all versions; a metadata request resolves the label.
"""

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import grpc
import tensorflow as tf
import werkzeug
from absl import logging
from google.protobuf import json_format
from tensorflow_serving.apis import model_pb2
from werkzeug import exceptions, routing

from export.server import encoding, page, servable
from export.server import service as services

_STATUS = grpc.StatusCode
_HTTP = {
    _STATUS.CANCELLED: 499,
    _STATUS.INVALID_ARGUMENT: 400,
    _STATUS.DEADLINE_EXCEEDED: 504,
    _STATUS.NOT_FOUND: 404,
    _STATUS.ALREADY_EXISTS: 409,
    _STATUS.PERMISSION_DENIED: 403,
    _STATUS.RESOURCE_EXHAUSTED: 429,
    _STATUS.FAILED_PRECONDITION: 400,
    _STATUS.ABORTED: 409,
    _STATUS.OUT_OF_RANGE: 400,
    _STATUS.UNIMPLEMENTED: 501,
    _STATUS.UNAVAILABLE: 503,
    _STATUS.UNAUTHENTICATED: 401,
}
"""http_server.cc, ToHTTPStatusCode; 500 for the others."""
_MODEL = "/v1/models/<segment:name>"


class _Segment(routing.BaseConverter):
    """A model's name or a label: anything up to the next slash or colon."""

    regex = "[^/:]+"


class Application:
    """The WSGI application."""

    def __init__(self, service: services.Service, *, timeout: float, metrics_path: str):
        """`timeout`: seconds for a Predict request. `metrics_path`: "" for no metrics."""
        self._service = service
        self._timeout = timeout
        rules = [
            routing.Rule("/", endpoint=self._page, methods=["GET"]),
            routing.Rule("/demo/models", endpoint=self._models, methods=["GET"]),
            routing.Rule("/v1/models", endpoint=self._nameless, methods=["GET"]),
        ]
        for chosen in ("", "/versions/<int:version>", "/labels/<segment:label>"):
            rules += [
                routing.Rule(f"{_MODEL}{chosen}", endpoint=self._status, methods=["GET"]),
                routing.Rule(f"{_MODEL}{chosen}/metadata", endpoint=self._metadata, methods=["GET"]),
                routing.Rule(f"{_MODEL}{chosen}:<any(predict, classify, regress):method>", endpoint=self._predict, methods=["POST"]),
            ]
        if metrics_path:
            rules.append(routing.Rule(metrics_path, endpoint=self._metrics, methods=["GET"]))
        self._routes = routing.Map(rules, converters={"segment": _Segment}, merge_slashes=False, strict_slashes=False)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return self._answer(werkzeug.Request(environ))(environ, start_response)

    def _answer(self, request: werkzeug.Request) -> werkzeug.Response:
        try:
            endpoint, arguments = self._routes.bind_to_environ(request.environ).match()
            return endpoint(request, **arguments)
        except (exceptions.NotFound, exceptions.MethodNotAllowed, routing.RequestRedirect):
            malformed = request.path.lower().startswith("/v1/")  # what TF Serving calls it
            text = f"Malformed request: {request.method} {request.path[:200]}" if malformed else f"There is nothing at {request.path[:200]}."
            return _json({"error": text}, 400 if malformed else 404)
        except exceptions.HTTPException as error:
            return _json({"error": error.description}, error.code)
        except Exception as error:
            if not isinstance(error, tf.errors.OpError):
                logging.exception("%s %s failed", request.method, request.path)
            return _json({"error": services.message(error)}, _HTTP.get(services.code(error), 500))

    def _predict(self, request: werkzeug.Request, method: str, **chosen: Any) -> werkzeug.Response:
        deadline = time.monotonic() + self._timeout
        if method != "predict":
            raise tf.errors.UnimplementedError(None, None, f"{method} takes tf.Example; this server has predict alone.")
        spec = _spec(**chosen)
        with self._service.serving(spec, "Predict", "REST") as version:
            decoded = encoding.decode(request.get_data(cache=False), lambda name: _definition(version.servable, name), version.servable.max_rows)
            spec.signature_name = decoded.signature_name
            outputs = self._service.predict(spec, version, decoded.inputs, (), deadline)
            return _json(encoding.encode(outputs, by_row=decoded.by_row))

    def _nameless(self, request: werkzeug.Request) -> werkzeug.Response:
        raise tf.errors.InvalidArgumentError(None, None, "Missing model name in request.")

    def _status(self, request: werkzeug.Request, **chosen: Any) -> werkzeug.Response:
        status = self._service.status(_spec(**chosen))
        return _json(json_format.MessageToDict(status, always_print_fields_with_no_presence=True))

    def _metadata(self, request: werkzeug.Request, **chosen: Any) -> werkzeug.Response:
        return _json(self._service.metadata_json(_spec(**chosen)))

    def _metrics(self, request: werkzeug.Request) -> werkzeug.Response:
        return werkzeug.Response(self._service.metrics.text(), mimetype="text/plain")

    def _models(self, request: werkzeug.Request) -> werkzeug.Response:
        """Not of TF Serving's API, which cannot list models: for the page."""
        return _json({"models": self._service.manager.names()})

    def _page(self, request: werkzeug.Request) -> werkzeug.Response:
        return werkzeug.Response(page.html(), mimetype="text/html", headers=page.HEADERS)


def _spec(name: str, version: int | None = None, label: str | None = None) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=name)
    if version is not None:
        if version >= 2**63:
            raise tf.errors.InvalidArgumentError(None, None, f"Failed to convert version: {str(version)[:40]} to numeric.")
        spec.version.value = version
    if label is not None:
        spec.version_label = label
    return spec


def _definition(loaded: servable.Servable, name: str) -> Any:
    try:
        return loaded.signature(name).definition
    except tf.errors.FailedPreconditionError:
        text = f'Serving signature name: "{(name or servable.DEFAULT_SIGNATURE)[:100]}" not found in signature def'
        raise tf.errors.InvalidArgumentError(None, None, text) from None


def _json(value: Any, status: int = 200) -> werkzeug.Response:
    body = value if isinstance(value, bytes) else json.dumps(value, indent=1)
    return werkzeug.Response(body, status=status, mimetype="application/json", headers={"X-Content-Type-Options": "nosniff"})
