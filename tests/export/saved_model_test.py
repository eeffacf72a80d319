import dataclasses
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
import types

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
from PIL import Image

from export import saved_model, signatures, verify
from tfgan_suite.core import endpoint

TOLERANCE = 1e-5


def session_run(directory, name, inputs):
    """What a graph session, which is what a server runs, answers."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        loaded = tf.compat.v1.saved_model.load(session, ["serve"], directory).signature_def[name]
        return session.run({key: info.name for key, info in loaded.outputs.items()}, {info.name: inputs[key] for key, info in loaded.inputs.items()})


def latents_request(toy, b):
    draws = np.random.default_rng(b)
    return {
        "latents": draws.normal(size=[b, toy.latent_size]).astype(np.float32),
        "truncation": draws.uniform(0.3, 2.0, [b]).astype(np.float32),
        "label": draws.integers(0, toy.classes, [b]),
    }


def seeds_request(toy, b):
    request = latents_request(toy, b)
    return {"seed": np.arange(b) * 1000, "truncation": request["truncation"], "label": request["label"]}


def expected_images(published, request):
    bound = request["truncation"][:, None]
    inputs = {"latents": np.clip(request["latents"], -bound, bound), "label": request["label"].astype(np.int32)}
    return published.model(inputs, training=False)["image"].numpy()


@pytest.mark.parametrize("b", [1, 3, 9])
def test_a_session_gives_the_models_images_in_any_batch_size(toy, published, b):
    request = latents_request(toy, b)
    answer = session_run(published.directory, "serving_default", request)
    np.testing.assert_allclose(answer["images"], expected_images(published, request), atol=TOLERANCE)


def test_tf_saved_model_load_gives_the_models_images(toy, published):
    request = latents_request(toy, 5)
    loaded = tf.saved_model.load(published.directory)
    answer = loaded.signatures["serving_default"](**{key: tf.constant(value) for key, value in request.items()})
    np.testing.assert_allclose(answer["images"], expected_images(published, request), atol=TOLERANCE)


def test_a_sample_is_a_function_of_its_own_row(toy, published):
    request = seeds_request(toy, 4)
    together = session_run(published.directory, "sample", request)
    reversed_order = session_run(published.directory, "sample", {key: value[::-1] for key, value in request.items()})
    alone = session_run(published.directory, "sample", {key: value[2:3] for key, value in request.items()})
    for key, value in together.items():
        np.testing.assert_allclose(reversed_order[key][::-1], value, atol=TOLERANCE)
        np.testing.assert_allclose(alone[key][0], value[2], atol=TOLERANCE)
    assert np.abs(together["latents"][0] - together["latents"][1]).max() > 0.1


def test_the_png_holds_the_samples_rounded_to_grey_levels(toy, published):
    request = seeds_request(toy, 3)
    files = session_run(published.directory, "sample_png", request)["image_bytes"]
    images = session_run(published.directory, "sample", request)["images"]
    levels = np.clip(np.floor((images + 1.0) * 127.5 + 0.5), 0, 255)
    for file, expected in zip(files, levels, strict=True):
        picture = Image.open(io.BytesIO(file))
        assert (picture.format, picture.mode) == ("PNG", "RGB")
        assert np.mean(np.asarray(picture) != expected) <= 1e-3


def test_a_bad_row_is_refused_with_the_reason(toy, published):
    request = latents_request(toy, 2) | {"label": np.array([0, toy.classes])}
    with pytest.raises(tf.errors.InvalidArgumentError, match="no such class"):
        session_run(published.directory, "serving_default", request)


def test_a_vocabulary_file_travels_with_the_version(published):
    words = np.array([[b"square", b"red"], [b"blue", b"square"]], dtype=object)
    answer = session_run(published.directory, "read", {"words": words})
    np.testing.assert_array_equal(answer["tokens"], [[1, 0], [2, 1]])


@pytest.fixture(scope="module")
def reusable(tmp_path_factory):
    """`.model`, a GAN of the suite with labels, and `.directory`, its endpoints saved."""
    model, directory = tiny.build(), str(tmp_path_factory.mktemp("reusable"))
    saved_model.save(signatures.build(model.endpoints()), directory)
    latents = np.random.default_rng(0).normal(size=[4, model.config.latent_size]).astype(np.float32)
    return types.SimpleNamespace(model=model, directory=directory, latents=latents)


def test_a_keras_layer_of_one_input_gives_the_models_images_with_labels_of_its_own_choice(reusable):
    layer = keras.layers.TFSMLayer(reusable.directory, call_endpoint="generate_default")
    images = layer(reusable.latents)["images"]
    by_label = [reusable.model.sample(tf.constant(reusable.latents), {"label": tf.fill([4], label)}) for label in range(tiny.CLASSES)]
    np.testing.assert_allclose(np.abs(np.stack(by_label) - images).max(axis=(2, 3, 4)).min(0), 0.0, atol=TOLERANCE)
    inputs = keras.Input([reusable.model.config.latent_size])
    on_top = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(layer(inputs)["images"]))
    np.testing.assert_allclose(on_top.predict(reusable.latents, verbose=0), np.mean(images, axis=(1, 2)), atol=TOLERANCE)


def test_a_keras_layer_takes_truncation_and_label_by_name(reusable):
    layer = keras.layers.TFSMLayer(reusable.directory, call_endpoint="generate")
    truncation, label = np.array([0.3, 0.5, 1.0, 9.0], np.float32), np.array([0, 1, 2, 1])
    clipped = tf.clip_by_value(reusable.latents, -truncation[:, None], truncation[:, None])
    expected = reusable.model.sample(clipped, {"label": tf.constant(label, tf.int32)})
    np.testing.assert_allclose(layer(reusable.latents, truncation=truncation, label=label)["images"], expected, atol=TOLERANCE)
    inputs = [keras.Input([reusable.model.config.latent_size]), keras.Input([]), keras.Input([], dtype="int64")]
    on_top = keras.Model(inputs, keras.layers.Flatten()(layer(inputs[0], truncation=inputs[1], label=inputs[2])["images"]))
    answer = on_top([tf.constant(value) for value in (reusable.latents, truncation, label)])
    np.testing.assert_allclose(answer, np.reshape(expected, [4, -1]), atol=TOLERANCE)


def test_the_loaded_model_has_its_signatures_as_methods_which_refuse_what_has_no_answer(reusable):
    loaded = tf.saved_model.load(reusable.directory)
    seed, truncation, label = tf.constant([3], tf.int64), tf.ones([1]), tf.constant([2], tf.int64)
    images = loaded.sample(seed, truncation, label)["images"]
    np.testing.assert_array_equal(loaded.interpolate(seed, seed + 1, tf.zeros([1]), truncation, label)["images"], images)
    latents = loaded.sample(seed, truncation, label)["latents"]
    np.testing.assert_allclose(loaded.generate(latents, truncation, label)["images"], images, atol=TOLERANCE)
    with pytest.raises(tf.errors.InvalidArgumentError, match="truncation must be a number from 0"):
        loaded.sample(seed, tf.constant([np.nan]), label)
    with pytest.raises(tf.errors.InvalidArgumentError, match="label must be in"):
        loaded.sample_uint8(seed, truncation, label + 1)


def test_an_endpoint_named_as_a_part_of_a_saved_model_is_refused(toy, tmp_path):
    taken = dataclasses.replace(toy.endpoints(toy.generator())[0], name="weights")
    with pytest.raises(ValueError, match="'weights' is taken by TensorFlow"):
        saved_model.save(signatures.build([taken]), str(tmp_path))


def test_each_weight_is_stored_once_and_nothing_else(published):
    read = [variable for variable in published.model.weights if "seed" not in variable.path]
    data = os.path.join(published.directory, "variables", "variables.data-00000-of-00001")
    stored = tf.train.load_checkpoint(os.path.join(published.directory, "variables", "variables"))
    shapes = sorted(shape for name, shape in stored.get_variable_to_shape_map().items() if "CHECKPOINTABLE" not in name)
    assert shapes == sorted(list(variable.shape) for variable in read)
    assert os.path.getsize(data) <= 1.1 * sum(variable.value.numpy().nbytes for variable in read) + 4096


def test_a_version_says_what_it_was_made_from_and_how_it_was_checked(published):
    def read(name):
        with open(os.path.join(published.directory, "assets.extra", name)) as file:
            return json.load(file)

    assert read("metadata.json") == {"variant": "toy", "precision": {"weights": "float32"}}
    checks = read("verification.json")["largest_difference"]
    assert set(checks) == {"load", "session", "batching", "c_api"}
    for differences in checks.values():
        assert set(differences) == {"serving_default", "sample", "sample_png", "sample_jpeg", "sample_uint8", "read"}


@pytest.fixture
def unchecked(monkeypatch):
    """Leaves out the processes that verify, where a test is about something else."""
    monkeypatch.setattr(verify, "verify", lambda directory, scratch: {})


def test_the_next_version_is_added_and_the_first_stays(toy, tmp_path, unchecked):
    offered = toy.endpoints(toy.generator())
    first = saved_model.publish(offered, str(tmp_path), "toy", batch_sizes=(1,), metadata={})
    with open(os.path.join(first, "saved_model.pb"), "rb") as file:
        before = file.read()
    second = saved_model.publish(offered, str(tmp_path), "toy", batch_sizes=(1,), metadata={})
    assert [os.path.basename(path) for path in (first, second)] == ["1", "2"]
    with open(os.path.join(first, "saved_model.pb"), "rb") as file:
        assert file.read() == before
    files = ["README.txt", "batching.config", "deploy", "history.json", "models.config", "monitoring.config", "toy"]
    assert sorted(os.listdir(tmp_path)) == files


def test_a_version_that_mixes_rows_is_not_published(toy, tmp_path):
    """One seed for the whole batch: every signature is well formed, only running it in batches shows the fault."""
    model = toy.generator()

    def sample(seed, label):
        latents = tf.random.stateless_normal([tf.shape(seed)[0], toy.latent_size], tf.stack([seed[0], 0]))
        return {"images": model({"latents": latents, "label": label}, training=False)["image"]}

    mixing = endpoint.Endpoint(
        name="sample",
        function=sample,
        networks=(model,),
        inputs={"seed": tf.TensorSpec([None], tf.int32), "label": tf.TensorSpec([None], tf.int32)},
        examples=lambda b: {"seed": np.arange(b), "label": np.zeros([b])},
        encodings=("png",),
    )
    with pytest.raises(ValueError) as raised:
        saved_model.publish([toy.endpoints(model)[0], mixing], str(tmp_path / "out"), "toy", batch_sizes=(1, 4), metadata={})
    for check in ("load", "session", "batching", "c_api"):
        for signature in ("sample", "sample_png"):
            assert f"{check}: {signature}, rows" in str(raised.value)
    assert "serving_default" not in str(raised.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("largest_file", [4_000, 60_000])
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(toy, tmp_path, unchecked, largest_file):
    """The limit on a file's size stands for the disk's: the first stops the variables, the second the graph."""
    offered, limits = toy.endpoints(toy.generator()), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, limits[1]))
    try:
        with pytest.raises(OSError, match="Cannot publish under .*File too large"):
            saved_model.publish(offered, str(tmp_path / "out"), "toy", metadata={})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(tmp_path) == []


def test_an_output_that_cannot_be_made_is_one_clear_error(toy, tmp_path, unchecked):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="Cannot publish under"):
        saved_model.publish(toy.endpoints(toy.generator()), str(tmp_path / "file" / "out"), "toy", metadata={})


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model_name": "deploy"}, "holds the files to deploy with"),
        ({"model_name": "my-model"}, "letters, digits and underscores"),
        ({"batch_sizes": (8, 4)}, "rise"),
        ({"batch_sizes": (0, 4)}, "positive"),
        ({"batch_sizes": ()}, "positive"),
        ({"serving_base_path": "models"}, "absolute"),
        ({"serving_base_path": "/"}, "below the root"),
        ({"serving_base_path": "//./"}, "below the root"),
    ],
)
def test_a_wrong_setting_is_refused_before_anything_is_written(toy, tmp_path, changes, message):
    settings = {"model_name": "toy", "metadata": {}} | changes
    with pytest.raises(ValueError, match=message):
        saved_model.publish(toy.endpoints(toy.generator()), str(tmp_path / "out"), **settings)
    assert os.listdir(tmp_path) == []


def test_every_file_names_the_serving_base_path_in_its_shortest_form(toy, tmp_path, unchecked):
    saved_model.publish(toy.endpoints(toy.generator()), str(tmp_path), "toy", batch_sizes=(1,), serving_base_path="//srv/models//", metadata={})
    assert 'base_path: "/srv/models/toy"' in (tmp_path / "models.config").read_text()
    for name in ("README.txt", "deploy/Dockerfile", "deploy/compose.yaml"):
        text = (tmp_path / name).read_text()
        assert "/srv/models/models.config" in text or "target: /srv/models" in text
        assert "//srv" not in text and "models//" not in text


def test_a_variable_of_an_unlisted_network_is_named(toy, tmp_path):
    from_latents, _ = toy.endpoints(toy.generator())
    unlisted = endpoint.Endpoint(
        name="sample", function=from_latents.function, inputs=from_latents.inputs, networks=(keras.Sequential(),), examples=from_latents.examples
    )
    with pytest.raises(ValueError, match="'sample' reads the variable .* of no network"):
        saved_model.save(signatures.build([unlisted]), str(tmp_path))


def test_a_generator_built_on_two_replicas_is_served_from_one_copy(toy, mirrored, tmp_path):
    with mirrored.scope():
        model = toy.generator()
    saved_model.save(signatures.build(toy.endpoints(model)), str(tmp_path))
    request = latents_request(toy, 3)
    answer = session_run(str(tmp_path), "serving_default", request)
    bound = request["truncation"][:, None]
    inputs = {"latents": np.clip(request["latents"], -bound, bound), "label": request["label"].astype(np.int32)}
    np.testing.assert_allclose(answer["images"], model(inputs, training=False)["image"], atol=TOLERANCE)
    shapes = tf.train.load_checkpoint(str(tmp_path / "variables" / "variables")).get_variable_to_shape_map()
    assert len([name for name in shapes if "CHECKPOINTABLE" not in name]) == len([w for w in model.weights if "seed" not in w.path])


EXPORT = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("toy", sys.argv[1])
toy = importlib.util.module_from_spec(spec)
spec.loader.exec_module(toy)
from export import saved_model
saved_model.publish(toy.endpoints(toy.generator()), sys.argv[2], "toy", batch_sizes=(1, 4), metadata={})
"""


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["version/variables", "version/saved_model.pb", "version/assets.extra/expected.npz", "scratch/run_in_c.json"])
def test_an_export_killed_in_the_middle_publishes_nothing(tmp_path, moment):
    here = os.path.join(os.path.dirname(__file__), "conftest.py")
    process = subprocess.Popen([sys.executable, "-c", EXPORT, here, str(tmp_path)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob(f"toy/.staging-*/{moment}")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not [name for name in os.listdir(tmp_path / "toy") if name.isdigit()]
