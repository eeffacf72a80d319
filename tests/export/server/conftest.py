"""Two versions of the toy model as an export lays them out, not verified again, and one server of the first that no test changes."""

import os
import shutil
import types

import grpc
import numpy as np
import pytest
import requests
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, predict_pb2, prediction_service_pb2_grpc

from export import saved_model, serving_config, signatures, warmup
from export.server import running
from tfgan_suite.core import endpoint
from tfgan_suite.ops import random

BATCH_SIZES = (1, 4, 16)


def interpolate(model, toy):
    """Between the latents of two seeds, one position per row."""

    def function(seed, other_seed, position, label):
        first, second = (random.row_truncated_normal(rows, toy.latent_size, tf.ones_like(position)) for rows in (seed, other_seed))
        latents = first + position[:, None] * (second - first)
        return {"images": model({"latents": latents, "label": tf.cast(label, tf.int32)}, training=False)["image"]}

    return endpoint.Endpoint(
        name="interpolate",
        function=function,
        networks=(model,),
        inputs={key: tf.TensorSpec([None], tf.int64) for key in ("seed", "other_seed", "label")} | {"position": tf.TensorSpec([None], tf.float32)},
        encodings=("png",),
        examples=lambda b: {
            "seed": np.arange(b),
            "other_seed": np.arange(b) + 1,
            "label": np.arange(b) % 2,
            "position": np.full(b, 0.5, np.float32),
        },
    )


@pytest.fixture(scope="session")
def versions(toy, tmp_path_factory):
    """{number: directory} of two versions whose images differ. Copy them; they belong to all tests."""
    root, made = tmp_path_factory.mktemp("versions"), {}
    model = toy.generator()
    for number in (1, 2):
        directory = made[number] = str(root / str(number))
        built = signatures.build((*toy.endpoints(model), interpolate(model, toy)))
        saved_model.save(built, directory)
        os.makedirs(os.path.join(directory, "assets.extra"), exist_ok=True)
        warmup.write(directory, "toy", built[:2], BATCH_SIZES[:2])
        with open(os.path.join(directory, serving_config.VERSION_BATCHING), "w") as file:
            file.write(serving_config.batching(BATCH_SIZES))
        for variable in model.weights:
            variable.assign(-variable if "kernel" in variable.path else variable)
    return made


@pytest.fixture
def add(versions):
    """Copies a version into a model's folder under a number, as a publication does: whole, by a rename."""

    def add(base, number, source=1):
        os.makedirs(base, exist_ok=True)
        staging = os.path.join(base, f".staging-{number}")
        shutil.copytree(versions[source], staging)
        os.rename(staging, os.path.join(base, str(number)))

    return add


def client(server):
    """What a test asks a server with: `.get(path)`, `.post(path, json)`, `.predict(name, inputs, ...)`, `.models` (the ModelService)."""
    channel = grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}", options=[("grpc.max_receive_message_length", -1)])
    predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
    url = f"http://127.0.0.1:{server.rest_port}"

    def request(signature, inputs, model="toy", version=None, label="", outputs=()):
        request = predict_pb2.PredictRequest(output_filter=outputs)
        request.model_spec.name, request.model_spec.signature_name = model, signature
        if version is not None:
            request.model_spec.version.value = version
        if label:
            request.model_spec.version_label = label
        for key, value in inputs.items():
            request.inputs[key].CopyFrom(tf.make_tensor_proto(value))
        return request

    def predict(*arguments, timeout=60, **options):
        response = predictions.Predict(request(*arguments, **options), timeout=timeout)
        return {key: tf.make_ndarray(value) for key, value in response.outputs.items()}

    return types.SimpleNamespace(
        get=lambda path: requests.get(url + path, timeout=60),
        post=lambda path, json=None, **options: requests.post(url + path, json=json, timeout=60, **options),
        request=request,
        predict=predict,
        predictions=predictions,
        models=model_service_pb2_grpc.ModelServiceStub(channel),
    )


@pytest.fixture
def serve():
    """Starts servers of a test's own: `serve(**config)` -> (server, client); stopped at the end."""
    started = []

    def serve(**config):
        server = running.Server(running.Config(port=0, rest_api_port=0, file_system_poll_wait_seconds=0.05, **config)).start()
        started.append(server)
        return server, client(server)

    yield serve
    for server in started:
        server.stop(1)


@pytest.fixture(scope="session")
def batching_file(tmp_path_factory):
    """Batches of up to 16, after at most 5 ms."""
    path = tmp_path_factory.mktemp("batching") / "batching.config"
    path.write_text(serving_config.batching(BATCH_SIZES).replace("2000", "5000"))
    return str(path)


@pytest.fixture(scope="session")
def toy_server(versions, batching_file, tmp_path_factory):
    """`.client`, `.rest_port` and `.grpc_port` of a server of version 1 with batching and metrics, for tests that change nothing."""
    root = tmp_path_factory.mktemp("toy_server")
    shutil.copytree(versions[1], root / "toy" / "1")
    monitoring = root / "monitoring.config"
    monitoring.write_text(serving_config.monitoring())
    config = running.Config(
        port=0,
        rest_api_port=0,
        model_name="toy",
        model_base_path=str(root / "toy"),
        enable_batching=True,
        batching_parameters_file=batching_file,
        monitoring_config_file=str(monitoring),
        max_request_bytes=2**20,
        max_request_rows=64,
    )
    with running.Server(config) as server:
        yield types.SimpleNamespace(client=client(server), rest_port=server.rest_port, grpc_port=server.grpc_port, config=config)


@pytest.fixture(scope="session")
def answer(versions):
    """(version, signature, inputs) -> outputs, by `tf.saved_model.load`: what every answer of a server is compared with."""
    loaded = {number: tf.saved_model.load(directory).signatures for number, directory in versions.items()}

    def answer(signature, inputs, version=1):
        outputs = loaded[version][signature](**{key: tf.constant(value) for key, value in inputs.items()})
        return {key: value.numpy() for key, value in outputs.items()}

    return answer


def rows(*seeds, label=None):
    """Inputs of `sample`, a row per seed."""
    seeds = np.array(seeds, np.int64)
    return {"seed": seeds, "truncation": np.full(len(seeds), 1.5, np.float32), "label": seeds % 5 if label is None else np.full(len(seeds), label)}


@pytest.fixture(name="rows", scope="session")
def rows_fixture():
    """`rows(seed, ..., label=None)`: inputs of `sample`, a row per seed."""
    return rows
