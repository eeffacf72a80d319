"""Whole servers: versions and configuration that change under load, bounds, the end."""

import concurrent.futures
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import types

import grpc
import numpy as np
import pytest
import requests
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from export import warmup
from export.server import running


def until(condition, seconds=300):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


def state(client, version):
    response = client.get(f"/v1/models/toy/versions/{version}")
    return response.json()["model_version_status"][0]["state"] if response.status_code == 200 else ""


def labelled(client, label="stable"):
    """The version that a label points at: metadata say so, where a status ignores the label."""
    response = client.get(f"/v1/models/toy/labels/{label}/metadata")
    return response.json()["model_spec"]["version"] if response.status_code == 200 else ""


def image(client, rows, **options):
    return client.predict("sample_png", rows, **options)["image_bytes"].tolist()


def test_a_version_dropped_in_under_load_is_picked_up_with_no_failed_request(serve, add, tmp_path, answer, rows):
    """Callers over both protocols; every answer is version 1's or version 2's, and after a 2 none sees a 1."""
    base = tmp_path / "toy"
    add(base, 1)
    server, client = serve(model_name="toy", model_base_path=str(base), enable_batching=True, enable_per_model_batching_parameters=True)
    expected = [answer("sample", rows(3), version=version)["images"] for version in (1, 2)]
    ended = threading.Event()

    def over_grpc():
        return client.predict("sample", rows(3), outputs=["images"])["images"]

    def over_rest():
        response = client.post("/v1/models/toy:predict", {"signature_name": "sample", "inputs": {k: v.tolist() for k, v in rows(3).items()}})
        return np.array(response.json()["outputs"]["images"])

    def ask(call):
        seen = []
        while not ended.is_set() or not seen:
            seen.append(int(np.argmin([np.abs(call() - images).max() for images in expected])) + 1)
        return seen

    with concurrent.futures.ThreadPoolExecutor(4) as callers:
        asking = [callers.submit(ask, call) for call in (over_grpc, over_rest) * 2]
        add(base, 2, source=2)
        until(lambda: state(client, 2) == "AVAILABLE" and state(client, 1) == "END")
        ended.set()
        answers = [one.result() for one in asking]
    for seen in answers:
        assert seen == sorted(seen)
    np.testing.assert_allclose(over_grpc(), expected[1], atol=1e-5)
    np.testing.assert_allclose(over_rest(), expected[1], atol=1e-5)


def test_a_half_written_version_is_not_loaded_and_one_that_fails_is_refused(serve, add, tmp_path, answer, rows, versions):
    base = tmp_path / "toy"
    add(base, 1)
    _, client = serve(model_name="toy", model_base_path=str(base))
    (base / ".staging-abc").mkdir()
    shutil.copy(os.path.join(versions[2], "saved_model.pb"), base / ".staging-abc")
    broken = base / ".broken"
    shutil.copytree(versions[2], broken)
    records = (broken / warmup.FILE).read_bytes()
    (broken / warmup.FILE).write_bytes(records[: len(records) // 2])
    broken.rename(base / "5")
    until(lambda: state(client, 5) == "END")
    wrong = base / ".wrong"
    shutil.copytree(versions[2], wrong)
    (wrong / "variables" / "variables.index").unlink()
    wrong.rename(base / "6")
    until(lambda: state(client, 6) == "END")
    statuses = client.get("/v1/models/toy").json()["model_version_status"]
    assert [(one["version"], one["state"], one["status"]["error_code"] == "OK") for one in statuses] == [
        ("6", "END", False),
        ("5", "END", False),
        ("1", "AVAILABLE", True),
    ]
    assert image(client, rows(3)) == answer("sample_png", rows(3))["image_bytes"].tolist()


def test_an_export_is_served_by_the_files_it_wrote(published, serve, answer, rows):
    """Its configuration names /models, where a container would see it; here it is found beside the file."""
    _, client = serve(
        model_config_file=f"{published.output}/models.config",
        allow_version_labels_for_unavailable_models=True,
        enable_batching=True,
        batching_parameters_file=f"{published.output}/batching.config",
        enable_per_model_batching_parameters=True,
        monitoring_config_file=f"{published.output}/monitoring.config",
    )
    for chosen in ({}, {"version": 1}, {"label": "stable"}, {"label": "canary"}):
        assert image(client, rows(3), **chosen) == answer("sample_png", rows(3))["image_bytes"].tolist()
    assert client.get("/v1/models/toy/labels/no_such_label").json() == client.get("/v1/models/toy").json()
    assert client.get("/v1/models/toy/labels/no_such_label/metadata").status_code == 400
    assert client.get("/v1/models/toy/labels/stable/metadata").json()["model_spec"]["version"] == "1"
    row = {"seed": 3, "truncation": 1.5, "label": 3}
    by_label = client.post("/v1/models/toy/labels/stable:predict", {"signature_name": "sample_png", "instances": [row]})
    assert by_label.status_code == 200
    assert client.get("/monitoring/prometheus/metrics").status_code == 200


def test_the_configuration_file_is_followed_and_a_broken_one_changes_nothing(serve, add, tmp_path, answer, rows):
    base, path = tmp_path / "toy", tmp_path / "models.config"
    add(base, 1)
    add(base, 2, source=2)

    def write(rest):
        text = f'model_config_list {{ config {{ name: "toy" base_path: "{base}" model_platform: "tensorflow" {rest} }} }}'
        staging = tmp_path / "staging"
        staging.write_text(text)
        staging.rename(path)

    both = "model_version_policy { all { } }"
    write(both)
    _, client = serve(model_config_file=str(path), model_config_file_poll_wait_seconds=0.05)
    expected = [answer("sample_png", rows(3), version=version)["image_bytes"].tolist() for version in (1, 2)]
    write(f'{both} version_labels {{ key: "stable" value: 1 }}')
    until(lambda: labelled(client) == "1")
    assert image(client, rows(3), label="stable") == expected[0]
    path.write_text("model_config_list {")
    time.sleep(0.2)
    assert image(client, rows(3), label="stable") == expected[0]
    write(f'{both} version_labels {{ key: "stable" value: 2 }}')  # promotion
    until(lambda: labelled(client) == "2")
    assert image(client, rows(3), label="stable") == expected[1]


def test_a_reload_over_grpc_moves_labels_by_the_rules(serve, add, tmp_path):
    base = tmp_path / "toy"
    add(base, 1)
    _, client = serve(model_name="toy", model_base_path=str(base))
    request = model_management_pb2.ReloadConfigRequest()
    entry = request.config.model_config_list.config.add(name="toy", base_path=str(base), model_platform="tensorflow")
    entry.version_labels["stable"] = 1
    assert client.models.HandleReloadConfigRequest(request).status.error_code == 0
    entry.version_labels["stable"] = 2
    with pytest.raises(grpc.RpcError) as caught:
        client.models.HandleReloadConfigRequest(request)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION
    assert labelled(client) == "1"
    status = get_model_status_pb2.GetModelStatusRequest()
    status.model_spec.name, status.model_spec.version_label = "toy", "no_such_label"
    assert [one.version for one in client.models.GetModelStatus(status).model_version_status] == [1]


def test_overload_is_answered_by_unavailable_and_then_service_goes_on(serve, versions, tmp_path, answer, rows):
    """Places for 2, and a batch that waits half a second for companions: of 12 at once, 2 are answered and 10 refused at once."""
    shutil.copytree(versions[1], tmp_path / "toy" / "1")
    slow = tmp_path / "batching.config"
    slow.write_text("max_batch_size { value: 16 } batch_timeout_micros { value: 500000 }")
    (tmp_path / "toy" / "1" / warmup.FILE).unlink()
    _, client = serve(
        model_name="toy", model_base_path=str(tmp_path / "toy"), enable_batching=True, batching_parameters_file=str(slow), max_concurrent_requests=2
    )
    body = {"signature_name": "sample_png", "inputs": {key: value.tolist() for key, value in rows(3).items()}}

    def over_grpc():
        try:
            return image(client, rows(3))
        except grpc.RpcError as error:
            return error.code()

    def at_once(call):
        with concurrent.futures.ThreadPoolExecutor(12) as callers:
            return [one.result() for one in [callers.submit(call) for _ in range(12)]]

    expected = answer("sample_png", rows(3))["image_bytes"].tolist()
    answers = at_once(over_grpc)
    assert 2 <= answers.count(expected) < 12
    assert answers.count(expected) + answers.count(grpc.StatusCode.UNAVAILABLE) == 12
    responses = at_once(lambda: client.post("/v1/models/toy:predict", body))
    assert {response.status_code for response in responses} == {200, 503}
    assert "try again later" in next(response for response in responses if response.status_code == 503).json()["error"]
    assert client.get("/v1/models/toy").status_code == 200
    assert image(client, rows(3)) == expected


def test_a_full_batching_queue_is_unavailable(serve, versions, tmp_path, rows):
    """One thread, batches of one, one may wait: most of 16 callers are refused by the kernel itself."""
    shutil.copytree(versions[1], tmp_path / "toy" / "1")
    (tmp_path / "toy" / "1" / warmup.FILE).unlink()
    narrow = tmp_path / "batching.config"
    narrow.write_text(
        "max_batch_size { value: 4 } allowed_batch_sizes: 4 num_batch_threads { value: 1 } max_enqueued_batches { value: 1 } "
        "batch_timeout_micros { value: 200000 }"
    )
    _, client = serve(model_name="toy", model_base_path=str(tmp_path / "toy"), enable_batching=True, batching_parameters_file=str(narrow))

    def ask(seed):
        try:
            client.predict("sample_png", rows(seed, seed + 1, seed + 2))
        except grpc.RpcError as error:
            return error.code(), error.details()

    with concurrent.futures.ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(ask, range(16)))
    refused = {answer for answer in answers if answer is not None}
    assert {code for code, _ in refused} == {grpc.StatusCode.UNAVAILABLE}
    assert all("queue" in details and "full" in details for _, details in refused), refused


@pytest.mark.parametrize(
    "files, message",
    [
        ({"model_config_file": "nowhere.config"}, "nowhere.config cannot be read"),
        ({"model_base_path": "nowhere"}, "The server cannot start: .*nowhere cannot be read"),
        ({"model_base_path": "nowhere", "enable_batching": True, "batching_parameters_file": "gone"}, "gone cannot be read"),
    ],
)
def test_a_server_that_cannot_start_says_why(files, message):
    with pytest.raises(ValueError, match=message):
        running.Server(running.Config(port=0, rest_api_port=0, **files)).start()


def test_the_end_does_not_wait_for_a_version_that_is_being_loaded(tmp_path, monkeypatch):
    loading, ended, begun = threading.Event(), threading.Event(), []

    def load(server, directory):
        begun.append(directory[-1])
        if directory.endswith("/3"):
            loading.set()
            ended.wait(120)
        return types.SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(running.Server, "_load", load)
    monkeypatch.setattr(running, "_JOIN_SECONDS", 0.2)
    (tmp_path / "toy" / "1").mkdir(parents=True)
    entry = f'name: "toy" base_path: "{tmp_path}/toy" model_platform: "tensorflow" model_version_policy {{ all {{ }} }}'
    (tmp_path / "models.config").write_text(f"model_config_list {{ config {{ {entry} }} }}")
    config = running.Config(port=0, rest_api_port=0, model_config_file=f"{tmp_path}/models.config", file_system_poll_wait_seconds=0.05)
    server = running.Server(config).start()
    for number in (2, 3):
        (tmp_path / f".{number}").mkdir()
        (tmp_path / f".{number}").rename(tmp_path / "toy" / str(number))
    try:
        assert loading.wait(60)
        begin = time.monotonic()
        server.stop(1)
        assert time.monotonic() - begin < 30
    finally:
        ended.set()
    until(lambda: not any(watcher.is_alive() for watcher in server._watchers), 60)
    assert begun[-1] == "3"  # the folder has the version 2 as well, or had it before


@pytest.mark.parametrize("which", ["port", "rest_api_port"])
def test_a_taken_port_is_an_error(versions, add, tmp_path, which):
    add(tmp_path / "toy", 1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {"port": 0, "rest_api_port": 0} | {which: taken.getsockname()[1]}
        with pytest.raises(OSError):
            running.Server(running.Config(model_base_path=str(tmp_path / "toy"), **ports)).start()


def test_the_command_serves_until_term_and_answers_what_is_under_way(add, tmp_path, rows):
    """The whole command in a process of its own: flags, ports, a request in flight at TERM, exit code 0."""
    add(tmp_path / "toy", 1)
    slow = tmp_path / "batching.config"
    slow.write_text("max_batch_size { value: 16 } batch_timeout_micros { value: 1000000 }")
    (tmp_path / "toy" / "1" / warmup.FILE).unlink()
    command = [sys.executable, "-m", "export.server.main", "--port=0", "--rest_api_port=0", "--model_name=toy", f"--model_base_path={tmp_path}/toy"]
    command += ["--enable_batching=true", f"--batching_parameters_file={slow}"]
    log = tmp_path / "log"
    with log.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=file, text=True)
    try:
        port = re.search(r":(\d+)", process.stdout.readline()).group(1)
        rest = re.search(r":(\d+)/", process.stdout.readline()).group(1)
        body = {"signature_name": "sample_png", "inputs": {key: value.tolist() for key, value in rows(3).items()}}
        url = f"http://127.0.0.1:{rest}/v1/models/toy"
        assert requests.get(url, timeout=60).status_code == 200
        with concurrent.futures.ThreadPoolExecutor(1) as caller:
            answered = caller.submit(requests.post, f"{url}:predict", json=body, timeout=60)
            time.sleep(0.4)
            process.send_signal(signal.SIGTERM)
            assert answered.result().status_code == 200
        assert process.wait(timeout=60) == 0
        assert "Serving" in log.read_text(encoding="utf-8") and "deprecated" not in log.read_text(encoding="utf-8")
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", int(port)), timeout=5)
    finally:
        process.kill()
        process.wait()
