"""The README.txt beside published models: how to serve and to ask them."""

import json
import os
import shlex
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from export import serving_config, signatures

SERVER_IMAGE = "tensorflow/serving:2.20.0"
"""The newest published release of the server."""
REST_TIMEOUT_MS = 30_000
"""The server's own time for one request over REST."""
_CONNECTION_MS = 30_000
_POLL_SECONDS = 10
_LONGEST_REQUEST = 400
"""Characters; a longer example request says little."""


def server_flags(base_path: str, rest_timeout_ms: int = REST_TIMEOUT_MS) -> list[str]:
    """What the server is started with, beside its ports. `base_path`: the folder of the models as it sees it; `rest_timeout_ms`: for one request.

    A connection of gRPC ends after a while, and the calls on it when they are answered: so clients find servers that were added later.
    """
    return [
        f"--model_config_file={base_path}/{serving_config.MODELS}",
        f"--model_config_file_poll_wait_seconds={_POLL_SECONDS}",
        "--allow_version_labels_for_unavailable_models=true",
        "--enable_batching=true",
        f"--batching_parameters_file={base_path}/{serving_config.BATCHING}",
        "--enable_per_model_batching_parameters=true",
        f"--monitoring_config_file={base_path}/{serving_config.MONITORING}",
        f"--rest_api_timeout_in_ms={rest_timeout_ms}",
        f"--grpc_channel_arguments=grpc.max_connection_age_ms={_CONNECTION_MS},grpc.max_connection_age_grace_ms={rest_timeout_ms}",
    ]


def docker_command(output: str, base_path: str, rest_timeout_ms: int = REST_TIMEOUT_MS) -> str:
    """The command that serves every model in `output` over gRPC (8500) and REST (8501), to this machine alone: the server knows no passwords."""
    mount = shlex.quote(f"{os.path.abspath(output)}:{base_path}:ro")
    ports = "-p 127.0.0.1:8500:8500 -p 127.0.0.1:8501:8501"
    return " \\\n    ".join([f"docker run --rm {ports} -v {mount} {SERVER_IMAGE}", *server_flags(base_path, rest_timeout_ms)])


def text(
    output: str,
    base_path: str,
    model_name: str,
    batch_sizes: Sequence[int],
    built: Sequence[signatures.Signature],
    rest_timeout_ms: int = REST_TIMEOUT_MS,
) -> str:
    """The README for `output`, with requests for the model published last. `base_path`: `output` as the server sees it."""
    requests = "\n\n".join(_request(model_name, signature) for signature in built)
    return f"""Models for TensorFlow Serving, written by tfgan-export.

Serve every model of this directory
-----------------------------------
{docker_command(output, base_path, rest_timeout_ms)}

The ports are open on this machine alone: the server has no authentication, and lets whoever reaches gRPC reconfigure it.
{serving_config.MODELS} names the models, the versions to load and their labels; {serving_config.BATCHING} and {serving_config.MONITORING} are the
server's own settings. Edit them as you like: the next export keeps what you changed and adds its version.

Ask the model {model_name}
{"-" * (14 + len(model_name))}
A request holds 1 to {max(batch_sizes)} rows ("instances"); every row is answered from its own inputs alone.

{requests}

State of the model: curl http://localhost:8501/v1/models/{model_name}
Inputs and outputs: curl http://localhost:8501/v1/models/{model_name}/metadata
One version:        /v1/models/{model_name}/versions/<number>:predict
A label:            /v1/models/{model_name}/labels/stable:predict (a version on trial: labels/canary)
"""


def _request(model_name: str, signature: signatures.Signature) -> str:
    inputs = ", ".join(tensor(key, spec.shape, spec.dtype) for key, spec in signature.endpoint.inputs.items())
    outputs = ", ".join(tensor(key, spec.shape, spec.dtype) for key, spec in signature.concrete.structured_outputs.items())
    row = {key: json_value(value[0]) for key, value in signature.examples(1).items()}
    body = json.dumps({"signature_name": signature.name, "instances": [row]})
    lines = [f"{signature.name}: {inputs} -> {outputs}"]
    if len(body) <= _LONGEST_REQUEST:
        lines.append(f"curl -d {shlex.quote(body)} http://localhost:8501/v1/models/{model_name}:predict")
    return "\n".join(lines)


def tensor(key: str, shape: tf.TensorShape, dtype: tf.DType) -> str:
    """A tensor in words: "label int64 [b]"."""
    axes = ", ".join("b" if axis == 0 else "?" if size is None else str(size) for axis, size in enumerate(shape))
    return f"{key} {dtype.name} [{axes}]"


def json_value(value: Any) -> Any:
    """Example inputs as JSON has them: lists, numbers and text."""
    if isinstance(value, (np.ndarray, np.generic)):
        return json_value(value.tolist())
    if isinstance(value, list):
        return [json_value(item) for item in value]
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else value
