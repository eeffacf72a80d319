import itertools
import json
import logging as python_logging
import multiprocessing
import time

import pytest
import yaml

from export import versions
from export.kit import deploy


def update(folder):
    with versions.locked(str(folder.path)):
        deploy.update(str(folder.path), "/models")


def text(folder, name):
    return (folder.path / "deploy" / name).read_text()


def written(folder):
    """The files of the kit that are there."""
    root = folder.path / "deploy"
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


@pytest.fixture
def warnings(caplog):
    caplog.set_level(python_logging.WARNING)
    return caplog


def test_every_file_of_the_table_is_written_and_parses(folder):
    update(folder)
    assert written(folder) == {*deploy.FILES, ".written.json"}
    for name in deploy.FILES:
        assert text(folder, name).endswith("\n")
        if name.endswith(".yaml"):
            assert all(isinstance(document, dict) for document in yaml.safe_load_all(text(folder, name)))
            assert "&id" not in text(folder, name)  # YAML's references are hard to edit
        if name.endswith(".json"):
            assert json.loads(text(folder, name))


def test_the_next_export_brings_untouched_files_up_to_date(folder):
    update(folder)
    folder.add("toy", 3)
    update(folder)
    assert "tfgan-serving:toy-3_other-1" in text(folder, "kubernetes/deployment.yaml")
    assert "tfgan-serving:toy-3_other-1" in text(folder, "Dockerfile")


def test_a_changed_file_stays_for_ever_and_is_named(folder, warnings):
    update(folder)
    assert not warnings.records
    path = folder.path / "deploy" / "kubernetes" / "deployment.yaml"
    path.write_text(path.read_text() + "# ours\n")
    mine = path.read_text()
    for number in (3, 4):
        folder.add("toy", number)
        update(folder)
        assert path.read_text() == mine
    assert "kubernetes/deployment.yaml" in warnings.records[-1].getMessage()
    assert "toy-4" in text(folder, "Dockerfile")  # the others go on
    assert written(folder) == {*deploy.FILES, ".written.json"}  # and nothing lies about beside it


def test_a_file_moved_away_is_written_anew(folder):
    update(folder)
    path = folder.path / "deploy" / "compose.yaml"
    path.write_text("services: {}\n")
    update(folder)
    path.rename(folder.path / "deploy" / "ours.yaml")
    folder.add("toy", 3)
    update(folder)
    assert "tensorflow/serving" in path.read_text()
    path.unlink()
    folder.add("toy", 4)
    update(folder)
    assert "tensorflow/serving" in path.read_text()


def test_a_file_emptied_by_its_owner_stays_empty_without_a_word(folder, warnings):
    update(folder)
    path = folder.path / "deploy" / "kubernetes" / "autoscaler.yaml"
    path.write_text("")
    update(folder)
    assert path.read_text() == "" and not warnings.records


def test_files_that_were_there_before_the_kit_are_somebodys_own(folder):
    (folder.path / "deploy").mkdir()
    (folder.path / "deploy" / "Dockerfile").write_text("FROM scratch\n")
    update(folder)
    assert text(folder, "Dockerfile") == "FROM scratch\n"


@pytest.mark.parametrize("record", [None, "", "[]", "{}", "3"])
def test_without_a_record_nothing_is_overwritten(folder, record):
    update(folder)
    path = folder.path / "deploy" / ".written.json"
    path.unlink() if record is None else path.write_text(record)
    before = text(folder, "Dockerfile")
    folder.add("toy", 3)
    update(folder)
    assert text(folder, "Dockerfile") == before


def update_for_ever(folder, ready):
    """Writes another text to every file each time."""
    for i in itertools.count():
        deploy.FILES.update({name: lambda of, name=name, i=i: f"{name} {i}\n" for name in deploy.FILES})
        update(folder)
        ready.set()


def test_killed_at_any_moment_no_file_looks_like_somebodys_own(folder, warnings):
    """A process that updates without end is killed; then one update brings every file up to date."""
    fork = multiprocessing.get_context("fork")  # a new interpreter would take seconds to begin
    for delay in (0.0, 0.011, 0.017, 0.023, 0.037, 0.061):
        ready = fork.Event()
        process = fork.Process(target=update_for_ever, args=(folder, ready))
        process.start()
        assert ready.wait(timeout=30)
        time.sleep(delay)
        process.kill()
        process.join()
        update(folder)
        assert not warnings.records
        assert text(folder, "Dockerfile") == deploy.FILES["Dockerfile"](folder.served)
        assert written(folder) == {*deploy.FILES, ".written.json"}
