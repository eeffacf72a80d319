import json
import os
import re
import shlex

import numpy as np
import tensorflow as tf

from export import readme


def test_the_docker_command_names_the_servers_files_as_the_container_sees_them():
    words = shlex.split(readme.docker_command("/data/my models", "/models").replace("\\\n", " "))
    assert words[:2] == ["docker", "run"]
    assert words[words.index("-v") + 1] == "/data/my models:/models:ro"
    ports = [words[i + 1] for i, word in enumerate(words) if word == "-p"]
    assert ports == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]  # the server has no authentication
    assert "--rest_api_timeout_in_ms=30000" in words
    image = words.index("tensorflow/serving:2.20.0")
    assert "--model_config_file=/models/models.config" in words[image:]
    assert "--batching_parameters_file=/models/batching.config" in words[image:]
    assert "--monitoring_config_file=/models/monitoring.config" in words[image:]
    assert {"--enable_batching=true", "--enable_per_model_batching_parameters=true"} <= set(words[image:])


def test_the_example_requests_are_rows_that_the_model_takes(published):
    with open(os.path.join(published.output, "README.txt")) as file:
        text = file.read()
    bodies = {}
    for line in re.findall("^curl -d .*", text, re.MULTILINE):
        _, _, body, url = shlex.split(line)
        assert url == "http://localhost:8501/v1/models/toy:predict"
        request = json.loads(body)
        bodies[request["signature_name"]] = request["instances"]
    loaded = tf.saved_model.load(published.directory)
    assert set(bodies) == set(loaded.signatures)
    for name, rows in bodies.items():
        specs = loaded.signatures[name].structured_input_signature[1]
        inputs = {key: tf.constant([row[key] for row in rows], specs[key].dtype) for key in specs}
        for value in loaded.signatures[name](**inputs).values():
            assert np.shape(value)[0] == len(rows)
