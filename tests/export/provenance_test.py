import json

import pytest

from export import provenance
from tfgan_suite import registry
from tfgan_suite.metrics import protocol, scores

DATA = {
    "name": "cifar10",
    "features": {"image": {"shape": [32, 32, 3]}},
    "num_classes": 2,
    "class_names": ["cat", "dog"],
    "size": 50000,
    "test_size": 10000,
}


def experiment():
    """As a run's folder has it."""
    return json.loads(registry.dump(registry.experiment("sngan/debug")))


def read(workdir, data=DATA, **more):
    return provenance.read(str(workdir), experiment(), data, step=4, **more)


def test_the_settings_of_the_experiment_are_read_from_where_they_stand(tmp_path):
    run, given = read(tmp_path, paper="P", summary="S", license="mit"), experiment()
    assert (run.variant, run.paper, run.summary, run.license) == ("sngan", "P", "S", "mit")
    assert run.training.step == 4
    assert (run.training.steps, run.training.precision) == (given["training"]["steps"], given["training"]["precision"])
    assert (run.training.batch_size, run.training.seed) == (given["data"]["batch_size"], given["seed"])
    assert run.metrics == tuple(given["evaluation"]["metrics"])
    assert (run.data.image_shape, run.data.class_names, run.data.size, run.data.held_out) == ((32, 32, 3), ("cat", "dog"), 50000, 10000)
    assert run.scores == () and run.neighbours is None


def test_scores_come_with_their_record_as_the_evaluation_wrote_them(tmp_path):
    record = protocol.Protocol(metric="kid", num_fake=10, num_real=20, truncation=0.5, step=4)
    scores.write(tmp_path / "metrics.json", {"kid": protocol.Score(value=1.5, std=0.25, unit="x10^3", protocol=record)})
    (score,) = read(tmp_path).scores
    assert (score.name, score.value, score.std, score.unit) == ("kid", 1.5, 0.25, "x10^3")
    assert protocol.Protocol.from_json(score.protocol) == record


@pytest.mark.parametrize("name", provenance.NEIGHBOURS)
@pytest.mark.parametrize("held_out", [True, False])
def test_the_nearest_neighbours_are_found_where_the_analysis_may_have_put_them(tmp_path, name, held_out):
    (tmp_path / "analysis").mkdir()
    found = {"extractor": "embedded", "step": 4, "generated": {"images": 100, "median": 2.0}, "distances": [[2.0]]}
    if held_out:
        found |= {"held_out": {"images": 100, "median": 2.5}, "ratio_of_medians": 0.8}
    (tmp_path / name).write_text(json.dumps(found))
    near = read(tmp_path).neighbours
    assert (near.extractor, near.step, near.samples, near.median) == ("embedded", 4, 100, 2.0)
    assert (near.held_out_median, near.ratio) == ((2.5, 0.8) if held_out else (None, None))


@pytest.mark.parametrize("name, text", [("metrics.json", "{"), ("metrics.json", '{"fid": 3}'), ("neighbours.json", "[]")])
def test_results_that_cannot_be_read_are_an_error_and_not_a_card_without_them(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=name):
        read(tmp_path)
