import dataclasses
import json

import numpy as np
import pytest

from tfgan_suite import registry
from tfgan_suite.metrics import protocol
from tfgan_suite.studies import outcome

EXPERIMENT = registry.experiment("gan/ring8")
SCORE = protocol.Score(value=7.0, details={"missing": [3]}, protocol=protocol.Protocol(metric="modes", num_fake=10, step=5))
DONE = outcome.Outcome(scores={"modes": SCORE}, arrays={"5/points": np.arange(6.0).reshape(3, 2)}, seconds=1.5)


def test_a_finished_cell_is_found_again(tmp_path):
    assert outcome.load(str(tmp_path), EXPERIMENT) is None
    outcome.save(str(tmp_path), EXPERIMENT, DONE)
    found = outcome.load(str(tmp_path), EXPERIMENT)
    assert (found.scores, found.seconds, found.problem) == (DONE.scores, 1.5, "")
    np.testing.assert_array_equal(found.arrays["5/points"], DONE.arrays["5/points"])


def test_a_cell_whose_training_failed_is_finished_too(tmp_path):
    outcome.save(str(tmp_path), EXPERIMENT, outcome.Outcome(scores={}, arrays={}, problem="At step 5 it broke.", seconds=2.0))
    found = outcome.load(str(tmp_path), EXPERIMENT)
    assert (found.problem, found.scores, found.arrays) == ("At step 5 it broke.", {}, {})


def test_the_outcome_of_another_experiment_is_refused_with_the_differences(tmp_path):
    outcome.save(str(tmp_path), EXPERIMENT, DONE)
    with pytest.raises(ValueError, match="the outcome of another experiment:\n  seed: 3 here, 0 there\nUse another --workdir"):
        outcome.load(str(tmp_path), dataclasses.replace(EXPERIMENT, seed=3))


def test_a_cell_that_is_older_than_a_field_of_the_experiment_stays_finished(tmp_path):
    outcome.save(str(tmp_path), EXPERIMENT, DONE)
    path = tmp_path / "outcome.json"
    record = json.loads(path.read_text())
    del record["experiment"]["transfer"]
    path.write_text(json.dumps(record))
    assert outcome.load(str(tmp_path), EXPERIMENT).seconds == 1.5
