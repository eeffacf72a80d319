import json
import random
import re
import signal
import socket

import commands
import numpy as np
import pytest

STEPS = 40


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return commands.image_folder(tmp_path_factory.mktemp("images") / "set")


def arguments(source, workdir, data_dir, *more):
    return [
        "--experiment=sngan/debug",
        f"--experiment.data.source={source}",
        "--experiment.data.batch_size=4",
        "--experiment.model.body=compact",
        f"--experiment.training.steps={STEPS}",
        "--experiment.checkpointing.every_steps=5",
        "--experiment.logging.samples_every_steps=20",
        "--experiment.health.check_every_steps=0",
        f"--workdir={workdir}",
        f"--data_dir={data_dir}",
        *more,
    ]


def kill_somewhere(process) -> int:
    """SIGKILL at a random step after the first checkpoint; returns the step that was last reported."""
    target = random.randint(7, STEPS - 5)
    for line in process.stdout:
        match = re.search(r"step (\d+)/", line)
        if match and int(match[1]) >= target:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return int(match[1])
    raise AssertionError("the run ended before it was killed")


@pytest.mark.parametrize("strategy", ["default", "mirrored"])
def test_killed_and_restarted_equals_never_stopped_bit_for_bit(source, tmp_path, strategy):
    how = [f"--strategy={strategy}", f"--logical_cpus={2 if strategy == 'mirrored' else 1}"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    code, output = commands.run("tfgan_suite.cli.train", *arguments(source, whole, tmp_path, *how))
    assert code == 0, output
    kill_somewhere(commands.start("tfgan_suite.cli.train", *arguments(source, broken, tmp_path, *how)))
    assert not (broken / "train/checkpoints" / f"ckpt-{STEPS}.index").exists()
    code, output = commands.run("tfgan_suite.cli.train", *arguments(source, broken, tmp_path, *how))
    assert code == 0, output
    expected, actual = (commands.checkpoint_values(d / "train/checkpoints" / f"ckpt-{STEPS}") for d in (whole, broken))
    assert expected.keys() == actual.keys()
    for name, value in expected.items():
        np.testing.assert_array_equal(actual[name], value, err_msg=name)
    logs = [[json.loads(line) for line in (d / "train/logs/train.jsonl").read_text().splitlines()] for d in (whole, broken)]
    assert logs[0] == logs[1]
    assert [record["step"] for record in logs[1]] == list(range(1, STEPS + 1))


def test_sigterm_saves_the_step_and_leaves_cleanly(source, tmp_path):
    workdir = tmp_path / "run"
    process = commands.start("tfgan_suite.cli.train", *arguments(source, workdir, tmp_path, "--experiment.training.steps=100000"))
    for line in process.stdout:
        if re.search(r"step (7|8|9)/", line):
            process.send_signal(signal.SIGTERM)
            break
    output = process.stdout.read()
    assert process.wait() == 0, output
    assert "saved at step" in output
    saved = max(int(p.stem.removeprefix("ckpt-")) for p in (workdir / "train/checkpoints").glob("ckpt-*.index"))
    assert saved >= 7 and f"saved at step {saved}" in output


def workers(source, workdir, data_dir, *more):
    """Two processes of one MultiWorkerMirrored run on this machine."""
    sockets = [socket.socket() for _ in range(2)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{s.getsockname()[1]}" for s in sockets]
    for s in sockets:
        s.close()
    return [
        commands.start(
            "tfgan_suite.cli.train",
            *arguments(source, workdir, data_dir, "--strategy=multi_worker_mirrored", *more),
            TF_CONFIG=json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}}),
        )
        for i in range(2)
    ]


@pytest.mark.slow
def test_two_workers_train_checkpoint_and_resume_after_a_kill(source, tmp_path):
    workdir = tmp_path / "two"
    first = workers(source, workdir, tmp_path)
    kill_somewhere(first[0])
    first[1].kill()
    first[1].wait()
    before = max(int(p.stem.removeprefix("ckpt-")) for p in (workdir / "train/checkpoints").glob("ckpt-*.index"))
    assert 5 <= before < STEPS
    second = workers(source, workdir, tmp_path)
    outputs = [process.communicate(timeout=600)[0] for process in second]
    assert [process.returncode for process in second] == [0, 0], outputs
    steps = [json.loads(line)["step"] for line in (workdir / "train/logs/train.jsonl").read_text().splitlines()]
    assert steps == list(range(1, STEPS + 1))
