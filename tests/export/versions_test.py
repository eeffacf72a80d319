import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest
import tensorflow as tf

from export import linter, versions

KILLED = """
import os, sys
from export import versions

def die(*_):
    os.kill(os.getpid(), 9)

def rename_and_die(*names):
    rename(*names)
    die()

output, moment, rename = sys.argv[1], sys.argv[2], os.rename
with versions.staged(output, "toy") as staged:
    for name in ("a", "b"):
        with open(os.path.join(staged.directory, name), "w") as file:
            file.write("whole")
        if moment == "while writing":
            die()
    if moment == "while forcing to disk":
        os.fsync = die
    if moment == "before the rename":
        os.rename = die
    if moment == "after the rename":
        os.rename = rename_and_die
    staged.publish(lambda number: versions.replace_file(os.path.join(output, "models.config"), "text"))
"""


def publish(output, text="whole"):
    with versions.staged(str(output), "toy") as staged:
        for name in ("a", "b"):
            with open(os.path.join(staged.directory, name), "w") as file:
                file.write(text)
        return staged.publish(lambda number: None)


@pytest.mark.parametrize("moment", ["while writing", "while forcing to disk", "before the rename", "after the rename"])
def test_a_killed_export_leaves_no_unfinished_version_and_the_next_one_sweeps_its_leftovers(tmp_path, moment):
    publish(tmp_path)
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), moment], timeout=60)
    assert ended.returncode == -signal.SIGKILL
    finished = ["1", "2"] if moment == "after the rename" else ["1"]
    assert sorted(name for name in os.listdir(tmp_path / "toy") if name.isdigit()) == finished
    for number in finished:
        assert sorted(os.listdir(tmp_path / "toy" / number)) == ["a", "b"]
    assert any(name.startswith(".staging") for name in os.listdir(tmp_path / "toy"))
    publish(tmp_path)
    assert sorted(os.listdir(tmp_path / "toy")) == [*finished, str(len(finished) + 1)]
    assert os.listdir(tmp_path) == ["toy"]


def test_a_half_written_configuration_file_of_a_killed_export_is_swept(tmp_path):
    publish(tmp_path)
    (tmp_path / f".models.config-{'0' * 32}").write_text("model_config")
    publish(tmp_path)
    assert os.listdir(tmp_path) == ["toy"]


@pytest.mark.parametrize(
    "existing, expected", [([], 1), (["1"], 2), (["1", "7"], 8), (["007"], 8), (["10", "9"], 11), (["latest", "3.bak"], 1), (["9" * 30], 1)]
)
def test_a_version_is_the_last_number_plus_one(tmp_path, existing, expected):
    for name in existing:
        (tmp_path / "toy" / name).mkdir(parents=True)
    assert publish(tmp_path) == str(tmp_path / "toy" / str(expected))


def test_a_file_or_link_named_by_a_number_counts_as_a_version(tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "4").write_text("")
    os.symlink("nowhere", tmp_path / "toy" / "6")
    assert publish(tmp_path) == str(tmp_path / "toy" / "7")


def test_the_highest_version_a_server_reads_cannot_be_exceeded(tmp_path):
    (tmp_path / "toy" / str(2**63 - 1)).mkdir(parents=True)
    with pytest.raises(ValueError, match="highest"):
        publish(tmp_path)
    assert os.listdir(tmp_path / "toy") == [str(2**63 - 1)]


def test_an_existing_version_is_never_touched(tmp_path):
    first = publish(tmp_path, "first")
    before = {name: os.stat(os.path.join(first, name)) for name in os.listdir(first)}
    publish(tmp_path, "second")
    assert {name: os.stat(os.path.join(first, name)) for name in os.listdir(first)} == before
    with open(os.path.join(first, "a")) as file:
        assert file.read() == "first"


def test_a_failed_export_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyError), versions.staged(str(tmp_path / "new" / "output"), "toy"):
        raise KeyError
    assert os.listdir(tmp_path) == []


def test_two_exporters_at_once_get_two_versions_and_do_not_sweep_each_other(tmp_path):
    with versions.staged(str(tmp_path), "toy") as one:
        with versions.staged(str(tmp_path), "toy") as other:
            assert os.path.isdir(one.directory)
            second_to_start = other.publish(lambda number: None)
        first_to_start = one.publish(lambda number: None)
    assert [os.path.basename(path) for path in (second_to_start, first_to_start)] == ["1", "2"]


def test_a_failed_export_leaves_the_directories_that_another_one_uses(tmp_path):
    output = str(tmp_path / "new")
    with pytest.raises(KeyError), versions.staged(output, "toy"):
        publish(output)
        raise KeyError
    assert os.listdir(os.path.join(output, "toy")) == ["1"]


def test_what_is_not_an_exporters_stays(tmp_path):
    ours_by_name_only = tmp_path / "toy" / f".staging-{'0' * 32}"
    for path in (tmp_path / "toy" / ".staging-mine", ours_by_name_only, tmp_path / "toy" / "notes"):
        path.mkdir(parents=True)
        (path / "kept").write_text("")
    publish(tmp_path)
    assert sorted(os.listdir(tmp_path / "toy")) == sorted([".staging-mine", ours_by_name_only.name, "notes", "1"])


def test_replacing_a_file_keeps_the_old_one_until_the_new_is_complete(tmp_path, monkeypatch):
    path = tmp_path / "models.config"
    versions.replace_file(str(path), "old")

    def fail(*_):
        raise OSError("full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="full"):
        versions.replace_file(str(path), "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["models.config"]


PUBLISHING = """
import os, shutil, sys
from export import versions

source, output = sys.argv[1:]
while True:
    print("another", flush=True)
    with versions.staged(output, "toy") as staged:
        shutil.copytree(source, staged.directory, dirs_exist_ok=True)
        staged.publish(lambda number: versions.replace_file(os.path.join(output, "models.config"), "x" * 100_000 + "end"))
"""


def contents(directory):
    paths = sorted(os.path.join(parent, name) for parent, _, names in os.walk(directory) for name in names)
    found = {}
    for path in paths:
        with open(path, "rb") as file:
            found[os.path.relpath(path, directory)] = file.read()
    return found


class Watcher(threading.Thread):
    """Looks into the folder every millisecond, where a server does every second, and takes each version at the moment it is first seen."""

    def __init__(self, output, whole):
        super().__init__()
        self.output, self.whole, self.done = output, whole, threading.Event()
        self.seen, self.wrong, self.configurations = set(), [], 0

    def run(self):
        while not self.done.wait(0.001):
            self.look()

    def look(self):
        config, models = os.path.join(self.output, "models.config"), os.path.join(self.output, "toy")
        for number in sorted({name for name in os.listdir(models) if name.isdigit()} - self.seen if os.path.isdir(models) else ()):
            directory = os.path.join(models, number)
            self.seen.add(number)
            try:
                assert contents(directory) == self.whole and linter.lint(directory) == []
            except (AssertionError, OSError, ValueError) as error:
                self.wrong.append((number, error))
        if os.path.exists(config):
            self.configurations += 1
            with open(config) as file:
                if not file.read().endswith("end"):
                    self.wrong.append((config, "half"))


def test_a_watcher_never_sees_a_half_written_version_of_exporters_killed_at_any_moment(tmp_path):
    source, output = str(tmp_path / "source"), str(tmp_path / "output")
    module = tf.Module()
    module.double = tf.function(lambda x: {"y": 2.0 * x}, input_signature=[tf.TensorSpec([None], tf.float32)])
    tf.saved_model.save(module, source, signatures={"serving_default": module.double})
    os.mkdir(output)
    watcher, moments = Watcher(output, contents(source)), random.Random(0)
    watcher.start()
    try:
        for _ in range(12):
            process = subprocess.Popen([sys.executable, "-c", PUBLISHING, source, output], stdout=subprocess.PIPE)
            process.stdout.readline()
            begun = time.monotonic()
            assert process.stdout.readline() == b"another\n"
            time.sleep(moments.uniform(0.0, 2.0) * (time.monotonic() - begun))  # it goes on to publish: the second or the third version
            process.send_signal(signal.SIGKILL)
            assert process.wait(timeout=60) == -signal.SIGKILL
            process.stdout.close()
    finally:
        watcher.done.set()
        watcher.join()
    watcher.look()
    assert watcher.wrong == [] and watcher.configurations > 0
    with versions.staged(output, "toy") as staged:
        shutil.copytree(source, staged.directory, dirs_exist_ok=True)
        last = staged.publish(lambda number: None)
    numbers = [str(number) for number in range(1, len(watcher.seen) + 2)]
    assert len(watcher.seen) >= 12 and sorted(os.listdir(os.path.join(output, "toy"))) == sorted(numbers)
    assert all(contents(os.path.join(output, "toy", number)) == watcher.whole for number in numbers)
    assert sorted(os.listdir(output)) == ["models.config", "toy"]
    assert tf.saved_model.load(last).double(tf.constant([2.0]))["y"].numpy() == [4.0]
