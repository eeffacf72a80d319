import dataclasses
import json
import math
from typing import Any

import pytest

from pipelines import spec
from tfgan_suite import experiment


@dataclasses.dataclass(kw_only=True)
class Red:
    depth: int = 1


@dataclasses.dataclass(kw_only=True)
class Blue:
    depth: float = 2.0


@dataclasses.dataclass(kw_only=True)
class Model:
    """A field of every kind that a configuration may have."""

    size: int = 64
    rate: float = 0.5
    name: str = "hinge"
    deep: bool = False
    shape: tuple[int, int] = (4, 4)
    terms: tuple[Any, ...] = ()
    tags: tuple[str, ...] = ("a",)
    paint: Red | Blue = dataclasses.field(default_factory=Red)
    required: int


TABLE = {"Model": Model, "Red": Red, "Blue": Blue}


def read(values, kind=Model):
    return experiment.from_json(values, kind, TABLE.__getitem__, "model")


def text(value) -> str:
    return json.dumps(experiment.to_json(value), allow_nan=False)


def test_json_gives_back_an_equal_value_of_the_same_types():
    model = Model(required=1, rate=1e-5, shape=(1, 2), terms=(Red(depth=3), Blue()), tags=(), paint=Blue(depth=math.inf))
    again = read(json.loads(text(model)))
    assert again == model
    assert type(again.terms) is type(again.tags) is type(again.shape) is tuple


@pytest.mark.parametrize("number", [math.inf, -math.inf])
def test_infinities_are_strict_json(number):
    assert read(json.loads(text(Model(required=1, rate=number)))).rate == number


def test_a_whole_number_is_a_valid_float():
    rate = read({"required": 1, "rate": 3}).rate
    assert (rate, type(rate)) == (3.0, float)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"required": "1"}, r"model.required must be of type int. Received: '1' \(str\)"),
        ({"required": 1.0}, r"model.required must be of type int. Received: 1.0 \(float\)"),
        ({"required": True}, r"model.required must be of type int. Received: True \(bool\)"),
        ({"required": None}, "model.required must be of type int. Received: None"),
        ({"required": [1]}, r"model.required must be of type int. Received: \[1\]"),
        ({"rate": "fast"}, "model.rate must be of type float. Received: 'fast'"),
        ({"rate": True}, "model.rate must be of type float. Received: True"),
        ({"name": 3}, "model.name must be of type str. Received: 3"),
        ({"deep": 1}, "model.deep must be of type bool. Received: 1"),
        ({"shape": 4}, "model.shape must be a list. Received: 4"),
        ({"shape": [4]}, r"model.shape must have 2 items. Received: \[4\]"),
        ({"shape": [4, "4"]}, r"model.shape\[1\] must be of type int. Received: '4'"),
        ({"tags": ["a", 1]}, r"model.tags\[1\] must be of type str. Received: 1"),
        ({"tags": "a"}, "model.tags must be a list. Received: 'a'"),
        ({"paint": {"type": "Model", "required": 1}}, "model.paint must be one of Red, Blue. Received: Model"),
        ({"paint": {"type": "Blue", "depth": "x"}}, "model.paint.depth must be of type float. Received: 'x'"),
        ({"terms": [{"type": "Red", "dept": 1}]}, r"model.terms\[0\] \(Red\) has no field 'dept'. Did you mean depth\? Allowed: depth"),
        ({"terms": [{"depth": 1}]}, r"model.terms\[0\] needs a \"type\""),
        ({"paint": {"depth": 1}}, 'model.paint needs a "type": Red or Blue'),
        ({"sise": 3}, r"model \(Model\) has no field 'sise'. Did you mean size\?"),
        ({"zzz": 3}, r"model \(Model\) has no field 'zzz'. Allowed: size, rate"),
        ({}, "model .Model. lacks required"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place_and_what_is_allowed(values, message):
    with pytest.raises(ValueError, match=message):
        read(({"required": 1} if values else {}) | values)


def test_nearest_names_come_before_all_names():
    assert experiment.nearest("wgan", ["sngan", "wgan_gp", "dcgan"]).startswith("Did you mean wgan_gp")
    assert experiment.nearest("zzz", ["sngan", "dcgan"]) == "Allowed: sngan, dcgan."


# Differences


def whole(**changes):
    return experiment.Experiment(variant="sngan", model=Model(required=1, terms=(Red(), Blue())), **changes)


def test_equal_experiments_have_no_differences():
    assert experiment.differences(experiment.to_json(whole()), experiment.to_json(whole())) == []


def test_differences_name_the_path_and_both_values():
    here, there = whole(seed=1), whole()
    here.model.terms[1].depth = 7.0
    here.training.precision = "mixed_bfloat16"
    here.data.image_size = (32, 64)
    assert experiment.differences(experiment.to_json(here), experiment.to_json(there)) == [
        "model.terms[1].depth: 7.0 here, 2.0 there",
        "data.image_size[0]: 32 here, 0 there",
        "data.image_size[1]: 64 here, 0 there",
        "training.precision: 'mixed_bfloat16' here, 'float32' there",
        "seed: 1 here, 0 there",
    ]


def test_a_field_on_one_side_alone_and_lists_of_other_lengths_are_differences():
    assert experiment.differences({"a": 1, "b": [1]}, {"b": [1, 2], "c": 3}) == [
        "a: 1 here, '(nothing)' there",
        "b: [1] here, [1, 2] there",
        "c: '(nothing)' here, 3 there",
    ]


# What an experiment checks itself


PERIODS = [
    ("training.steps", "training", "steps"),
    ("checkpointing.every_steps", "checkpointing", "every_steps"),
    ("logging.every_steps", "logging", "every_steps"),
    ("logging.samples_every_steps", "logging", "samples_every_steps"),
    ("evaluation.every_steps", "evaluation", "every_steps"),
    ("health.check_every_steps", "health", "check_every_steps"),
]
PARTS = {
    "training": experiment.Training,
    "checkpointing": experiment.Checkpointing,
    "logging": experiment.Logging,
    "evaluation": experiment.Evaluation,
    "health": experiment.Health,
}


@pytest.mark.parametrize("name, part, field", PERIODS)
def test_every_period_is_a_multiple_of_the_steps_per_execution(name, part, field):
    parts = {key: kind() for key, kind in PARTS.items()}
    parts["training"].steps_per_execution = 10
    whole(**parts)
    setattr(parts[part], field, 15)
    with pytest.raises(ValueError, match=f"{name} must be a multiple of training.steps_per_execution=10, not negative. Received: 15"):
        whole(**parts)


@pytest.mark.parametrize("name, part, field", PERIODS[1:])
def test_a_negative_period_is_refused(name, part, field):
    with pytest.raises(ValueError, match=f"{name} must be a multiple of .*, not negative. Received: -1"):
        whole(**{part: PARTS[part](**{field: -1})})


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"training": experiment.Training(steps=0)}, "training.steps and training.steps_per_execution must be at least 1. Received: 0, 1"),
        ({"training": experiment.Training(steps_per_execution=0)}, "must be at least 1. Received: 100000, 0"),
        ({"checkpointing": experiment.Checkpointing(every_steps=0)}, "a run without checkpoints cannot be resumed"),
        ({"checkpointing": experiment.Checkpointing(keep=0)}, "keep must be at least 1"),
        ({"checkpointing": experiment.Checkpointing(best="fid")}, "checkpointing.best='fid' needs evaluation.every_steps"),
    ],
)
def test_a_run_that_could_not_be_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        whole(**changes)


def test_an_unknown_health_action_is_refused():
    with pytest.raises(ValueError, match="health.action must be stop, roll_back or warn. Received: 'ignore'"):
        experiment.Health(action="ignore")


def test_the_preset_makers_differ_in_length_and_share_the_built_in_dataset():
    demo, debug = experiment.demo("sngan", Red(), steps=1500), experiment.debug("sngan", Red())
    assert (demo.training.steps, debug.training.steps) == (1500, 4)
    assert demo.data.source == debug.data.source == spec.DatasetConfig().source == "captioned_shapes/studio"
