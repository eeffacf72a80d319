import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from export import signatures
from tfgan_suite.core import endpoint

DOUBLE = endpoint.Endpoint(
    name="double",
    function=lambda x: {"y": x * 2.0},
    inputs={"x": tf.TensorSpec([None, 2], tf.float32)},
    networks=(),
    examples=lambda b: {"x": np.ones([b, 2])},
)


def change(**changes):
    return dataclasses.replace(DOUBLE, **changes)


def test_every_input_and_output_has_the_batch_as_its_first_axis(toy):
    for signature in signatures.build(toy.endpoints(toy.generator())):
        positional, named = signature.concrete.structured_input_signature
        assert {spec.shape[0] for spec in (*positional, *named.values())} == {None}
        assert {spec.shape[0] for spec in signature.concrete.structured_outputs.values()} == {None}


@pytest.mark.parametrize("channels, forms", [(1, ["png", "jpeg", "uint8"]), (3, ["png", "jpeg", "uint8"]), (4, ["png", "uint8"]), (2, ["uint8"])])
def test_images_are_also_offered_in_each_form_that_holds_them_and_the_others_are_left_out_with_a_warning(toy, caplog, channels, forms):
    names = [signature.name for signature in signatures.build(toy.endpoints(toy.generator(channels)))]
    assert names == ["serving_default", "sample", *(f"sample_{form}" for form in forms)]
    for form in ("png", "jpeg", "uint8"):
        assert (f"sample_{form} is left out: {form} holds images of" in caplog.text) == (form not in forms)


def test_an_encoding_calls_the_one_trace_of_its_endpoint():
    traced = []

    def function(x):
        traced.append(x)
        return {"images": tf.reshape(x, [-1, 2, 1, 1])}

    built = signatures.build([change(function=function, encodings=("png", "jpeg", "uint8"))])
    assert len(built) == 4 and len(traced) == 1
    assert [list(signature.concrete.structured_outputs) for signature in built] == [["images"], ["image_bytes"], ["image_bytes"], ["images"]]
    assert built[3].concrete.structured_outputs["images"].dtype == tf.uint8


def test_a_function_takes_its_inputs_in_order_or_by_name(toy):
    function = next(signature.concrete for signature in signatures.build(toy.endpoints(toy.generator())) if signature.name == "serving_default")
    z, psi, label = tf.ones([2, toy.latent_size]), tf.ones([2]), tf.constant([0, 1], tf.int64)
    np.testing.assert_array_equal(function(z, psi, label)["images"], function(z, label=label, truncation=psi)["images"])


@pytest.mark.parametrize("dtype", [tf.bfloat16, tf.float16])
def test_half_precision_leaves_as_float32(dtype):
    (signature,) = signatures.build([change(function=lambda x: {"y": tf.cast(x, dtype)})])
    assert signature.concrete.structured_outputs["y"].dtype == tf.float32


@pytest.mark.parametrize(
    "wrong, message",
    [
        (change(name="my-model"), "'my-model'"),
        (change(name="__saved"), "starting with a letter"),
        (change(inputs={}), "no inputs"),
        (change(inputs={"x": tf.TensorSpec([], tf.float32)}), "'x' must have the batch as axis 0"),
        (change(inputs={"x": tf.TensorSpec([4, 2], tf.float32)}), "'x' must have the batch as axis 0"),
        (change(inputs={"x": tf.TensorSpec(None, tf.float32)}), "'x' must have the batch as axis 0"),
        (change(encodings=("gif",)), "unknown encodings ..gif"),
        (change(encodings=("png",)), "no output 'images'"),
        (change(function=lambda x: x), "dict of named tensors"),
        (change(function=lambda x: {"a/b": x}), "a/b"),
    ],
)
def test_an_endpoint_that_cannot_be_served_is_refused_by_name(wrong, message):
    with pytest.raises(ValueError, match=message):
        signatures.build([wrong])


def test_no_endpoints_and_equal_names_are_refused():
    with pytest.raises(ValueError, match="no endpoint"):
        signatures.build([])
    with pytest.raises(ValueError, match="one name"):
        signatures.build([DOUBLE, DOUBLE])


@pytest.mark.parametrize(
    "examples, message",
    [
        (lambda b: {"z": np.ones([b, 2])}, r"examples gives \['z'\]"),
        (lambda b: {"x": np.ones([b, 3])}, "shape"),
        (lambda b: {"x": np.ones([2, 2])}, "shape"),
    ],
)
def test_examples_that_do_not_fit_the_inputs_are_refused(examples, message):
    (signature,) = signatures.build([change(examples=examples)])
    with pytest.raises(ValueError, match=message):
        signature.examples(3)
