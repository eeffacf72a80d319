"""Versions whose weights are stored in half precision, in every place where a version is loaded."""

import json
import os
import types

import numpy as np
import pytest

from export import expectations, rounding, saved_model
from export.homes import conversion
from export.server import servable

pytestmark = pytest.mark.slow
HALVES = [precision for precision in rounding.PRECISIONS if precision != "float32"]


@pytest.fixture(scope="module", params=HALVES)
def halved(request, toy, tmp_path_factory):
    """`.directory` of a version that was checked as it was published, `.precision`."""
    output = tmp_path_factory.mktemp(request.param)
    directory = saved_model.publish(
        toy.endpoints(toy.generator()), str(output), "toy", batch_sizes=(1, 4), metadata={"variant": "toy"}, precision=request.param
    )
    return types.SimpleNamespace(directory=directory, precision=request.param)


def test_every_loader_gives_the_numbers_of_the_rounded_weights(halved):
    with open(os.path.join(halved.directory, "assets.extra", "verification.json")) as file:
        checks = json.load(file)["largest_difference"]
    assert set(checks) == {"load", "session", "batching", "c_api"}
    for differences in checks.values():
        assert {"serving_default", "sample"} <= differences.keys()
        assert all(differences[name] <= 1e-5 for name in ("serving_default", "sample"))


def test_the_metadata_say_what_rounding_cost(halved):
    with open(os.path.join(halved.directory, saved_model.METADATA)) as file:
        said = json.load(file)["precision"]
    assert said["weights"] == halved.precision
    assert 0.0 < said["largest_difference"]["serving_default"]["images"] < 0.5


def test_the_local_server_answers_in_float32(halved):
    (expected, *_) = [e for name, e in expectations.read(halved.directory).items() if name == "serving_default"]
    served = servable.Servable(halved.directory, max_rows=64)
    try:
        images = served.predict("serving_default", expected.inputs)["images"]
    finally:
        served.close()
    assert images.dtype == np.float32
    np.testing.assert_allclose(images, expected.outputs["images"], atol=1e-5)


@pytest.mark.parametrize("target", ["onnx", "litert"])
def test_it_converts_to_the_same_pixels(halved, tmp_path, target):
    _, converted = conversion.convert(halved.directory, target, str(tmp_path / "out"))
    assert converted.difference <= 1e-5
