import json

import pytest

from tfgan_suite import registry, workdir


@pytest.fixture
def older(tmp_path):
    """A run that was begun before experiments had the field `transfer`."""
    experiment = registry.experiment("sngan/debug")
    values = json.loads(registry.dump(experiment))
    del values["transfer"]
    (tmp_path / "experiment.json").write_text(json.dumps(values))
    (tmp_path / "train").mkdir()
    return experiment, tmp_path


def test_a_run_older_than_a_field_is_resumed_where_the_field_has_its_default(older):
    experiment, folder = older
    before = (folder / "experiment.json").read_text()
    workdir.record(experiment, str(folder))
    assert (folder / "experiment.json").read_text() == before


def test_a_run_older_than_a_field_is_another_experiment_where_the_field_is_set(older):
    experiment, folder = older
    experiment.transfer.source = "runs/first"
    with pytest.raises(ValueError, match="transfer.source: 'runs/first' here, '' there"):
        workdir.record(experiment, str(folder))
