import dataclasses
import json
import math

import pytest

from tfgan_suite.metrics import protocol

RECORD = protocol.Protocol(metric="fid", data="abc", split="test", num_real=10_000, num_fake=10_000, resolution=(32, 32, 3), judge={"accuracy": 0.9})
SCORE = protocol.Score(value=8.0, std=0.1, protocol=RECORD)


def changed(**fields):
    return dataclasses.replace(SCORE, protocol=dataclasses.replace(RECORD, **fields))


def test_scores_measured_alike_are_compared():
    assert protocol.compare(SCORE, dataclasses.replace(SCORE, value=6.5)) == -1.5


def test_mixing_splits_is_refused_and_named():
    with pytest.raises(ValueError, match="different protocols.*split: 'test' and 'train'"):
        protocol.compare(SCORE, changed(split="train"))


@pytest.mark.parametrize(
    "field",
    [
        "metric",
        "data",
        "split",
        "num_real",
        "num_fake",
        "backbone",
        "weights",
        "resizer",
        "quantised",
        "resolution",
        "label_sampling",
        "truncation",
        "splits",
        "subsets",
        "subset_size",
        "pairs",
        "k",
    ],
)
def test_a_difference_in_a_hard_field_is_refused(field):
    other = {str: "other", bool: False, int: 3, float: 0.5, tuple: (64, 64, 3)}[type(getattr(RECORD, field))]
    with pytest.raises(ValueError, match=f"differ in {field}:"):
        protocol.compare(SCORE, changed(**{field: other}))


def test_soft_fields_are_free_to_differ():
    other = changed(seed=1, generator="averaged", batch_norm="standing", batch_size=100, step=5, code="2", judge={"accuracy": 0.5})
    assert protocol.compare(SCORE, other) == 0.0


def test_a_difference_in_the_unit_is_refused():
    with pytest.raises(ValueError, match="unit"):
        protocol.compare(SCORE, dataclasses.replace(SCORE, unit="x10^3"))


def test_a_score_survives_json():
    for score in (SCORE, dataclasses.replace(SCORE, details={"missing": [1, 4]})):
        assert protocol.Score.from_json(json.loads(json.dumps(score.to_json()))) == score


def test_no_truncation_is_written_as_zero_so_that_json_stays_valid():
    assert protocol.Protocol(truncation=math.inf) == protocol.Protocol()
    json.dumps(protocol.Protocol(truncation=math.inf).to_json(), allow_nan=False)


def test_an_unknown_field_is_named():
    with pytest.raises(ValueError, match="no field colour"):
        protocol.Protocol.from_json({"colour": 1})
