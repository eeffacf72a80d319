"""examples/saved_model_app, run as its README says, where nothing of this project can be imported."""

import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export import saved_model, signatures
from tfgan_suite.core import endpoint

APP = pathlib.Path(__file__).parents[3] / "examples" / "saved_model_app"


def run(script, *arguments):
    """(exit code, output, errors)."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-I", str(APP / script), *arguments]
    ended = subprocess.run(command, env=environment, cwd=APP, capture_output=True, text=True, timeout=600)
    return ended.returncode, ended.stdout, ended.stderr


def test_the_saved_model_script_writes_the_png_that_the_signature_gives(published, tmp_path):
    path = str(tmp_path / "sample.png")
    code, output, errors = run(
        "load_saved_model.py", f"--version={published.directory}", "--seed=11", "--truncation=0.7", "--condition=label=4", f"--output={path}"
    )
    assert code == 0, errors
    assert output.strip() == path
    sample = tf.saved_model.load(published.directory).signatures["sample"]
    images = sample(seed=tf.constant([11], tf.int64), truncation=tf.constant([0.7]), label=tf.constant([4], tf.int64))["images"]
    levels = np.clip(np.floor((images[0] + 1.0) * 127.5 + 0.5), 0, 255)
    np.testing.assert_allclose(np.asarray(Image.open(path)), levels, atol=1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "error: this model takes label, seed, truncation; received seed, truncation."),
        (["--condition=label=7"], "error: the model refuses this request: .*no such class"),
        (["--condition=label"], "invalid condition value: 'label'"),
    ],
)
@pytest.mark.slow
def test_a_mistake_is_a_message(published, tmp_path, arguments, message):
    code, _, errors = run("load_saved_model.py", f"--version={published.directory}", f"--output={tmp_path}/sample.png", *arguments)
    assert code != 0 and "Traceback" not in errors
    lines = " ".join(errors.splitlines())
    assert all(part in lines for part in message.split(".*")), errors
    assert os.listdir(tmp_path) == []


def test_the_layer_script_writes_the_generators_images_four_times_as_large(toy, tmp_path):
    model = toy.generator()
    one_input = endpoint.Endpoint(
        name="generate_default",
        function=lambda latents: {"images": model({"latents": latents, "label": tf.zeros(tf.shape(latents)[:1], tf.int32)}, training=False)["image"]},
        networks=(model,),
        inputs={"latents": tf.TensorSpec([None, toy.latent_size], tf.float32)},
        examples=lambda b: {"latents": np.ones([b, toy.latent_size])},
    )
    saved_model.save(signatures.build([one_input]), str(tmp_path / "1"))
    code, _, errors = run("tfsm_layer.py", f"--version={tmp_path}/1", "--images=3", "--seed=5", f"--output={tmp_path}/row.png")
    assert code == 0, errors
    latents = tf.random.stateless_normal([3, toy.latent_size], [5, 0])
    images = model({"latents": latents, "label": tf.zeros([3], tf.int32)}, training=False)["image"].numpy()
    levels = np.clip(np.floor((images + 1.0) * 127.5 + 0.5), 0, 255)
    expected = np.concatenate(list(levels.repeat(4, axis=1).repeat(4, axis=2)), axis=1)
    np.testing.assert_allclose(np.asarray(Image.open(tmp_path / "row.png")), expected, atol=1)


def test_the_readme_names_every_script_and_only_flags_that_it_has():
    page = (APP / "README.md").read_text(encoding="utf-8")
    for script in APP.glob("*.py"):
        (line,) = [line for line in page.splitlines() if line.startswith(".venv/bin/python") and script.name in line]
        source = script.read_text(encoding="utf-8")
        assert all(f'"{word.partition("=")[0]}"' in source for word in line.split() if word.startswith("--")), script.name
