"""The gRPC services, asked through the stubs of tensorflow-serving-api. Codes: TF Serving's sources and gRPC's documentation."""

import concurrent.futures

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_management_pb2, predict_pb2

STATUS = grpc.StatusCode


def code_of(call, *arguments, **options):
    with pytest.raises(grpc.RpcError) as caught:
        call(*arguments, **options)
    return caught.value.code(), caught.value.details()


def test_predict_answers_as_the_saved_model_does(toy_server, answer, rows):
    response = toy_server.client.predictions.Predict(toy_server.client.request("sample", rows(7, 8)), timeout=60)
    assert (response.model_spec.name, response.model_spec.version.value, response.model_spec.signature_name) == ("toy", 1, "sample")
    expected = answer("sample", rows(7, 8))
    assert set(response.outputs) == set(expected)
    for key, value in expected.items():
        np.testing.assert_allclose(tf.make_ndarray(response.outputs[key]), value, atol=1e-5)


def test_without_a_name_the_default_signature_answers(toy_server, answer):
    inputs = {"latents": np.ones([1, 8], np.float32), "truncation": np.ones(1, np.float32), "label": np.array([3])}
    expected = answer("serving_default", inputs)["images"]
    np.testing.assert_allclose(toy_server.client.predict("", inputs)["images"], expected, atol=1e-5)


def test_an_output_filter_leaves_out_the_rest(toy_server, rows):
    assert set(toy_server.client.predict("sample", rows(1), outputs=["latents"])) == {"latents"}


def test_each_of_many_concurrent_callers_gets_exactly_its_own_images(toy_server, answer, rows):
    """Requests of 1 to 3 rows from 16 callers, merged and padded by the batching kernel."""
    seeds = [[100 * caller + row for row in range(1 + caller % 3)] for caller in range(48)]
    expected = [answer("sample_png", rows(*mine))["image_bytes"].tolist() for mine in seeds]
    with concurrent.futures.ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(lambda mine: toy_server.client.predict("sample_png", rows(*mine))["image_bytes"].tolist(), seeds))
    assert answers == expected
    assert len({image for mine in answers for image in mine}) == sum(map(len, seeds))


def test_a_bad_row_fails_its_own_request_and_no_other_of_the_batch(toy_server, answer, rows):
    def ask(caller):
        if caller % 4 == 0:
            return code_of(toy_server.client.predict, "sample_png", rows(caller, label=99))
        return toy_server.client.predict("sample_png", rows(caller))["image_bytes"].tolist()

    with concurrent.futures.ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(ask, range(32)))
    for caller, got in enumerate(answers):
        if caller % 4 == 0:
            assert got == (STATUS.INVALID_ARGUMENT, "assertion failed: [no such class] [99]")
        else:
            assert got == answer("sample_png", rows(caller))["image_bytes"].tolist()


def proto(**fields):
    return tf.make_tensor_proto(np.array([1], np.int64)).__class__(**fields)


def shaped(dtype, *sizes, **fields):
    shape = tf.TensorShape(None).as_proto().__class__(dim=[{"size": size} for size in sizes])
    return proto(dtype=dtype, tensor_shape=shape, **fields)


@pytest.mark.parametrize(
    "change, code, text",
    [
        ({"seed": None}, STATUS.INVALID_ARGUMENT, "Missing but required: {seed}"),
        ({"sed": np.array([1])}, STATUS.INVALID_ARGUMENT, "Sent extra: {sed}"),
        ({"seed": np.array([1.0], np.float32)}, STATUS.INVALID_ARGUMENT, "must be int64; received float32"),
        ({"seed": np.array([b"x"])}, STATUS.INVALID_ARGUMENT, "must be int64; received string"),
        ({"seed": np.array([[1]])}, STATUS.INVALID_ARGUMENT, "shape"),
        ({"seed": np.array(1)}, STATUS.INVALID_ARGUMENT, "shape"),
        ({"seed": np.array([1, 2])}, STATUS.INVALID_ARGUMENT, "equal 0th-dimension size"),
        ({"label": np.array([5])}, STATUS.INVALID_ARGUMENT, "no such class"),
        ({"label": np.array([2**62])}, STATUS.INVALID_ARGUMENT, "no such class"),
        ({"seed": shaped(9, 10**12, int64_val=[1])}, STATUS.INVALID_ARGUMENT, "limited to"),
        ({"seed": shaped(9, -5, int64_val=[1])}, STATUS.INVALID_ARGUMENT, "limited to"),
        ({"seed": shaped(9, 3, tensor_content=b"123")}, STATUS.INVALID_ARGUMENT, "no valid TensorProto"),
        ({"seed": shaped(9, 0)}, STATUS.INVALID_ARGUMENT, "0th-dimension"),
        ({"seed": proto(dtype=999)}, STATUS.INVALID_ARGUMENT, "unknown type"),
        ({"seed": proto(dtype=20)}, STATUS.INVALID_ARGUMENT, "seed"),
    ],
)
def test_hostile_inputs_get_a_clear_code_and_the_next_request_its_answer(toy_server, answer, rows, change, code, text):
    request = toy_server.client.request("sample_png", rows(1))
    for key, value in change.items():
        if value is None:
            del request.inputs[key]
        else:
            request.inputs[key].CopyFrom(tf.make_tensor_proto(value) if isinstance(value, np.ndarray) else value)
    got, details = code_of(toy_server.client.predictions.Predict, request, timeout=60)
    assert (got, text in details) == (code, True), details
    assert "/" not in details and "File" not in details  # nothing of this machine
    assert toy_server.client.predict("sample_png", rows(1))["image_bytes"].tolist() == answer("sample_png", rows(1))["image_bytes"].tolist()


def test_a_million_rows_are_refused(toy_server, rows):
    inputs = {key: np.repeat(value, 10**6) for key, value in rows(1).items()}
    code, details = code_of(toy_server.client.predict, "sample", inputs)
    assert code is STATUS.RESOURCE_EXHAUSTED  # gRPC's own, over the limit of bytes
    small = {"seed": shaped(9, 10**5, int64_val=[1]), "truncation": shaped(1, 10**5, float_val=[1.0]), "label": shaped(9, 10**5, int64_val=[1])}
    request = toy_server.client.request("sample", {})
    for key, value in small.items():
        request.inputs[key].CopyFrom(value)
    code, details = code_of(toy_server.client.predictions.Predict, request)
    assert (code, details) == (STATUS.INVALID_ARGUMENT, "Task size 100000 is larger than maximum input batch size 16.")


@pytest.mark.parametrize(
    "options, code, text",
    [
        ({"model": "other"}, STATUS.NOT_FOUND, "Servable not found for request: Latest(other)"),
        ({"model": ""}, STATUS.NOT_FOUND, "Servable not found"),
        ({"model": "../toy"}, STATUS.NOT_FOUND, "Servable not found"),
        ({"version": 7}, STATUS.NOT_FOUND, "Servable not found for request: Specific(toy, 7)"),
        ({"version": -1}, STATUS.NOT_FOUND, "Servable not found"),
        ({"label": "nope"}, STATUS.INVALID_ARGUMENT, "Unrecognized servable version label: nope"),
        ({"outputs": ["pixels"]}, STATUS.INVALID_ARGUMENT, "output tensor alias not found in signature: pixels"),
        ({"outputs": ["images", "images"]}, STATUS.INVALID_ARGUMENT, "duplicate output tensor alias: images"),
    ],
)
def test_what_is_not_there_has_tf_servings_code(toy_server, rows, options, code, text):
    got, details = code_of(toy_server.client.predict, "sample", rows(1), **options)
    assert (got, text in details) == (code, True), details


def test_an_unknown_signature_is_a_failed_precondition(toy_server, rows):
    code, details = code_of(toy_server.client.predict, "paint", rows(1))
    assert code is STATUS.FAILED_PRECONDITION and 'Serving signature key "paint" not found' in details


def test_a_deadline_that_is_over_is_told(toy_server, rows):
    assert code_of(toy_server.client.predict, "sample", rows(1), timeout=0.0001)[0] is STATUS.DEADLINE_EXCEEDED


def test_the_metadata_has_every_signature(toy_server):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "toy"
    response = toy_server.client.predictions.GetModelMetadata(request)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    response.metadata["signature_def"].Unpack(signatures)
    assert response.model_spec.version.value == 1
    assert {"serving_default", "sample", "sample_png", "interpolate"} < set(signatures.signature_def)
    assert [d.size for d in signatures.signature_def["sample"].outputs["images"].tensor_shape.dim] == [-1, 8, 8, 3]
    request.metadata_field[:] = ["weights"]
    assert code_of(toy_server.client.predictions.GetModelMetadata, request)[0] is STATUS.INVALID_ARGUMENT
    request.metadata_field[:] = []
    assert code_of(toy_server.client.predictions.GetModelMetadata, request)[0] is STATUS.INVALID_ARGUMENT


def test_the_status_names_the_version_and_its_state(toy_server):
    request = get_model_status_pb2.GetModelStatusRequest()
    assert code_of(toy_server.client.models.GetModelStatus, request)[0] is STATUS.INVALID_ARGUMENT
    request.model_spec.name = "toy"
    (status,) = toy_server.client.models.GetModelStatus(request).model_version_status
    assert (status.version, status.state, status.status.error_code) == (1, get_model_status_pb2.ModelVersionStatus.AVAILABLE, 0)
    request.model_spec.version.value = 3
    assert code_of(toy_server.client.models.GetModelStatus, request) == (STATUS.NOT_FOUND, "Could not find version 3 of model toy")


def test_what_takes_no_images_is_unimplemented(toy_server):
    from tensorflow_serving.apis import classification_pb2

    assert code_of(toy_server.client.predictions.Classify, classification_pb2.ClassificationRequest())[0] is STATUS.UNIMPLEMENTED


def test_a_reload_without_a_model_list_is_refused(toy_server):
    request = model_management_pb2.ReloadConfigRequest()
    assert code_of(toy_server.client.models.HandleReloadConfigRequest, request)[0] is STATUS.INVALID_ARGUMENT
    request.config.model_config_list.config.add(name="toy", base_path="relative", model_platform="tensorflow")
    code, details = code_of(toy_server.client.models.HandleReloadConfigRequest, request)
    assert code is STATUS.INVALID_ARGUMENT and "absolute base_path" in details


def test_a_request_over_the_limit_of_bytes_is_refused_before_it_is_read(toy_server):
    request = predict_pb2.PredictRequest(output_filter=["x" * 2**21])
    assert code_of(toy_server.client.predictions.Predict, request)[0] is STATUS.RESOURCE_EXHAUSTED
