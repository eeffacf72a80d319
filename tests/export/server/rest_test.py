"""The REST API against TF Serving's documentation of it, over real sockets."""

import base64
import json
import socket

import numpy as np
import pytest
import requests

ROW = {"seed": 7, "truncation": 1.5, "label": 2}


def post(server, body, path="/v1/models/toy:predict"):
    return server.client.post(path, data=body if isinstance(body, bytes | str) else json.dumps(body))


def columns(rows):
    return {key: value.tolist() for key, value in rows.items()}


def by_row(rows):
    return [dict(zip(rows, values, strict=True)) for values in zip(*columns(rows).values(), strict=True)]


def test_rows_give_a_list_of_objects_under_predictions(toy_server, answer, rows):
    response = post(toy_server, {"signature_name": "sample", "instances": by_row(rows(7, 8))})
    assert response.headers["Content-Type"] == "application/json"
    expected = answer("sample", rows(7, 8))
    predictions = response.json()["predictions"]
    assert [set(row) for row in predictions] == [{"images", "latents"}] * 2
    for key, value in expected.items():
        np.testing.assert_allclose([row[key] for row in predictions], value, atol=1e-5)


def test_columns_give_an_object_under_outputs(toy_server, answer, rows):
    response = post(toy_server, {"signature_name": "sample", "inputs": columns(rows(7, 8))})
    expected = answer("sample", rows(7, 8))
    outputs = response.json()["outputs"]
    assert set(outputs) == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(outputs[key], value, atol=1e-5)


def test_a_single_output_loses_its_name_and_bytes_come_in_base64(toy_server, answer, rows):
    expected = [{"b64": base64.b64encode(image).decode()} for image in answer("sample_png", rows(7, 8))["image_bytes"]]
    assert post(toy_server, {"signature_name": "sample_png", "instances": by_row(rows(7, 8))}).json() == {"predictions": expected}
    assert post(toy_server, {"signature_name": "sample_png", "inputs": columns(rows(7, 8))}).json() == {"outputs": expected}


def test_a_version_and_no_version_are_the_same_model(toy_server):
    body = {"signature_name": "sample_png", "instances": [ROW]}
    assert post(toy_server, body, "/v1/models/toy/versions/1:predict").json() == post(toy_server, body).json()


def test_the_status_is_the_documented_json(toy_server):
    expected = {"model_version_status": [{"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}]}
    assert toy_server.client.get("/v1/models/toy").json() == expected
    assert toy_server.client.get("/v1/models/toy/versions/1").json() == expected


def test_the_metadata_is_the_documented_json(toy_server):
    metadata = toy_server.client.get("/v1/models/toy/metadata").json()
    assert metadata["model_spec"] == {"name": "toy", "signature_name": "", "version": "1"}
    signature = metadata["metadata"]["signature_def"]["signature_def"]["sample"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["seed"]["dtype"] == "DT_INT64"
    assert signature["inputs"]["seed"]["tensor_shape"] == {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False}
    assert toy_server.client.get("/v1/models/toy/versions/1/metadata").json() == metadata


def nested(depth):
    return b'{"instances": ' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    "body, status, text",
    [
        (b"", 400, "JSON Parse error: The document is empty"),
        (b'{"instances": [', 400, "JSON Parse error"),
        (b"\xff\xfe\x00", 400, "JSON Parse error"),
        (b"[1, 2]", 400, "Is not object"),
        (nested(100_000), 400, "nested too deeply"),
        (nested(900), 400, "plain list"),
        (b'{"inputs": {"seed": [' + b"9" * 5000 + b"]}}", 400, "JSON Parse error"),
        ({"signature_name": 3, "instances": [ROW]}, 400, "'signature_name' key must be a string value"),
        ({"signature_name": "paint", "instances": [ROW]}, 400, 'Serving signature name: "paint" not found in signature def'),
        ({"instances": [ROW], "inputs": ROW}, 400, "only one of 'inputs' or 'instances'"),
        ({}, 400, "Missing 'inputs' or 'instances' key"),
        ({"instances": []}, 400, "No values in 'instances' array"),
        ({"instances": [7]}, 400, "instances is a plain list"),
        ({"instances": [ROW, 7]}, 400, "Expecting object but got list at item 1 of input list"),
        ({"instances": [ROW | {"extra": 1}]}, 400, "does not have named input: extra"),
        ({"instances": [{"seed": 1}]}, 400, "keys must be equal to: label,seed,truncation"),
        ({"instances": [ROW | {"seed": 3.0}]}, 400, "JSON Value: 3.0 Type: Number is not of expected type: int64"),
        ({"instances": [ROW | {"seed": True}]}, 400, "is not of expected type: int64"),
        ({"instances": [ROW | {"seed": "3"}]}, 400, 'JSON Value: "3" Type: String is not of expected type: int64'),
        ({"instances": [ROW | {"seed": None}]}, 400, "Type: Null is not of expected type: int64"),
        ({"instances": [ROW | {"seed": 2**63}]}, 400, "is not of expected type: int64"),
        ({"instances": [ROW | {"seed": {"b64": "AAAA"}}]}, 400, "Type: Object is not of expected type: int64"),
        ({"instances": [ROW | {"truncation": 1e39}]}, 400, "without loss of precision"),
        ({"instances": [ROW | {"truncation": [1.0]}, ROW | {"truncation": [1.0, 2.0]}]}, 400, "Expecting tensor size: 1 but got: 2"),
        ({"instances": [ROW | {"label": 99}]}, 400, "assertion failed: [no such class] [99]"),
        ({"instances": [ROW | {"label": 2**62}]}, 400, "no such class"),
        ({"instances": [ROW] * 17}, 400, "Task size 17 is larger than maximum input batch size 16"),
        ({"inputs": {"seed": [1]}}, 400, "Missing named input: label in 'inputs' object."),
        ({"inputs": [1]}, 400, "inputs is a plain value/list"),
        ({"inputs": {"seed": [1, 2], "label": [0], "truncation": [1.0]}}, 400, "equal 0th-dimension size"),
        ({"inputs": {"seed": [[1], [2, 3]], "label": [0], "truncation": [1.0]}}, 400, "Encountered list at unexpected size: 2"),
        ({"inputs": {"seed": [1, [2]], "label": [0], "truncation": [1.0]}}, 400, "Encountered list at unexpected level: 1"),
        ({"inputs": {"seed": 1, "label": [0], "truncation": [1.0]}}, 400, "must have the shape"),
        ({"inputs": {"seed": [], "label": [], "truncation": []}}, 400, "The request has no rows."),
    ],
)
def test_hostile_bodies_get_a_clear_error_and_the_next_request_its_answer(toy_server, body, status, text):
    if isinstance(body, dict):
        body = {"signature_name": "sample_png"} | body
    response = post(toy_server, body)
    assert response.status_code == status
    assert list(response.json()) == ["error"] and text in response.json()["error"]
    assert len(response.content) < 1000
    assert post(toy_server, {"signature_name": "sample_png", "instances": [ROW]}).status_code == 200


@pytest.mark.parametrize("word", ['{"b64": "%%%"}', '{"b64": "AAA"}', '{"b64": 3}', '{"b64": "AA==", "x": 1}', '"\\ud800"', "3"])
def test_malformed_base64_and_text_are_refused(published, serve, word):
    """The published version has a signature on strings."""
    server, client = serve(model_name="toy", model_base_path=f"{published.output}/toy")
    response = client.post("/v1/models/toy:predict", data=f'{{"signature_name": "read", "instances": [["red", {word}]]}}')
    assert response.status_code == 400 and "error" in response.json()
    words = ["red", {"b64": base64.b64encode(b"blue").decode()}]
    answered = client.post("/v1/models/toy:predict", json={"signature_name": "read", "instances": [words]}).json()
    assert answered["predictions"][0]["tokens"] == [0, 2]  # line number of "red", and the bucket of unknown words
    assert answered["predictions"][0]["word_bytes"] == [{"b64": base64.b64encode(word).decode()} for word in (b"red", b"blue")]


def test_nan_latents_are_taken_as_documented_and_stay_in_their_row(toy_server, answer):
    both = "[[NaN, Infinity, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1.5]]"
    body = f'{{"inputs": {{"latents": {both}, "truncation": [1.0, 1.0], "label": [0, 1]}}}}'
    response = post(toy_server, body)
    assert response.status_code == 200 and "NaN" in response.text
    latents = np.array([[1] * 7 + [1.5]], np.float32)
    expected = answer("serving_default", {"latents": latents, "truncation": np.ones(1, np.float32), "label": np.array([1])})
    np.testing.assert_allclose(response.json()["outputs"][1], expected["images"][0], atol=1e-5)


@pytest.mark.parametrize(
    "method, path, status, text",
    [
        ("POST", "/v1/models/other:predict", 404, "Servable not found for request: Latest(other)"),
        ("POST", "/v1/models/toy/versions/7:predict", 404, "Servable not found for request: Specific(toy, 7)"),
        ("POST", f"/v1/models/toy/versions/{10**30}:predict", 400, "Failed to convert version"),
        ("POST", "/v1/models/toy/versions/x:predict", 400, "Malformed request"),
        ("POST", "/v1/models/toy/labels/nope:predict", 400, "Unrecognized servable version label: nope"),
        ("POST", "/v1/models/toy", 400, "Malformed request: POST /v1/models/toy"),
        ("POST", "/v1/models/toy:paint", 400, "Malformed request"),
        ("POST", "/v1/models/toy:classify", 501, "classify"),
        ("GET", "/v1/models/toy:predict", 400, "Malformed request"),
        ("DELETE", "/v1/models/toy", 400, "Malformed request"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", "/v1/models/other", 404, "Could not find any versions of model other"),
        ("GET", "/v1/models/toy/versions/7", 404, "Could not find version 7 of model toy"),
        ("GET", "/v1/models/other/metadata", 404, "Servable not found"),
        ("GET", "/v1/models/../../../../etc/passwd", 400, ""),
        ("GET", "/v1/models/..%2F..%2Fetc%2Fpasswd", 400, ""),
        ("POST", "/v1/models/..%2Ftoy:predict", 400, ""),
        ("POST", "/v1/models/%2e%2e:predict", 404, "Servable not found for request: Latest(..)"),
        ("GET", "/v1/models/toy%00", 404, ""),
        ("GET", "//etc/passwd", 404, ""),
        ("GET", "/page.html", 404, ""),
        ("GET", "/" + "a" * 5000, 404, ""),
    ],
)
def test_paths_are_matched_and_never_followed(toy_server, method, path, status, text):
    """Sent as they are: a client library would tidy them up."""
    request = f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    head, body = raw(toy_server, request.encode())
    assert int(head.split()[1]) == status
    assert text in json.loads(body)["error"] and "root:" not in body


def raw(server, sent):
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=60) as connection:
        connection.sendall(sent)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.decode().partition("\r\n\r\n")
    return head, body


def test_a_body_over_the_limit_is_refused_before_it_is_sent(toy_server):
    head, body = raw(toy_server, b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n")
    assert head.startswith("HTTP/1.1 413 ") and "application/json" in head
    assert "exceeds" in json.loads(body)["error"]


def test_a_body_in_chunks_over_the_limit_is_refused_too(toy_server):
    chunk = b"10000\r\n" + b" " * 2**16 + b"\r\n"
    with socket.create_connection(("127.0.0.1", toy_server.rest_port), timeout=60) as connection:
        connection.sendall(b"POST /v1/models/toy:predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        try:
            for _ in range(40):
                connection.sendall(chunk)
        except OSError:
            pass  # it hangs up on us
        assert b" 413 " in connection.recv(100)


def test_a_request_that_is_no_http_gets_a_json_error(toy_server):
    head, body = raw(toy_server, b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n")
    assert head.startswith("HTTP/1.1 400 ") and list(json.loads(body)) == ["error"]


def test_a_body_that_ends_early_leaves_the_server_answering(toy_server):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", toy_server.rest_port)) as connection:
            connection.sendall(b'POST /v1/models/toy:predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"instances": ')
    assert toy_server.client.get("/v1/models/toy").status_code == 200


def test_metrics_have_tf_servings_names(toy_server):
    post(toy_server, {"signature_name": "sample_png", "instances": [ROW]})
    post(toy_server, {"signature_name": "paint", "instances": [ROW]})
    post(toy_server, {"instances": [ROW]}, "/v1/models/made_up:predict")
    text = toy_server.client.get("/monitoring/prometheus/metrics").text
    for name in (
        ':tensorflow:serving:request_count{model_name="toy",status="OK"} ',
        ':tensorflow:serving:request_count{model_name="toy",status="INVALID_ARGUMENT"} ',
        ':tensorflow:serving:request_latency_bucket{API="Predict",entrypoint="REST",le="10.0",model_name="toy",status="OK"} ',
        ':tensorflow:serving:request_latency_count{API="Predict",entrypoint="REST",model_name="toy",status="OK"} ',
        ':tensorflow:serving:runtime_latency_sum{API="Predict",model_name="toy",runtime="TF1"} ',
        ':tensorflow:serving:batching_session:input_batch_size_bucket{le="1.0",model_name="toy"} ',
    ):
        assert f"\n{name}" in text
    assert "made_up" not in text


def test_without_a_monitoring_file_there_are_no_metrics(published, serve):
    server, client = serve(model_name="toy", model_base_path=f"{published.output}/toy")
    assert client.get("/monitoring/prometheus/metrics").status_code == 404


def test_the_page_is_served_with_a_policy_that_loads_nothing_from_elsewhere(toy_server):
    response = toy_server.client.get("/")
    assert response.headers["Content-Type"].startswith("text/html")
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert toy_server.client.get("/demo/models").json() == {"models": ["toy"]}


def test_connections_are_kept(toy_server):
    with requests.Session() as session:
        url = f"http://127.0.0.1:{toy_server.rest_port}/v1/models/toy"
        assert [session.get(url).status_code for _ in range(3)] == [200] * 3
        assert session.get(url).headers.get("Connection", "").lower() != "close"
