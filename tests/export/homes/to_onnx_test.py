import sys

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf

from export.homes import source, to_onnx


@pytest.fixture(scope="module")
def converted(published):
    return to_onnx.convert(source.open_version(published.directory))


@pytest.mark.parametrize("b", [1, 3, 9])
def test_onnxruntime_gives_the_models_images_in_any_batch_size(converted, published, toy, b):
    draws = np.random.default_rng(b)
    latents, label = draws.normal(size=[b, toy.latent_size]).astype(np.float32), draws.integers(0, toy.classes, [b])
    session = onnxruntime.InferenceSession(converted.content)
    (answer,) = session.run(["images"], {"latents": latents, "truncation": np.full([b], 0.7, np.float32), "label": label})
    expected = published.model({"latents": np.clip(latents, -0.7, 0.7), "label": label.astype(np.int32)}, training=False)["image"]
    np.testing.assert_allclose(answer, expected, atol=1e-5)


def test_the_file_names_its_tensors_as_the_version_does(converted, toy):
    session = onnxruntime.InferenceSession(converted.content)
    inputs = {each.name: (each.type, each.shape[1:]) for each in session.get_inputs()}
    assert inputs == {"latents": ("tensor(float)", [toy.latent_size]), "truncation": ("tensor(float)", []), "label": ("tensor(int64)", [])}
    assert [each.name for each in session.get_outputs()] == ["images"]


def test_it_was_checked_in_both_batch_sizes(converted):
    assert converted.batches == (1, 3) and converted.rows is None
    assert converted.difference < 1e-5


@pytest.mark.parametrize("missing", ["tf2onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch, missing):
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ValueError, match=f"{missing}.*pip install tf2onnx onnxruntime"):
        to_onnx.check_installed()


def test_an_operation_that_onnx_lacks_is_named():
    specs = (source.Input(name="latents", shape=(2, 2), dtype=tf.float32, low=None, high=None),)
    version = source.Version(
        model="toy", number="1", inputs=specs, image_shape=(2, 2), expected=None, prior=None, module=None,
        function=lambda latents: {"images": tf.linalg.lu(latents)[0]},
    )  # fmt: skip
    with pytest.raises(ValueError, match="toy cannot be converted to ONNX.*Lu"):
        to_onnx.convert(version)
