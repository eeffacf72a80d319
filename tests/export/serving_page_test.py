"""docs/serving.md: its commands, configurations and client code are tried."""

import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from export import readme, serving_config

PAGE = (pathlib.Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
MAKEFILE = pathlib.Path(__file__).parents[2] / "Makefile"
PARSERS = {
    "batching": serving_config.parse_batching,
    "models": serving_config.parse_models,
    "ssl": serving_config.parse_tls,
}


def blocks(language):
    return re.findall(f"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_docker_command_is_the_one_that_exports_write():
    (command,) = [block for block in blocks("") if block.startswith("docker run")]
    assert command.strip() == readme.docker_command("OUTPUT", "/models").replace(
        shlex.quote(f"{pathlib.Path('OUTPUT').absolute()}:/models:ro"), '"$PWD/runs/demo/export:/models:ro"'
    )


def test_the_smoke_test_asks_for_the_models_and_for_nothing_else_in_the_folder(tmp_path):
    """With a docker and a curl of the test's own: the second writes down what it is asked for."""
    for folder in ("export/toy/1", "export/other/007", "export/deploy/kubernetes", "export/empty/notes"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "export" / "models.config").write_text("")
    for name, does in (("docker", "echo container"), ("curl", f'echo "$2" >> {tmp_path}/asked; echo \'"AVAILABLE"\'')):
        (tmp_path / name).write_text(f"#!/bin/sh\n{does}\n")
        (tmp_path / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    command = ["make", "--no-print-directory", "-f", str(MAKEFILE), "serve-smoke", f"DEMO_DIR={tmp_path}"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    asked = [line.rpartition("/")[2] for line in (tmp_path / "asked").read_text().splitlines()]
    assert sorted(asked) == ["other", "toy"]


def test_every_configuration_shown_is_one_that_a_server_takes():
    shown = blocks("textproto")
    assert [re.match(r"# (batching|models|ssl)", text).group(1) for text in shown] == ["batching", "models", "ssl"]
    for text in shown:
        PARSERS[re.match("# ([a-z]+)", text).group(1)](text)


def test_the_model_list_shown_is_the_one_of_a_first_export():
    (shown,) = [text for text in blocks("textproto") if text.startswith("# models")]
    assert serving_config.parse_models(shown) == serving_config.parse_models(serving_config.models("", "sngan", "/models", [1]))


def test_the_rest_requests_are_rows_of_the_signature(published):
    bodies = [json.loads(body) for body in re.findall(r"-d '(\{.*?\})' ", PAGE)]
    assert len(bodies) == 2
    signature = tf.saved_model.load(published.directory).signatures
    for body in bodies:
        specs = signature[body["signature_name"]].structured_input_signature[1]
        (row,) = body["instances"]
        assert set(row) == set(specs)


class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict on a session, with TF Serving's wire format."""

    def __init__(self, directory):
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        with self._session.graph.as_default():
            self._signatures = tf.compat.v1.saved_model.load(self._session, ["serve"], directory).signature_def

    def Predict(self, request, context):
        signature = self._signatures[request.model_spec.signature_name]
        fed = {info.name: tf.make_ndarray(request.inputs[key]) for key, info in signature.inputs.items()}
        response = predict_pb2.PredictResponse()
        for key in request.output_filter or signature.outputs:
            response.outputs[key].CopyFrom(tf.make_tensor_proto(self._session.run(signature.outputs[key].name, fed)))
        return response


@pytest.fixture
def port(published):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(published.directory), server)
    number = server.add_insecure_port("localhost:0")
    server.start()
    yield number
    server.stop(None)


def test_the_grpc_client_shown_gets_its_images(published, port):
    (client,) = [block for block in blocks("python") if "grpc" in block]
    names = {}
    exec(client.replace("localhost:8500", f"localhost:{port}"), names)
    request = {"seed": tf.constant([7, 8], tf.int64), "truncation": tf.ones([2]), "label": tf.constant([3, 4], tf.int64)}
    expected = tf.saved_model.load(published.directory).signatures["sample"](**request)["images"]
    np.testing.assert_allclose(names["images"], expected, atol=1e-5)
    assert set(names["response"].outputs) == {"images"}


def test_the_code_without_a_server_writes_a_png(published, tmp_path, monkeypatch):
    (code,) = [block for block in blocks("python") if "write_file" in block]
    monkeypatch.chdir(tmp_path)
    exec(code.replace("runs/demo/export/sngan/1", published.directory), {})
    assert (tmp_path / "sample.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_methods_shown_answer(published, toy):
    (code,) = [block for block in blocks("python") if "model.generate(" in block]
    names = {"tf": tf, "latents": tf.zeros([2, toy.latent_size]), "truncation": tf.ones([2]), "label": tf.constant([3, 4], tf.int64)}
    exec(code.replace("runs/demo/export/sngan/1", published.directory), names)
    expected = published.model({"latents": names["latents"], "label": tf.constant([3, 4])}, training=False)["image"]
    np.testing.assert_allclose(names["images"], expected, atol=1e-5)
