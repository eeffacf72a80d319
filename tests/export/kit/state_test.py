import http.server
import json
import threading

import pytest
import requests

from export.kit import main, state


@pytest.fixture
def serve(monkeypatch):
    """Starts a server that gives these answers, the last for ever: (HTTP status, body)."""
    monkeypatch.setattr(state, "_POLL_SECONDS", 0.01)
    started = []

    def start(*answers):
        left, asked = list(answers), []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                status, body = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)
        return f"http://127.0.0.1:{server.server_port}", asked

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def status(version, said, code="OK", message=""):
    """As TF Serving's REST documentation shows it."""
    return 200, {"model_version_status": [{"version": str(version), "state": said, "status": {"error_code": code, "error_message": message}}]}


def metadata(version):
    return 200, {"model_spec": {"name": "toy", "signature_name": "", "version": str(version)}, "metadata": {}}


NOT_FOUND = (404, {"error": "Could not find any versions of model toy"})


def test_it_waits_until_the_version_is_available(serve):
    url, asked = serve(NOT_FOUND, status(3, "START"), status(3, "LOADING"), status(3, "AVAILABLE"))
    state.await_available(url + "/", "toy", 3, 10)
    assert asked == ["/v1/models/toy/versions/3"] * 4


def test_a_version_that_cannot_be_loaded_ends_the_wait_with_the_servers_reason(serve):
    url, _ = serve(status(3, "LOADING"), status(3, "END", "NOT_FOUND", "no such op"))
    with pytest.raises(ValueError, match="could not load version 3 of toy: no such op"):
        state.await_available(url, "toy", 3, 10)


def test_a_version_that_was_unloaded_before_may_still_come(serve):
    url, _ = serve(status(3, "END"), status(3, "AVAILABLE"))
    state.await_available(url, "toy", 3, 10)


def test_the_wait_is_bounded_and_says_what_the_server_said_last(serve):
    url, _ = serve(status(3, "LOADING"))
    with pytest.raises(ValueError, match=r"After 0\.05 s version 3 of toy is not available; the server at .* says LOADING: it may be trying again"):
        state.await_available(url, "toy", 3, 0.05)


def test_the_command_waits_longer_than_a_server_tries_to_load_what_fails():
    """TF Serving: --max_num_load_retries=5 after the first try, --load_retry_interval_micros of a minute."""
    assert main._SECONDS > 5 * 60 + 60


def test_a_label_is_awaited_by_the_metadata_for_a_status_does_not_resolve_it(serve):
    url, asked = serve((400, {"error": "Unrecognized servable version label: stable"}), metadata(2), metadata(3))
    state.await_label(url, "toy", "stable", 3, 10)
    assert asked == ["/v1/models/toy/labels/stable/metadata"] * 3
    url, _ = serve(metadata(2))
    with pytest.raises(ValueError, match="the label stable of toy is not at version 3; the server at .* answers it with version 2"):
        state.await_label(url, "toy", "stable", 3, 0.05)


def test_a_server_that_is_not_there_is_waited_for_and_then_named(serve, monkeypatch):
    url, _ = serve(NOT_FOUND)
    monkeypatch.setattr(requests, "get", lambda *a, **k: (_ for _ in ()).throw(requests.ConnectionError("refused")))
    with pytest.raises(ValueError, match=f"the server at {url} does not answer: ConnectionError"):
        state.await_available(url, "toy", 3, 0.03)


def test_every_version_of_a_model_is_read(serve):
    versions = [{"version": "2", "state": "AVAILABLE", "status": {}}, {"version": "1", "state": "END", "status": {"error_message": "x"}}]
    url, asked = serve((200, {"model_version_status": versions}))
    assert state.versions(url, "toy") == {2: ("AVAILABLE", ""), 1: ("END", "x")}
    assert asked == ["/v1/models/toy"]
