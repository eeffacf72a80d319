import os

import keras
import numpy as np
import pytest
import tensorflow as tf

from export import expectations, rounding, saved_model, signatures
from tfgan_suite.core import endpoint

HALVES = {"bfloat16": tf.bfloat16.as_numpy_dtype, "float16": np.float16}


def rounded(model, precision):
    """Gives the model's float32 weights the values that numpy rounds them to."""
    for variable in model.variables:
        if variable.dtype == "float32":
            variable.assign(variable.numpy().astype(HALVES[precision]).astype(np.float32))
    return model


def from_latents(toy, model):
    return toy.endpoints(model)[0]


def ask(served, rows=4):
    return served.function(**{key: tf.constant(value) for key, value in served.examples(rows).items()})["images"].numpy()


@pytest.mark.parametrize("precision", HALVES)
def test_the_answers_are_those_of_the_rounded_weights_and_the_model_stays_as_it_is(toy, precision):
    model = toy.generator()
    before = ask(from_latents(toy, model))
    (served,) = rounding.stored([from_latents(toy, model)], precision)
    answer = ask(served)
    np.testing.assert_array_equal(ask(from_latents(toy, model)), before)
    np.testing.assert_allclose(answer, ask(from_latents(toy, rounded(model, precision))), atol=1e-6)
    assert answer.dtype == np.float32 and np.abs(answer - before).max() > 1e-4


def test_float32_changes_nothing(toy):
    offered = toy.endpoints(toy.generator())
    assert rounding.stored(offered, "float32") == offered
    assert rounding.report(offered, {}, "float32") == {"weights": "float32"}


@pytest.mark.parametrize("precision", HALVES)
def test_a_version_holds_each_weight_once_in_half_the_bytes_and_a_session_answers_in_float32(toy, tmp_path, precision):
    model = toy.generator()
    offered = rounding.stored(toy.endpoints(model), precision)
    saved_model.save(signatures.build(offered), str(tmp_path))
    stored = tf.train.load_checkpoint(str(tmp_path / "variables" / "variables"))
    types = [stored.get_variable_to_dtype_map()[name].name for name in stored.get_variable_to_shape_map() if "CHECKPOINTABLE" not in name]
    assert types == [precision] * len([variable for variable in model.weights if "seed" not in variable.path])
    inputs = offered[0].examples(4)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        definition = tf.compat.v1.saved_model.load(session, ["serve"], str(tmp_path)).signature_def["serving_default"]
        images = session.run(definition.outputs["images"].name, {info.name: inputs[key] for key, info in definition.inputs.items()})
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, ask(from_latents(toy, rounded(model, precision))), atol=1e-5)


@pytest.mark.parametrize("precision", rounding.PRECISIONS)
def test_a_saved_model_is_hardly_larger_than_its_variables(tmp_path, precision):
    """A generator whose variables outweigh its graph, with all of its signatures: 2.1 million weights."""
    model = keras.Sequential([keras.Input([512]), keras.layers.Dense(4096), keras.layers.Reshape([64, 64, 1])])
    offered = endpoint.Endpoint(
        name="serving_default",
        function=lambda latents: {"images": model(latents)},
        inputs={"latents": tf.TensorSpec([None, 512], tf.float32)},
        networks=(model,),
        examples=lambda b: {"latents": np.ones([b, 512])},
        encodings=("png", "jpeg", "uint8"),
    )
    saved_model.save(signatures.build(rounding.stored([offered], precision)), str(tmp_path))
    size = sum(os.path.getsize(os.path.join(parent, name)) for parent, _, names in os.walk(tmp_path) for name in names)
    assert size <= 1.1 * (512 + 1) * 4096 * rounding.PRECISIONS[precision].size


class Looping(keras.layers.Layer):
    """Reads its weight in the body of a loop, and counts in whole numbers that it does not change."""

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(shape[-1],), initializer="random_normal")
        self.shift = self.add_weight(name="shift", shape=(), dtype="int32", initializer="ones", trainable=False)

    def call(self, x):
        return tf.map_fn(lambda row: row * self.kernel + tf.cast(self.shift, tf.float32), x)


def looping():
    model = keras.Sequential([keras.Input([5]), Looping()])
    return model, endpoint.Endpoint(
        name="loop",
        function=lambda x: {"images": model(x)},
        inputs={"x": tf.TensorSpec([None, 5], tf.float32)},
        networks=(model,),
        examples=lambda b: {"x": np.ones([b, 5])},
    )


def test_a_weight_in_a_loop_is_rounded_and_whole_numbers_stay():
    model, offered = looping()
    (served,) = rounding.stored([offered], "bfloat16")
    (built,) = signatures.build([served])
    assert sorted(variable.dtype.name for variable in built.concrete.graph.variables) == ["bfloat16", "int32"]
    answer = built.concrete(tf.ones([4, 5]))["images"]
    np.testing.assert_allclose(answer, [rounded(model, "bfloat16").layers[0].kernel.numpy() + 1.0] * 4, atol=1e-6)


def test_a_weight_too_large_for_the_type_is_named_with_the_remedy():
    model, offered = looping()
    model.layers[0].kernel.assign([1.0, 2.0, -70_000.0, 3.0, 4.0])
    with pytest.raises(ValueError, match=r"kernel' goes up to 7e\+04, more than float16 holds \(6.55e\+04\).*bfloat16"):
        rounding.stored([offered], "float16")
    assert rounding.stored([offered], "bfloat16")


def test_an_unknown_precision_is_refused():
    with pytest.raises(ValueError, match="stored as 'int8'. Allowed: float32, bfloat16, float16"):
        rounding.stored([looping()[1]], "int8")


def test_the_largest_difference_to_the_float32_model_is_reported(toy):
    model = toy.generator()
    offered = [from_latents(toy, model)]
    expected = expectations.compute(signatures.build(rounding.stored(offered, "float16")))
    said = rounding.report(offered, expected, "float16")
    exact = ask(offered[0], rows=expectations.ROWS)
    difference = np.abs(exact - ask(from_latents(toy, rounded(model, "float16")), rows=expectations.ROWS)).max()
    assert said == {"weights": "float16", "largest_difference": {"serving_default": {"images": pytest.approx(difference, rel=1e-2)}}}


@pytest.mark.parametrize("precision", HALVES)
def test_rounded_weights_are_verified_as_closely_as_others(toy, precision):
    offered = rounding.stored([from_latents(toy, toy.generator())], precision)
    assert expectations.compute(signatures.build(offered))["serving_default"].tolerance == 1e-5
