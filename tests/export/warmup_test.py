import collections
import os

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import inference_pb2, prediction_log_pb2

from export import signatures, warmup


def test_every_endpoint_is_warmed_up_in_every_allowed_batch_size_and_its_encodings_in_the_smallest(published):
    path = os.path.join(published.directory, "assets.extra", "tf_serving_warmup_requests")
    sizes = collections.defaultdict(list)
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
        request = prediction_log_pb2.PredictionLog.FromString(record).predict_log.request
        assert request.model_spec.name == "toy"
        (rows,) = {tf.make_ndarray(value).shape[0] for value in request.inputs.values()}
        sizes[request.model_spec.signature_name].append(rows)
    encoded = {f"sample_{form}": [1] for form in ("png", "jpeg", "uint8")}
    assert sizes == {"serving_default": [1, 4], "sample": [1, 4], "read": [1, 4]} | encoded


def test_requests_replay_in_a_session(published):
    requests = warmup.read(published.directory)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        definitions = tf.compat.v1.saved_model.load(session, ["serve"], published.directory).signature_def
        for name, inputs in requests:
            assert set(inputs) == set(definitions[name].inputs)
            fed = {info.name: inputs[key] for key, info in definitions[name].inputs.items()}
            for value in session.run([info.name for info in definitions[name].outputs.values()], fed):
                assert len(value) == len(next(iter(inputs.values())))


def test_more_requests_than_a_server_takes_are_refused(toy, tmp_path):
    built = signatures.build(toy.endpoints(toy.generator()))
    with pytest.raises(ValueError, match="1000"):
        warmup.write(str(tmp_path), "toy", built, range(1, 500))


def write(directory, records):
    os.makedirs(os.path.join(directory, "assets.extra"))
    with tf.io.TFRecordWriter(os.path.join(directory, "assets.extra", "tf_serving_warmup_requests")) as writer:
        for record in records:
            writer.write(record)
    return str(directory)


def test_a_file_that_a_server_would_refuse_is_an_error(tmp_path):
    other = prediction_log_pb2.PredictionLog(multi_inference_log=prediction_log_pb2.MultiInferenceLog(request=inference_pb2.MultiInferenceRequest()))
    with pytest.raises(ValueError, match="multi_inference_log, not a predict_log"):
        warmup.read(write(tmp_path / "other", [other.SerializeToString()]))
    with pytest.raises(ValueError, match="0 requests"):
        warmup.read(write(tmp_path / "empty", []))
    with pytest.raises(ValueError, match="cannot be read"):
        warmup.read(str(tmp_path / "missing"))
    directory = write(tmp_path / "truncated", [b"x" * 100])
    path = os.path.join(directory, "assets.extra", "tf_serving_warmup_requests")
    os.truncate(path, 50)
    with pytest.raises(ValueError, match="cannot be read"):
        warmup.read(directory)


def test_strings_survive(published):
    texts = [inputs["words"] for name, inputs in warmup.read(published.directory) if name == "read"]
    np.testing.assert_array_equal(texts[0], np.array([[b"red", b"square"]], dtype=object))
