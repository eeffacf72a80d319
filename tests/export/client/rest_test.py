"""What is particular to REST: the documents on the wire, TLS, and servers that answer nonsense."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from export.client import errors, rest, retries, target

ROOT = pathlib.Path(__file__).resolve().parents[3]


def test_a_client_over_rest_never_imports_tensorflow(rest_fake, tmp_path):
    """In a process where importing it is an error."""
    program = f"""
import sys
for name in ("tensorflow", "tensorflow_serving", "keras", "grpc"):
    sys.modules[name] = None  # importing it raises ImportError
from export.client import main, rest
with rest.connect({rest_fake.address!r}, "toy") as generator:
    print(generator.sample(range(3), label=1).shape, generator.available(), len(generator.metadata().signatures))
sys.argv = ["tfgan-client", "--server={rest_fake.address}", "--model=toy", "--label=1", "--output={tmp_path / "grid.png"}"]
main.main()
"""
    ended = subprocess.run([sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=120)
    assert (ended.stderr, ended.returncode) == ("", 0)
    assert ended.stdout.splitlines() == ["(3, 2, 3, 3) True 9", str(tmp_path / "grid.png")]
    assert (tmp_path / "grid.png").exists()


def test_a_request_is_the_column_format_of_the_documentation(rest_fake, connect):
    """ "RESTful API", "Specifying input tensors in column format"; bytes as in "Encoding binary values", infinity as in "JSON conformance"."""
    connected = connect(rest_fake)
    connected.sample([7, 8], label=3)
    connected.predict("read", {"words": ["red", b"\xff"]})
    infinity = float("inf")
    assert rest_fake.bodies == [
        {"signature_name": "sample_png", "inputs": {"seed": [7, 8], "truncation": [infinity, infinity], "label": [3, 3]}},
        {"signature_name": "read", "inputs": {"words": [[{"b64": "cmVk"}, {"b64": "/w=="}]]}},
    ]


def test_float32_numbers_arrive_as_they_were(rest_fake, connect):
    numbers = np.array([[0.1, -1e-30], [3.4e38, np.nan]], np.float32)
    np.testing.assert_array_equal(connect(rest_fake).images("draw", {"codes": numbers})[:, 0, :, 0], numbers)
    np.testing.assert_array_equal(np.array(rest_fake.calls[0][1]["codes"], np.float32), numbers)


HTML = b"<html><body><h1>Bad Gateway</h1></body></html>"


@pytest.mark.parametrize(
    "status, body, code, message",
    [
        (502, HTML, "UNAVAILABLE", "HTTP 502: <html>"),
        (200, HTML, "INTERNAL", "not the metadata of a model.*<html>"),
        (200, b"", "INTERNAL", "not the metadata"),
        (200, b"[" * 100_000, "INTERNAL", "not the metadata"),
        (200, b'{"model_spec": {"name": "toy", "version": "x"}, "metadata": {}}', "INTERNAL", "not the metadata"),
        (301, b"", "INTERNAL", "HTTP 301"),
        (404, b'{"error": "Servable not found for request: Latest(toy)"}', "NOT_FOUND", r"Servable not found for request: Latest\(toy\)"),
        (404, b'{"error": null}', "NOT_FOUND", "HTTP 404"),
        (418, b"\xff\xfe", "INTERNAL", "HTTP 418"),
        (504, b"{}", "DEADLINE_EXCEEDED", "HTTP 504"),
    ],
)
def test_an_answer_that_is_none_is_an_error_that_shows_it(rest_fake, connect, status, body, code, message):
    rest_fake.raw = (status, body)
    with pytest.raises(errors.ServerError, match=message) as failed:
        connect(rest_fake).metadata()
    assert failed.value.code == code
    assert len(str(failed.value)) < 800


@pytest.mark.parametrize(
    "document, message",
    [
        ({}, "no outputs"),
        ([], "no outputs"),
        ({"outputs": [[1, 2], [3]]}, "'images' is not float32"),
        ({"outputs": ["a"]}, "'images' is not float32"),
        ({"outputs": None}, "'images' is not float32"),
        ({"outputs": [[[[1.0], [2.0]]]] * 2}, "for 1 rows"),
        ({"predictions": [[[1.0]]]}, "no outputs"),
    ],
)
def test_outputs_that_are_not_the_signatures_are_an_error(rest_fake, connect, document, message):
    connected = connect(rest_fake)
    connected.metadata()
    rest_fake.raw = (200, json.dumps(document).encode())
    with pytest.raises(errors.ServerError, match=message) as failed:
        connected.images("draw", {"codes": [1.0, 2.0]})
    assert failed.value.code == "INTERNAL"


@pytest.mark.parametrize(
    "outputs, message",
    [
        ({"tokens": [[1, 2]]}, "lacks the output word_bytes"),
        ([[1, 2]], "lacks the output tokens, word_bytes"),
        ({"tokens": [[1, 2.5]], "word_bytes": [["a", "b"]]}, "'tokens' is not int64"),
        ({"tokens": [[1, 2]], "word_bytes": [[{"b64": "a-b"}, "b"]]}, "neither text nor base64"),
        ({"tokens": [[1, 2]], "word_bytes": [[{"b64": 3}, None]]}, "neither text nor base64"),
        ({"tokens": [[1, 2]], "word_bytes": [["a", "b"], ["c"]]}, "cannot reshape"),
    ],
)
def test_several_outputs_are_checked_by_name_and_type(rest_fake, connect, outputs, message):
    connected = connect(rest_fake)
    connected.metadata()
    rest_fake.raw = (200, json.dumps({"outputs": outputs}).encode())
    with pytest.raises(errors.ServerError, match=message):
        connected.predict("read", {"words": [["a", "b"]]})


@contextlib.contextmanager
def canned(*parts, pause=0.0):
    """A server that sends the same bytes to everyone, with pauses between the parts; its address."""
    ended = threading.Event()

    def serve():
        while not ended.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listening.accept()
                with connection:
                    connection.recv(65536)
                    for part in parts:
                        connection.sendall(part)
                        if ended.wait(pause):
                            return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            ended.set()
            thread.join()


def ask(address, seconds):
    transport = rest.Transport(address, target.Target("toy"))
    try:
        return transport.metadata(seconds)
    finally:
        transport.close()


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"SMTP\r\n"]
)
def test_a_connection_that_breaks_is_unavailable(sent):
    with canned(sent) as address, pytest.raises(errors.ServerError) as failed:
        ask(address, 5.0)
    assert failed.value.code == "UNAVAILABLE"
    assert "object at 0x" not in str(failed.value)


def test_an_answer_in_drops_ends_by_the_deadline():
    drops = [b"x" * 17_000] * 100
    start = time.monotonic()
    with canned(b"HTTP/1.1 200 OK\r\nContent-Length: 1700000\r\n\r\n", *drops, pause=0.1) as address:
        with pytest.raises(errors.ServerError) as failed:
            ask(address, 0.5)
    assert failed.value.code == "DEADLINE_EXCEEDED"
    assert time.monotonic() - start < 3.0


def test_an_answer_that_stops_half_way_ends_by_the_deadline():
    with canned(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{", b"}", pause=2.0) as address, pytest.raises(errors.ServerError) as failed:
        ask(address, 0.3)
    assert failed.value.code == "DEADLINE_EXCEEDED"


def test_https_checks_the_certificate_by_the_file_given(start, rest_fake, certificate, connect, tmp_path):
    fake = start(type(rest_fake), ssl_context=tuple(reversed(certificate)))
    fake.address = f"https://{fake.address}"
    assert connect(fake, ca_file=certificate[1]).metadata().model == "toy"
    with pytest.raises(errors.ServerError, match="(?i)certificate verify failed"):
        connect(fake, policy=retries.Policy(attempts=1)).metadata()
    with pytest.raises(ValueError, match="nowhere.pem"):
        connect(fake, ca_file=str(tmp_path / "nowhere.pem")).metadata()


@pytest.mark.parametrize("server", ["", "localhost:http", "localhost:99999", "ftp://localhost:8501", "http://", "http://localhost:8501?a=b"])
def test_an_address_that_is_none_is_refused(server):
    with pytest.raises(ValueError, match="host:port or a URL"):
        rest.connect(server, "toy")
