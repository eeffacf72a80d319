import json

import pytest
import tiny

from tfgan_suite import registry, runner, workdir
from tfgan_suite.cli import evaluate
from tfgan_suite.metrics import protocol


@pytest.fixture
def asked(monkeypatch):
    """What a run of dcgan/mnist, which scores 8, was asked to be judged by: [(metrics, extractor, data_dir)]."""
    asked = []

    def evaluator(experiment, *, data_dir):
        asked.append((experiment.evaluation.metrics, experiment.evaluation.extractor, data_dir))

    monkeypatch.setattr(workdir, "load_experiment", lambda folder: registry.experiment("dcgan/mnist"))
    monkeypatch.setattr(runner, "restore", lambda folder, which: tiny.build())
    monkeypatch.setattr(runner, "evaluator", evaluator)
    monkeypatch.setattr(runner, "judge", lambda model, experiment, by: {"fid_proxy": protocol.Score(value=8.0, protocol=protocol.Protocol())})
    return asked


def test_a_run_is_judged_as_its_experiment_says(command, asked, tmp_path):
    code, printed, _ = command(evaluate, f"--workdir={tmp_path}", "--data_dir=data")
    assert (code, asked) == (0, [(("fid", "kid", "prdc"), "embedded", "data")])
    assert printed.splitlines()[-1] == str(tmp_path / "metrics.json")
    assert json.loads((tmp_path / "metrics.json").read_text())["fid_proxy"]["value"] == 8.0


def test_metrics_are_added_to_the_experiment_s_own_and_another_extractor_judges(command, asked, tmp_path):
    output = tmp_path / "other.json"
    options = ["--add_metrics=diversity,kid", "--extractor=file:judge.keras", f"--output={output}"]
    assert command(evaluate, f"--workdir={tmp_path}", "--data_dir=data", *options)[0] == 0
    assert asked == [(("fid", "kid", "prdc", "diversity"), "file:judge.keras", "data")]
    assert output.exists() and not (tmp_path / "metrics.json").exists()
