import json
import os
import subprocess
import sys
import types

import pytest
import tensorflow as tf

from export import main, verify
from tfgan_suite import registry


@pytest.fixture
def export(command, toy, tmp_path, monkeypatch):
    """Runs the command in this process, on a runner that restores the toy model: (exit code, output, errors)."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "experiment.json").write_text(json.dumps({"variant": "sn-gan", "seed": 3}))
    (tmp_path / "run" / "metrics.json").write_text(json.dumps({"fid": {"value": 12.5, "std": None, "unit": "", "protocol": {"step": 40}}}))
    data = {"name": "mnist", "features": {"image": {"shape": [8, 8, 3]}}, "size": 60}
    restored = types.SimpleNamespace(
        endpoints=lambda: toy.endpoints(toy.generator()), data=types.SimpleNamespace(to_json=lambda: data), step=tf.Variable(40)
    )
    monkeypatch.setitem(
        registry.VARIANTS, "sn-gan", registry.Variant(module="", model="", paper="Miyato et al. 2018", summary="Spectral normalisation.")
    )
    runner = types.SimpleNamespace(restore=lambda workdir, which: restored)
    import tfgan_suite

    monkeypatch.setitem(sys.modules, "tfgan_suite.runner", runner)
    monkeypatch.setattr(tfgan_suite, "runner", runner, raising=False)
    monkeypatch.setattr(verify, "verify", lambda directory, scratch: {"session": {"sample": 0.0}})
    return lambda *arguments: command(main, *arguments)


def paths(tmp_path):
    return f"--workdir={tmp_path / 'run'}", f"--output={tmp_path / 'out'}"


def test_a_run_is_published_under_its_variants_name(export, tmp_path):
    code, output, _ = export(*paths(tmp_path))
    version = tmp_path / "out" / "sn_gan" / "1"
    assert (code, output.splitlines()[0]) == (0, str(version))
    with open(version / "assets.extra" / "metadata.json") as file:
        assert json.load(file)["experiment"] == {"variant": "sn-gan", "seed": 3}
    assert "allowed_batch_sizes: 32" in (version / "batching_params.pbtxt").read_text()


def test_the_model_card_states_what_the_runs_folder_and_the_flags_say(export, tmp_path):
    assert export(*paths(tmp_path), "--license=apache-2.0")[0] == 0
    card = (tmp_path / "out" / "sn_gan" / "1" / "assets.extra" / "model_card" / "README.md").read_text()
    for fact in (
        "license: apache-2.0",
        "Miyato et al. 2018",
        "Spectral normalisation.",
        "| `fid` | 12.5 |",
        "`mnist`",
        "60 examples",
        "| Seed | 3 |",
        "step 40",
    ):
        assert fact in card


def test_half_precision_says_how_far_it_takes_the_images(export, tmp_path):
    code, output, _ = export(*paths(tmp_path), "--precision=bfloat16", "--max_batch_size=1")
    assert code == 0
    with open(tmp_path / "out" / "sn_gan" / "1" / "assets.extra" / "metadata.json") as file:
        stored = json.load(file)["precision"]
    furthest = max(outputs["images"] for outputs in stored["largest_difference"].values())
    assert stored["weights"] == "bfloat16" and 0.0 < furthest < 0.2
    assert f"(weights as bfloat16: images differ from those of float32 by up to {furthest:.2g}, " in output


@pytest.mark.parametrize(
    "flag, sizes",
    [("--max_batch_size=8", [1, 2, 4, 8]), ("--max_batch_size=6", [1, 2, 4, 6]), ("--max_batch_size=1", [1]), ("--batch_sizes=1,3,9", [1, 3, 9])],
)
def test_the_batch_sizes_are_powers_of_two_or_those_given(export, tmp_path, flag, sizes):
    assert export(*paths(tmp_path), flag, "--model_name=other")[0] == 0
    text = (tmp_path / "out" / "other" / "1" / "batching_params.pbtxt").read_text()
    assert [int(line.split()[1]) for line in text.splitlines() if line.startswith("allowed_batch_sizes")] == sizes


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "--workdir is missing"),
        (["--workdir=nowhere", "--output=out"], "no experiment.json"),
        (["--workdir=nowhere"], "--output is missing"),
        (["--batch_sizes=1,2", "--max_batch_size=2"], "give one"),
        (["--batch_sizes=1,two"], "whole numbers"),
        (["--batch_sizes=2,1"], "rise"),
        (["--model_name=a/b"], "letters, digits"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(export, tmp_path, arguments, message):
    given = arguments if len(arguments) == 0 or arguments[0].startswith("--workdir") else [*paths(tmp_path), *arguments]
    code, _, errors = export(*given)
    assert code == 2 and errors.startswith("error: ") and message in errors.splitlines()[0]
    assert not (tmp_path / "out").exists()


def test_verifying_alone_publishes_nothing(export, tmp_path):
    code, output, _ = export("--verify_only=somewhere")
    assert code == 0 and json.loads(output) == {"session": {"sample": 0.0}}
    assert os.listdir(tmp_path) == ["run"]


def test_a_failed_check_ends_with_exit_code_2(tmp_path):
    """The whole command, in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "export.main", f"--verify_only={tmp_path}"], capture_output=True, text=True, timeout=300, cwd=os.getcwd()
    )
    assert ended.returncode == 2
    assert [line for line in ended.stderr.splitlines() if line.startswith("error: ")] == [
        f"error: {tmp_path}/saved_model.pb cannot be read as a SavedModel: [Errno 2] No such file or directory: '{tmp_path}/saved_model.pb'."
    ]
