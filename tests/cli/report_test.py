import json
import types

import pytest
import tiny
from PIL import Image

from tfgan_suite import registry, runner, workdir
from tfgan_suite.cli import report

PROTOCOL = {
    "num_fake": 64, "num_real": 60, "split": "test", "backbone": "embedded", "weights": "0f4d", "resizer": "half_pixel",
    "generator": "averaged", "batch_norm": "standing", "label_sampling": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def model():
    return tiny.build()


@pytest.fixture
def run(model, monkeypatch):
    """A run of dcgan/mnist with other data and two checkpoints, whose Frechet distances are 8 and 2.5: (experiment, what was asked for)."""
    experiment, asked = registry.experiment("dcgan/mnist"), []
    experiment.data.source = "idx:digits"

    def evaluator(experiment, *, data_dir):
        asked.append((experiment.evaluation.extractor, data_dir))

    def judge(model, experiment, by):
        value = {"1000": 8.0, "2000": 2.5}[asked[-1]]
        return {"fid_proxy": types.SimpleNamespace(value=value, to_json=lambda: {"value": value, "protocol": PROTOCOL})}

    monkeypatch.setattr(workdir, "load_experiment", lambda folder: experiment)
    monkeypatch.setattr(runner, "kept_steps", lambda folder: [1000, 2000])
    monkeypatch.setattr(runner, "restore", lambda folder, which: asked.append(which) or model)
    monkeypatch.setattr(runner, "evaluator", evaluator)
    monkeypatch.setattr(runner, "judge", judge)
    return experiment, asked


def test_a_page_has_every_checkpoint_in_order_a_curve_and_samples(command, run, tmp_path):
    output = tmp_path / "page"
    code, printed, _ = command(report, "--workdir=runs/a", f"--output={output}", "--rows=2", "--data_dir=data")
    assert (code, run[1]) == (0, [("embedded", "data"), "1000", "2000"])
    assert printed.splitlines()[-1] == str(output / "README.md")
    page = (output / "README.md").read_text()
    assert page.startswith("# dcgan on idx:digits\n")
    assert "| 1000 | 8 |\n| 2000 | 2.5 |" in page and "2000 of 10000 steps, batch 64, seed 0" in page
    assert "64 generated against 60 real images of the split `test`, features of `embedded` (0f4d)" in page
    assert [record["fid_proxy"]["value"] for record in json.loads((output / "scores.json").read_text())] == [8.0, 2.5]
    assert Image.open(output / "curve.png").size == (840, 480)  # 7 x 4 inches at 120 dots
    assert Image.open(output / "samples.png").size == (8 * (3 * 10 + 2), 8 * (2 * 10 + 2))  # a column per class, eight pixels shown as 64


def test_a_curve_of_agreement_stands_beside_that_of_the_distance(command, run, monkeypatch, tmp_path):
    def judge(model, experiment, by):
        record = {"value": 0.5, "protocol": PROTOCOL}
        return {name: types.SimpleNamespace(value=0.5, to_json=lambda: record) for name in ("fid_proxy", "recall", "agreement")}

    monkeypatch.setattr(runner, "judge", judge)
    assert command(report, "--workdir=runs/a", f"--output={tmp_path}")[0] == 0
    assert Image.open(tmp_path / "curve.png").size == (2 * 840, 480)


def test_it_prints_the_commands_that_repeat_the_run_and_the_page(command, run, tmp_path):
    options = ["--workdir=runs/a", "--data_dir=data", "--extractor=file:judge.keras", "--title=A run", "--note=On two cores.", "--rows=2"]
    assert command(report, *options, f"--output={tmp_path}")[0] == 0
    page = (tmp_path / "README.md").read_text()
    assert page.startswith("# A run\n") and "\nOn two cores.\n" in page
    train, write = page.split("```\n")[1].splitlines()
    assert train == "tfgan-train --experiment=dcgan/mnist --experiment.data.source=idx:digits --data_dir=data --workdir=runs/a"
    assert write == (
        "tfgan-report --workdir=runs/a --data_dir=data --extractor=file:judge.keras '--title=A run' '--note=On two cores.' --rows=2 "
        f"--output={tmp_path}"
    )
    assert run[1][0] == ("file:judge.keras", "data")


def test_a_folder_without_a_run_is_one_line_with_the_remedy(command, tmp_path):
    code, _, errors = command(report, f"--workdir={tmp_path}", f"--output={tmp_path / 'page'}")
    assert code == 2 and "it has no experiment.json. Train first: tfgan-train" in errors
    assert not (tmp_path / "page").exists()
