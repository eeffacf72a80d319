import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from export import expectations
from export.homes import source, to_litert


@pytest.fixture(scope="module")
def converted(published):
    return to_litert.convert(source.open_version(published.directory))


def interpreted(content, **inputs):
    """As an app without signatures would: by resizing the input tensors and calling by position."""
    interpreter = tf.lite.Interpreter(model_content=content)
    details = {each["name"].removeprefix("serving_default_").partition(":")[0]: each["index"] for each in interpreter.get_input_details()}
    for name, value in inputs.items():
        interpreter.resize_tensor_input(details[name], value.shape)
    interpreter.allocate_tensors()
    for name, value in inputs.items():
        interpreter.set_tensor(details[name], value)
    interpreter.invoke()
    (output,) = interpreter.get_output_details()
    return interpreter.get_tensor(output["index"])


@pytest.mark.parametrize("b", [1, 3])
def test_the_interpreter_gives_the_models_images_for_any_number_of_rows(converted, published, toy, b):
    draws = np.random.default_rng(b)
    latents, label = draws.normal(size=[b, toy.latent_size]).astype(np.float32), draws.integers(0, toy.classes, [b])
    answer = interpreted(converted.content, latents=latents, truncation=np.full([b], 0.7, np.float32), label=label)
    expected = published.model({"latents": np.clip(latents, -0.7, 0.7), "label": label.astype(np.int32)}, training=False)["image"]
    np.testing.assert_allclose(answer, expected, atol=1e-5)
    assert converted.rows is None and converted.batches == (1, 3)


def version(function, size=4):
    """A version whose examples are what `function`, latents [b, size] -> images, gives."""
    latents = np.random.default_rng(0).normal(size=[expectations.ROWS, size]).astype(np.float32)
    expected = expectations.Expectation(inputs={"latents": latents}, outputs={"images": np.array(function(latents))}, encoding="", tolerance=1e-5)
    return source.Version(
        model="toy",
        number="1",
        inputs=(source.Input(name="latents", shape=(size,), dtype=tf.float32, low=None, high=None),),
        image_shape=expected.outputs["images"].shape[1:],
        expected=expected,
        prior=None,
        function=lambda latents: {"images": function(latents)},
        module=tf.Module(),
    )


def test_a_layer_that_needs_a_known_batch_is_converted_for_one_row():
    doubled = [keras.layers.UpSampling2D(2), keras.layers.UpSampling2D(2), keras.layers.Conv2D(3, 3, padding="same")]
    model = keras.Sequential([keras.Input([4]), keras.layers.Reshape([2, 2, 1]), *doubled])
    module = tf.Module()
    module.weights = [each.value for each in model.variables]
    converted = to_litert.convert(dataclasses.replace(version(model), module=module))
    assert (converted.rows, converted.batches) == (1, (1,))
    latents = np.ones([1, 4], np.float32)
    assert np.abs(model(latents)).max() > 0.1
    np.testing.assert_allclose(interpreted(converted.content, latents=latents), model(latents), atol=1e-5)


def test_an_operation_that_litert_lacks_is_named():
    def images(latents):
        return tf.linalg.det(tf.reshape(latents, [-1, 1, 1, 2, 2]))[..., None]

    with pytest.raises(ValueError, match="(?s)toy cannot be converted to LiteRT:.*any batch: .*a batch of one: LiteRT has no MatrixDeterminant"):
        to_litert.convert(version(images))
