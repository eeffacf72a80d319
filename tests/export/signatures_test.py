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
        assert {spec.shape[0] for spec in signature.concrete.structured_input_signature[1].values()} == {None}
        assert {spec.shape[0] for spec in signature.concrete.structured_outputs.values()} == {None}


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_that_png_can_hold_are_also_offered_as_png(toy, channels):
    names = [signature.name for signature in signatures.build(toy.endpoints(toy.generator(channels)))]
    assert names == ["serving_default", "sample", "sample_png"]


def test_two_channels_leave_the_png_out_with_a_warning(toy, caplog):
    names = [signature.name for signature in signatures.build(toy.endpoints(toy.generator(2)))]
    assert names == ["serving_default", "sample"]
    assert "sample_png is left out" in caplog.text


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
