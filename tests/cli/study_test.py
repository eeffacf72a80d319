import pathlib
import types

import numpy as np
import pytest

from tfgan_suite import registry, runner
from tfgan_suite.callbacks import health
from tfgan_suite.cli import study
from tfgan_suite.metrics import protocol
from tfgan_suite.studies import augmentation, objectives


class Model:
    def ready(self):
        pass


@pytest.fixture
def trained(monkeypatch):
    """A study of three cells whose runner only notes what it was asked for; the cell `bad` fails."""
    cells = {name: registry.experiment("gan/ring8") for name in ("a/first", "a/bad", "b/last")}
    cells["a/bad"].seed = 1
    asked, written = [], {}

    def train(experiment, workdir, *, data_dir):
        asked.append(workdir)
        pathlib.Path(workdir).mkdir(parents=True, exist_ok=True)
        if experiment.seed == 1:
            raise health.Unhealthy("At step 100 these were not finite: loss.")
        return runner.Result(Model(), train.finishes)

    def report(outcomes, command, folder):
        written.update(outcomes=dict(outcomes), command=command, folder=folder)
        return {"": "# page\n", "figure.png": b"png"}

    train.finishes = True
    monkeypatch.setattr(runner, "train", train)
    monkeypatch.setattr(runner, "evaluate", lambda *a, **k: {"modes": protocol.Score(value=4.0, protocol=protocol.Protocol())})
    monkeypatch.setattr(objectives, "cells", lambda quick: cells)
    monkeypatch.setattr(objectives, "measure", lambda name, model, restore: {"numbers": np.arange(3)})
    monkeypatch.setattr(objectives, "report", report)
    return types.SimpleNamespace(asked=asked, written=written, train=train)


def arguments(tmp_path):
    return ("objectives", "--quick", f"--output={tmp_path}/page.md", f"--workdir={tmp_path}/cells", f"--data_dir={tmp_path}/data")


def test_it_trains_every_cell_and_writes_the_page_with_its_figures_and_its_command(command, trained, tmp_path):
    code, output, _ = command(study, *arguments(tmp_path))
    assert code == 0
    assert [path.removeprefix(f"{tmp_path}/cells/") for path in trained.asked] == ["a/first", "a/bad", "b/last"]
    assert (tmp_path / "page.md").read_text() == "# page\n" and (tmp_path / "page" / "figure.png").read_bytes() == b"png"
    assert trained.written["command"] == f"tfgan-study objectives --quick --output={tmp_path}/page.md"
    assert trained.written["folder"] == "page"
    assert trained.written["outcomes"]["a/first"].scores["modes"].value == 4.0
    assert trained.written["outcomes"]["a/bad"].problem == "At step 100 these were not finite: loss."
    assert "2/3 a/bad: At step 100 these were not finite: loss." in output and output.splitlines()[-1] == f"{tmp_path}/page.md"


def test_finished_cells_failed_ones_too_are_not_trained_again(command, trained, tmp_path):
    command(study, *arguments(tmp_path))
    del trained.asked[:]
    code, output, _ = command(study, *arguments(tmp_path))
    assert (code, trained.asked) == (0, [])
    assert "1/3 a/first: was there" in output
    assert trained.written["outcomes"]["b/last"].arrays["numbers"].tolist() == [0, 1, 2]


def test_a_signal_ends_the_study_and_the_same_command_goes_on(command, trained, tmp_path):
    trained.train.finishes = False
    code, _, errors = command(study, *arguments(tmp_path))
    assert code == 1 and "Stopped. The same command goes on from here." in errors
    assert len(trained.asked) == 1 and not (tmp_path / "page.md").exists()
    trained.train.finishes = True
    assert command(study, *arguments(tmp_path))[0] == 0
    assert len(trained.asked) == 4


def test_a_score_that_is_no_number_is_a_problem_of_its_cell(command, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "evaluate", lambda *a, **k: {"fid_proxy": protocol.Score(value=float("nan"), protocol=protocol.Protocol())})
    assert command(study, *arguments(tmp_path))[0] == 0
    assert "not by fid_proxy" in trained.written["outcomes"]["a/first"].problem


@pytest.mark.parametrize("names", [[], ["objective"], ["objectives", "twice"]])
def test_anything_but_one_known_study_is_refused_with_the_names(command, names, tmp_path):
    code, _, errors = command(study, *names, f"--output={tmp_path}/page.md")
    known = "augmentation, conditioning, gallery, objectives, semi_supervised"
    assert code == 2 and errors == f"error: Name one study: {known}. Received: {' '.join(names) or 'none'}.\n"


def test_another_dataset_takes_the_place_of_the_study_s_own_and_the_command_says_so(command, trained, tmp_path, monkeypatch):
    sources = []
    monkeypatch.setattr(runner, "train", lambda e, workdir, **k: sources.append(e.data.source) or trained.train(e, workdir, **k))
    assert command(study, *arguments(tmp_path), "--source=toy:grid25")[0] == 0
    assert sources == ["toy:grid25"] * 3
    assert trained.written["command"] == f"tfgan-study objectives --quick --source=toy:grid25 --output={tmp_path}/page.md"


def test_a_study_has_flags_of_its_own_which_the_page_s_command_repeats(command, trained, tmp_path, monkeypatch):
    asked = []
    for name in ("measure", "report"):
        monkeypatch.setattr(augmentation, name, getattr(objectives, name))
    monkeypatch.setattr(augmentation, "cells", lambda quick, **options: asked.append(options) or {"a": registry.experiment("gan/ring8")})
    monkeypatch.setattr(augmentation, "compare", lambda cell, model, by: {"distance": np.array(by)})
    monkeypatch.setattr(runner, "evaluator", lambda experiment, data_dir: 7.0)
    own = ("--modes=bcr", "--strengths=0.1,0.3")
    assert command(study, "augmentation", *arguments(tmp_path)[1:], *own)[0] == 0
    assert asked == [{"modes": "bcr", "strengths": "0.1,0.3"}]
    assert trained.written["command"] == f"tfgan-study augmentation --quick --strengths=0.1,0.3 --modes=bcr --output={tmp_path}/page.md"
    assert sorted(trained.written["outcomes"]["a"].arrays) == ["distance", "numbers"]
    code, _, errors = command(study, *arguments(tmp_path), "--modes=bcr")
    assert code == 2 and "--modes is a flag of the study augmentation. Received: the study objectives." in errors


@pytest.mark.slow
def test_cells_are_trained_measured_and_shown(command, tmp_path, monkeypatch):
    monkeypatch.setattr(objectives, "_QUICK_STEPS", 200)
    two = {name: c for name, c in objectives.cells(quick=True).items() if name in ("ring8/hinge/none", "ring8/non_saturating/r1")}
    monkeypatch.setattr(objectives, "cells", lambda quick: two)
    code, _, _ = command(study, *arguments(tmp_path))
    assert code == 0
    page = (tmp_path / "page.md").read_text()
    assert "| hinge | none | " in page and "| non_saturating | r1 | " in page and "200 steps" in page
    assert (tmp_path / "page" / "ring8-training.png").exists()


def test_another_judge_is_named_on_the_command_line_and_on_the_page(command, trained, monkeypatch, tmp_path):
    judged = []
    monkeypatch.setattr(runner, "evaluate", lambda model, experiment, **_: judged.append(experiment.evaluation.extractor) or {})
    assert command(study, *arguments(tmp_path), "--extractor=file:judge.keras")[0] == 0
    assert judged == ["file:judge.keras"] * 2  # the third cell failed
    assert trained.written["command"] == f"tfgan-study objectives --quick --extractor=file:judge.keras --output={tmp_path}/page.md"
