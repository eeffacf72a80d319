"""What is loaded when. The rules are those of TF Serving's sources and of docs/serving.md, tried without TensorFlow's loader."""

import concurrent.futures
import types

import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.config import model_server_config_pb2

from export.server import manager as managers


class Loader:
    """Loads names of directories, in the order asked; those in `broken` fail."""

    def __init__(self):
        self.broken, self.log = set(), []

    def __call__(self, directory):
        name = directory.rpartition("/")[2]
        if name in self.broken:
            raise ValueError(f"{name} is broken")
        self.log.append(f"+{name}")
        return types.SimpleNamespace(name=name, close=lambda: self.log.append(f"-{name}"))


@pytest.fixture
def loader():
    return Loader()


@pytest.fixture
def base(tmp_path):
    def add(*names):
        for name in names:
            (tmp_path / "toy" / str(name)).mkdir(parents=True)

    add(1)
    return types.SimpleNamespace(path=tmp_path / "toy", add=add)


def config(base, text=""):
    entry = f'config {{ name: "toy" base_path: "{base.path}" model_platform: "tensorflow" {text} }}'
    return text_format.Parse(f"model_config_list {{ {entry} }}", model_server_config_pb2.ModelServerConfig())


def spec(version=None, label=None, name="toy"):
    made = model_pb2.ModelSpec(name=name)
    if version is not None:
        made.version.value = version
    if label is not None:
        made.version_label = label
    return made


def serving(manager, **chosen):
    with manager.using(spec(**chosen)) as version:
        return version.number


def states(manager):
    return {version.number: version.state for version in manager.status(spec())}


@pytest.mark.parametrize(
    "policy, loaded",
    [
        ("", [4]),
        ("model_version_policy { latest { num_versions: 2 } }", [3, 4]),
        ("model_version_policy { latest { } }", [4]),
        ("model_version_policy { specific { versions: 1 versions: 3 versions: 9 } }", [1, 3]),
        ("model_version_policy { all { } }", [1, 3, 4]),
    ],
)
def test_the_policy_says_which_versions_are_loaded(loader, base, policy, loaded):
    base.add(3, 4)
    manager = managers.Manager(loader)
    manager.configure(config(base, policy))
    assert sorted(states(manager)) == loaded
    assert serving(manager) == loaded[-1]


def test_only_folders_with_a_number_for_a_name_are_versions(loader, base):
    base.add(".staging-2", "3.tmp", "-4", "v5", "00000006", str(2**63))
    (base.path / "7").write_text("a file")
    manager = managers.Manager(loader)
    manager.configure(config(base, "model_version_policy { all { } }"))
    assert states(manager) == {1: "AVAILABLE", 6: "AVAILABLE"}
    assert loader.log == ["+00000006", "+1"]  # the newest first


def test_a_new_version_is_loaded_before_the_old_one_goes(loader, base):
    manager = managers.Manager(loader)
    manager.configure(config(base))
    base.add(2)
    manager.look()
    assert loader.log == ["+1", "+2", "-1"]
    assert states(manager) == {1: "END", 2: "AVAILABLE"}
    assert serving(manager) == 2


def test_a_version_that_fails_is_refused_and_the_old_one_stays(loader, base, monkeypatch):
    manager = managers.Manager(loader)
    manager.configure(config(base))
    base.add(2)
    loader.broken.add("2")
    manager.look()
    manager.look()
    assert serving(manager) == 1
    assert states(manager) == {1: "AVAILABLE", 2: "END"}
    assert "2 is broken" in manager.status(spec(version=2))[0].error.message
    loader.broken.clear()
    manager.look()
    assert serving(manager) == 1  # not before a minute is over
    now = managers.time.monotonic()
    monkeypatch.setattr(managers.time, "monotonic", lambda: now + 61)
    manager.look()
    assert serving(manager) == 2


def test_a_failing_version_is_given_up_after_five_more_tries(loader, base, monkeypatch):
    attempts = []
    manager = managers.Manager(lambda directory: attempts.append(directory) or loader(directory))
    manager.configure(config(base))
    base.add(2)
    loader.broken.add("2")
    now = managers.time.monotonic()
    for minutes in range(10):
        monkeypatch.setattr(managers.time, "monotonic", lambda minutes=minutes: now + 61 * minutes)
        manager.look()
    assert len([directory for directory in attempts if directory.endswith("/2")]) == 6


def test_a_version_in_use_is_closed_by_its_last_request(loader, base):
    manager = managers.Manager(loader)
    manager.configure(config(base))
    with manager.using(spec()) as first, manager.using(spec()):
        base.add(2)
        manager.look()
        assert loader.log == ["+1", "+2"]
        assert first.servable.name == "1"
        assert states(manager)[1] == "UNLOADING"
    assert loader.log == ["+1", "+2", "-1"]
    assert states(manager)[1] == "END"


def test_no_request_fails_while_versions_come_and_go(base):
    """Every version handed out is open until it is given back."""

    class Strict:
        def __init__(self):
            self.open = True

        def close(self):
            self.open = False

    manager = managers.Manager(lambda directory: Strict())
    manager.configure(config(base))
    ended = []

    def ask():
        count = 0
        while not ended:
            with manager.using(spec()) as version:
                assert version.servable.open
                count += 1
        return count

    with concurrent.futures.ThreadPoolExecutor(4) as callers:
        asking = [callers.submit(ask) for _ in range(4)]
        for number in range(2, 30):
            base.add(number)
            manager.look()
        ended.append(True)
        assert all(one.result() > 0 for one in asking)


def test_a_version_that_vanishes_goes_and_one_that_comes_back_is_loaded_again(loader, base):
    base.add(2)
    manager = managers.Manager(loader)
    manager.configure(config(base))
    (base.path / "2").rmdir()
    manager.look()
    assert serving(manager) == 1
    base.add(2)
    manager.look()
    assert serving(manager) == 2
    assert loader.log == ["+2", "+1", "-2", "+2", "-1"]


def test_a_folder_that_cannot_be_read_for_a_moment_changes_nothing(loader, base):
    manager = managers.Manager(loader)
    manager.configure(config(base))
    base.path.rename(base.path.with_name("away"))
    manager.look()
    assert serving(manager) == 1


@pytest.mark.parametrize("broken", ["folder", "version"])
def test_a_new_model_without_a_version_to_serve_is_an_error(loader, base, broken):
    if broken == "version":
        loader.broken.add("1")
    else:
        base.path.rename(base.path.with_name("away"))
    with pytest.raises(tf.errors.UnknownError, match="Some models did not become available: toy: "):
        managers.Manager(loader).configure(config(base))


def labels(**numbers):
    return " ".join(f'version_labels {{ key: "{label}" value: {number} }}' for label, number in numbers.items())


BOTH = "model_version_policy { latest { num_versions: 2 } } "


def test_labels_at_the_start_need_the_flag(loader, base):
    refused = "Request to assign label to version 1 of model toy, which is not currently available for inference"
    with pytest.raises(tf.errors.FailedPreconditionError, match=refused):
        managers.Manager(loader).configure(config(base, labels(stable=1)))
    manager = managers.Manager(loader, labels_for_unavailable=True)
    manager.configure(config(base, labels(stable=1)))
    assert serving(manager, label="stable") == 1


@pytest.mark.parametrize("flag", [False, True])
def test_a_label_in_use_moves_to_a_loaded_version_only_so_promotion_takes_two_steps(loader, base, flag):
    manager = managers.Manager(loader, labels_for_unavailable=flag)
    manager.configure(config(base))
    manager.configure(config(base, labels(stable=1)))
    base.add(2)
    with pytest.raises(tf.errors.FailedPreconditionError, match="version 2 of model toy"):
        manager.configure(config(base, BOTH + labels(stable=2)))
    assert serving(manager, label="stable") == 1
    manager.configure(config(base, BOTH + labels(stable=1)))
    manager.look()
    assert (serving(manager, label="stable"), serving(manager)) == (1, 2)
    manager.configure(config(base, BOTH + labels(stable=2)))
    assert serving(manager, label="stable") == 2


def test_a_refused_label_leaves_every_label_where_it_was(loader, base):
    base.add(2)
    manager = managers.Manager(loader)
    manager.configure(config(base, BOTH))
    manager.configure(config(base, BOTH + labels(stable=1, canary=1)))
    with pytest.raises(tf.errors.FailedPreconditionError):
        manager.configure(config(base, BOTH + labels(stable=2, canary=9)))
    assert (serving(manager, label="stable"), serving(manager, label="canary")) == (1, 1)


@pytest.mark.parametrize("flag", [False, True])
def test_one_refused_label_keeps_the_whole_configuration_out(loader, base, flag):
    """Of another model as well: no model is added, no policy changed, no version loaded."""
    base.add(2)
    manager = managers.Manager(loader, labels_for_unavailable=flag)
    manager.configure(config(base, BOTH))
    manager.configure(config(base, BOTH + labels(stable=1)))
    wanted = config(base, "model_version_policy { all { } } " + labels(stable=7))
    wanted.model_config_list.config.add(name="other", base_path=str(base.path), model_platform="tensorflow")
    base.add(3)
    with pytest.raises(tf.errors.FailedPreconditionError, match="version 7 of model toy"):
        manager.configure(wanted)
    assert manager.names() == ["toy"]
    manager.look()
    assert states(manager) == {1: "END", 2: "AVAILABLE", 3: "AVAILABLE"}  # still the newest two


def test_with_the_flag_a_label_that_is_new_or_stays_may_name_a_version_that_is_not_loaded(loader, base):
    manager = managers.Manager(loader, labels_for_unavailable=True)
    manager.configure(config(base, labels(stable=1)))
    manager.configure(config(base, labels(stable=1, canary=7)))
    manager.configure(config(base, labels(stable=1, canary=7)))
    with pytest.raises(tf.errors.FailedPreconditionError, match="version 8 of model toy"):
        manager.configure(config(base, labels(stable=1, canary=8)))
    manager.configure(config(base, labels(stable=1)))  # a label that is taken away is new again
    manager.configure(config(base, labels(stable=1, canary=8)))


def test_a_label_of_a_version_that_was_unloaded_finds_nothing(loader, base):
    manager = managers.Manager(loader, labels_for_unavailable=True)
    manager.configure(config(base, labels(stable=1)))
    base.add(2)
    manager.look()
    with pytest.raises(tf.errors.NotFoundError, match=r"Servable not found for request: Specific\(toy, 1\)"):
        serving(manager, label="stable")
    with pytest.raises(tf.errors.InvalidArgumentError, match="Unrecognized servable version label: other"):
        serving(manager, label="other")


def test_rollback_by_a_specific_version(loader, base):
    base.add(2)
    manager = managers.Manager(loader)
    manager.configure(config(base))
    manager.configure(config(base, "model_version_policy { specific { versions: 1 } }"))
    assert serving(manager) == 2
    manager.look()
    assert serving(manager) == 1
    assert loader.log == ["+2", "+1", "-2"]


def test_a_model_missing_from_the_configuration_is_unloaded(loader, base):
    manager = managers.Manager(loader)
    manager.configure(config(base))
    other = config(base)
    other.model_config_list.config[0].name = "other"
    manager.configure(other)
    assert manager.names() == ["other"]
    assert loader.log == ["+1", "+1", "-1"] or loader.log == ["+1", "-1", "+1"]
    with pytest.raises(tf.errors.NotFoundError, match=r"Latest\(toy\)"):
        serving(manager)


def test_no_load_begins_once_it_ceases(loader, base):
    manager = managers.Manager(loader)
    manager.configure(config(base))
    base.add(2)
    manager.cease()
    manager.look()
    assert loader.log == ["+1"] and serving(manager) == 1
    manager.close()
    assert loader.log == ["+1", "-1"]


def test_closing_unloads_everything(loader, base):
    base.add(2)
    manager = managers.Manager(loader)
    manager.configure(config(base, BOTH))
    manager.close()
    assert sorted(loader.log[2:]) == ["-1", "-2"]
    assert manager.names() == []
