import dataclasses
import math
import re
import types

import pytest
import tiny

from tfgan_suite import registry, runner, workdir
from tfgan_suite.analysis import class_grids
from tfgan_suite.cli import analyze


@pytest.fixture
def asked(monkeypatch):
    """What the command restored, judged by, and handed to the analysis."""
    model, found = types.SimpleNamespace(data=tiny.data_spec()), types.SimpleNamespace(restored=[], judged=[])

    def run(subject, options, output):
        found.steps, found.options, found.output = subject.steps, options, output
        subject.restore(subject.steps[0])
        subject.judge(("fid", "prdc"))
        return ["one.png", "two.png"]

    monkeypatch.setattr(workdir, "load_experiment", lambda folder: registry.experiment("projection_gan/debug"))
    monkeypatch.setattr(runner, "restore", lambda folder, which: found.restored.append((folder, which)) or model)
    monkeypatch.setattr(runner, "kept_steps", lambda folder: [2, 4])
    monkeypatch.setattr(runner, "evaluator", lambda experiment, data_dir: found.judged.append((experiment.evaluation, data_dir)))
    monkeypatch.setattr(class_grids, "run", run)
    return found


def test_it_hands_the_run_and_the_options_to_the_analysis_and_prints_what_that_wrote(command, asked):
    flags = ["--rows=2", "--classes=c,0", "--truncation=0.5", "--truncations=0.1,2", "--checkpoint=best", "--head=features"]
    code, output, _ = command(analyze, "class_grids", "--workdir=w", "--output=o", *flags)
    assert (code, output) == (0, "one.png\ntwo.png\n") and asked.output == "o"
    expected = {"rows": 2, "classes": (2, 0), "truncation": 0.5, "truncations": (0.1, 2.0), "head": "features"}
    assert {name: getattr(asked.options, name) for name in expected} == expected
    assert asked.steps == [2, 4] and asked.restored == [("w", "best"), ("w", "2")]
    assert asked.judged[0][0].metrics == ("fid", "prdc") and asked.judged[0][0].extractor == "embedded"


def test_the_flags_begin_as_the_options_do(command, asked):
    assert command(analyze, "class_grids", "--workdir=w", "--output=o")[0] == 0
    assert asked.options == type(asked.options)() and math.isinf(asked.options.truncation)
    assert len(dataclasses.fields(asked.options)) == 9


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--workdir=w",), "Name one analysis: class_grids, interpolation, .*Received: none"),
        (("colours", "--workdir=w"), "Received: colours"),
        (("class_grids", "--workdir=w", "--classes=d"), "has no class 'd'.*Allowed: a, b, c"),
        (("class_grids", "--workdir=w", "--truncations=low"), "--truncations is a list of numbers above 0. Received: 'low'"),
    ],
)
def test_a_mistake_is_named_in_one_line(command, asked, arguments, says):
    code, _, errors = command(analyze, *arguments, "--output=o")
    assert code == 2 and re.search(says, errors)
