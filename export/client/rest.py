"""TensorFlow Serving's REST API, port 8501. Needs no TensorFlow.

After the page "RESTful API" of TensorFlow Serving: inputs in columns, bytes in base64, a single output without its name.
"""

import base64
import binascii
import json
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
import requests

from export.client import client, errors, rows, target
from export.client import metadata as metadata_lib

Parsed = TypeVar("Parsed")

_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""HTTP's status -> canonical code: TensorFlow Serving's own table backwards, and a proxy's 502. INTERNAL for others."""
_READ_BYTES = 16384
_SHOWN = 300
"""Characters of an answer that is not JSON which a message shows."""


def connect(server: str, model: str, *, version: int | None = None, version_label: str = "", ca_file: str = "", **options: Any) -> client.Client:
    """A client over REST.

    `server`: `host:port`, or a URL: `https://...` for a proxy with TLS, whose certificate is checked by the authorities in the PEM file `ca_file`,
    else by the usual ones. `version`, `version_label`: which version answers; the newest unless told. `options`: of `client.Client`.
    """
    return client.Client(Transport(server, target.Target(model, version, version_label), ca_file=ca_file), **options)


class Transport:
    """`client.Transport` over REST. Its connections stay open between calls; for one thread at a time."""

    image_encodings = ("png", "uint8")

    def __init__(self, server: str, of: target.Target, *, ca_file: str = ""):
        self.where = _url(server)
        self._path = self._status_path = f"/v1/models/{urllib.parse.quote(of.model, safe='')}"
        if of.version is not None:
            self._path = self._status_path = f"{self._path}/versions/{of.version}"
        elif of.version_label:  # not for a status, where TensorFlow Serving ignores it
            self._path = f"{self._path}/labels/{of.version_label}"
        self._session = requests.Session()
        self._verify = ca_file or True

    def predict(
        self, signature: metadata_lib.Signature, inputs: Mapping[str, np.ndarray], outputs: Sequence[str], seconds: float
    ) -> dict[str, np.ndarray]:
        """REST answers every output; those that are not asked for are dropped here."""
        body = json.dumps({"signature_name": signature.name, "inputs": {name: _to_json(array) for name, array in inputs.items()}})
        wanted = outputs or tuple(signature.outputs)
        return self._ask("POST", f"{self._path}:predict", seconds, lambda document: _outputs(document, signature, wanted), body)

    def metadata(self, seconds: float) -> metadata_lib.Metadata:
        """The signatures."""
        return self._ask("GET", f"{self._path}/metadata", seconds, metadata_lib.parse)

    def status(self, seconds: float) -> tuple[metadata_lib.Version, ...]:
        """The versions."""
        return self._ask("GET", self._status_path, seconds, metadata_lib.parse_status)

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def _ask(self, method: str, path: str, seconds: float, parse: Callable[[Any], Parsed], body: str | None = None) -> Parsed:
        status, text = self._exchange(method, path, seconds, body)
        try:
            document = json.loads(text)
        except (RecursionError, ValueError):
            document = None
        if status != 200:
            said = document.get("error") if isinstance(document, dict) else None
            raise errors.ServerError(_CODES.get(status, "INTERNAL"), self.where, str(said) if said else f"HTTP {status}: {_shown(text)}")
        try:
            return parse(document)
        except (TypeError, ValueError) as error:
            raise errors.ServerError("INTERNAL", self.where, f"{error}: {_shown(text)}") from error

    def _exchange(self, method: str, path: str, seconds: float, body: str | None) -> tuple[int, bytes]:
        """(HTTP's status, body). The time is looked at whenever a part arrives, so that an answer in drops ends too."""
        end = time.monotonic() + seconds
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            with self._session.request(
                method, self.where + path, data=body, headers=headers, timeout=seconds, verify=self._verify, stream=True, allow_redirects=False
            ) as response:
                parts = []
                for part in response.iter_content(_READ_BYTES):
                    parts.append(part)
                    if time.monotonic() > end:
                        raise requests.Timeout
                return response.status_code, b"".join(parts)
        except requests.Timeout as error:
            raise errors.ServerError("DEADLINE_EXCEEDED", self.where, f"no answer within {seconds:.3g} s") from error
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            if "Read timed out" in str(error):  # within the body, which requests takes for a broken connection
                raise errors.ServerError("DEADLINE_EXCEEDED", self.where, f"no whole answer within {seconds:.3g} s") from error
            raise errors.ServerError("UNAVAILABLE", self.where, _reason(error)) from error
        except requests.RequestException as error:
            raise errors.ServerError("INTERNAL", self.where, f"{type(error).__name__}: {error}") from error
        except OSError as error:  # requests' own complaint about a file of authorities that is not there
            raise ValueError(str(error)) from error


def _url(server: str) -> str:
    url = (server if "://" in server else f"http://{server}").rstrip("/")
    try:
        parts = urllib.parse.urlsplit(url)
        valid = parts.scheme in ("http", "https") and parts.hostname and not parts.query and (parts.port is None or parts.port)
    except ValueError:  # a port that is none
        valid = False
    if not valid:
        raise ValueError(f"A REST server is host:port or a URL, e.g. localhost:8501 or https://images.example.org; received {server!r}.")
    return url


def _to_json(array: np.ndarray) -> Any:
    """Nested lists; bytes as objects with base64, which every string input takes."""
    return _in_base64(array.tolist()) if array.dtype == object else array.tolist()


def _in_base64(value: Any) -> Any:
    return [_in_base64(item) for item in value] if isinstance(value, list) else {"b64": base64.b64encode(value).decode()}


def _outputs(document: Any, signature: metadata_lib.Signature, wanted: Sequence[str]) -> dict[str, np.ndarray]:
    if not isinstance(document, dict) or "outputs" not in document:
        raise ValueError("the answer has no outputs")
    values = document["outputs"]
    if len(signature.outputs) == 1:
        values = {name: values for name in signature.outputs}
    absent = [name for name in wanted if not isinstance(values, dict) or name not in values]
    if absent:
        raise ValueError(f"the answer lacks the output {', '.join(absent)}")
    return {name: _from_json(name, values[name], signature.outputs[name].dtype) for name in wanted}


def _from_json(name: str, value: Any, dtype: str) -> np.ndarray:
    if dtype != "string":
        array = rows.numbers(value, dtype)
        if array is None:
            raise ValueError(f"the output {name!r} is not {dtype}")
        return array
    flat, shape = [], []
    _flatten(value, 0, flat, shape)
    array = np.empty(len(flat), dtype=object)
    for i, item in enumerate(flat):
        array[i] = _bytes(name, item)
    return array.reshape(shape)


def _flatten(value: Any, level: int, flat: list[Any], shape: list[int]) -> None:
    if not isinstance(value, list):
        flat.append(value)
        return
    if level == len(shape):
        shape.append(len(value))
    for item in value:
        _flatten(item, level + 1, flat, shape)


def _bytes(name: str, item: Any) -> bytes:
    if isinstance(item, str):
        return item.encode()
    try:
        return base64.b64decode(item["b64"], validate=True)
    except (binascii.Error, KeyError, TypeError, ValueError):
        raise ValueError(f"the output {name!r} holds something that is neither text nor base64") from None


def _reason(error: Exception) -> str:
    """The innermost message: the outer ones hold URLs and addresses in memory."""
    inner = getattr(error.args[0], "reason", error.args[0]) if error.args else error
    return str(inner).rpartition(">: ")[2].rpartition("): ")[2] or type(error).__name__


def _shown(text: bytes) -> str:
    shown = " ".join(text[: 4 * _SHOWN].decode("utf-8", errors="replace").split())
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
