import pytest

from export.client import metadata

# The form of tensorflow_serving/apis/get_model_metadata.proto in JSON, int64 as text.
DOCUMENT = {
    "model_spec": {"name": "sngan", "signature_name": "", "version": "12"},
    "metadata": {
        "signature_def": {
            "@type": "type.googleapis.com/tensorflow.serving.SignatureDefMap",
            "signature_def": {
                "__saved_model_init_op": {
                    "inputs": {},
                    "outputs": {"__saved_model_init_op": {"dtype": "DT_INVALID", "tensor_shape": {"unknown_rank": True}}},
                },
                "sample": {
                    "inputs": {
                        "seed": {
                            "dtype": "DT_INT64",
                            "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
                            "name": "sample_seed:0",
                        },
                        "codes": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "10"}]}},
                    },
                    "outputs": {
                        "images": {"dtype": "DT_UINT8", "tensor_shape": {"dim": [{"size": "-1"}, {"size": "-1"}, {"size": "8"}, {"size": "3"}]}}
                    },
                    "method_name": "tensorflow/serving/predict",
                },
            },
        }
    },
}


def test_signatures_are_read_as_servers_write_them():
    known = metadata.parse(DOCUMENT)
    assert (known.model, known.version, list(known.signatures)) == ("sngan", 12, ["sample"])
    assert known.signature("sample").inputs == {"codes": metadata.Tensor("float32", (None, 10)), "seed": metadata.Tensor("int64", (None,))}
    assert str(known) == "sngan, version 12\n  sample(codes float32 [b, 10], seed int64 [b]) -> images uint8 [b, ?, 8, 3]"


def test_a_tensor_of_any_rank_or_without_axes_is_told_apart():
    def shape(given):
        document = {
            "model_spec": {"name": "m"},
            "metadata": {"signature_def": {"signature_def": {"f": {"inputs": {"x": {"dtype": "DT_HALF"} | given}}}}},
        }
        return metadata.parse(document).signatures["f"].inputs["x"]

    assert shape({"tensor_shape": {"unknown_rank": True}}) == metadata.Tensor("float16", None)
    assert shape({"tensor_shape": {}}) == shape({}) == metadata.Tensor("float16", ())


@pytest.mark.parametrize("document", [None, [], {}, {"model_spec": {"name": "m"}}, {"model_spec": {"name": "m"}, "metadata": {"signature_def": []}}])
def test_anything_else_is_an_error(document):
    with pytest.raises(ValueError, match="not the metadata of a model"):
        metadata.parse(document)


def test_a_status_is_read_as_servers_write_it():
    loaded = {"version": "4", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    failed = {"version": "3", "state": "END", "status": {"error_code": "NOT_FOUND", "error_message": "no saved_model.pb"}}
    assert metadata.parse_status({"model_version_status": [loaded, failed]}) == (
        metadata.Version(4, "AVAILABLE", ""),
        metadata.Version(3, "END", "NOT_FOUND: no saved_model.pb"),
    )
    for wrong in (None, {}, {"model_version_status": [{"state": "END"}]}):
        with pytest.raises(ValueError, match="not the status of a model"):
            metadata.parse_status(wrong)
