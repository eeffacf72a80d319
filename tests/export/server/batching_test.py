import pytest
import tensorflow as tf
from google.protobuf import text_format

from export import protos
from export.server import batching, servable


@pytest.mark.parametrize(
    "text, message",
    [
        ("max_batch_size: 4", "is not valid"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: [4, 8]", "is not valid"),
        ("pad_variable_length_inputs: true", "pad_variable_length_inputs"),
        ("max_batch_size { value: 8 } max_execution_batch_size { value: 4 }", "leave max_execution_batch_size out"),
    ],
)
def test_parameters_that_cannot_be_followed_are_refused_by_name(tmp_path, text, message):
    path = tmp_path / "batching.config"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"{path}.*{message}"):
        batching.read(str(path))


def test_without_a_file_the_defaults_are_tf_servings():
    assert batching.largest(batching.defaults()) == 1000


def test_a_signature_that_is_no_function_call_is_not_batched():
    with tf.Graph().as_default():
        fed = tf.compat.v1.placeholder(tf.float32, [None])
        with pytest.raises(ValueError, match="'double' is not one function call"):
            batching.batched([fed * 2.0], [fed], batching.defaults(), "double")


@pytest.mark.parametrize("splits, refused", [(False, True), (True, False)])
def test_a_request_larger_than_a_batch_is_refused_or_split(versions, answer, rows, splits, refused):
    text = f"max_batch_size {{ value: 4 }} allowed_batch_sizes: 4 enable_large_batch_splitting {{ value: {str(splits).lower()} }}"
    parameters = text_format.Parse(text, protos.message_class("BatchingParameters")())
    loaded = servable.Servable(versions[1], parameters=parameters, max_rows=64)
    seeds = range(10)
    if refused:
        with pytest.raises(tf.errors.InvalidArgumentError, match="Task size 10 is larger than maximum input batch size 4"):
            loaded.predict("sample_png", rows(*seeds))
    else:
        assert loaded.predict("sample_png", rows(*seeds))["image_bytes"].tolist() == answer("sample_png", rows(*seeds))["image_bytes"].tolist()
    loaded.close()
