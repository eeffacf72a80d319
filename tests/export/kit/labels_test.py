import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from export.kit import labels


def entry(text):
    return text_format.Parse(text, model_server_config_pb2.ModelConfig())


def lists(*numbers):
    return f"model_version_policy {{ specific {{ versions: {list(numbers)} }} }}"


def points(**where):
    return "".join(f'version_labels {{ key: "{label}" value: {version} }}' for label, version in where.items())


LATEST = "model_version_policy { latest { num_versions: 2 } }"


def versions(of):
    return list(of.model_version_policy.specific.versions)


def test_step_one_loads_the_version_beside_all_others_and_moves_no_label():
    toy = entry(lists(41) + points(stable=41))
    labels.load(toy, 42, [40, 41, 42], labels.History())
    assert versions(toy) == [41, 42]
    assert dict(toy.version_labels) == {"stable": 41}


def test_step_one_changes_nothing_where_the_version_is_loaded_anyway():
    toy = entry(LATEST + points(stable=1, canary=2))
    before = toy.SerializeToString(deterministic=True)
    assert labels.load(toy, 2, [1, 2], labels.History()) == labels.History()
    assert toy.SerializeToString(deterministic=True) == before


def test_step_one_for_a_version_that_the_newest_two_do_not_hold_pins_them_and_remembers_the_policy():
    toy = entry(LATEST + points(stable=2, canary=3))
    history = labels.load(toy, 1, [1, 2, 3], labels.History())
    assert versions(toy) == [1, 2, 3]
    assert text_format.Parse(history.policy, model_server_config_pb2.ModelConfig().model_version_policy).latest.num_versions == 2


def test_step_two_moves_stable_alone_and_remembers_where_it_was():
    toy = entry(LATEST + points(stable=1, canary=2, blue=1))
    history = labels.promote(toy, 2, [1, 2], labels.History())
    assert dict(toy.version_labels) == {"stable": 2, "canary": 2, "blue": 1}
    assert history == labels.History(before=(1,))


@pytest.mark.parametrize("serving, canary, blue", [(None, 2, 2), ([1, 2, 3], 3, 2), ([1, 2], 2, 2), ([1, 2, 4], 2, 4)])
def test_a_label_on_a_version_that_the_server_may_not_have_goes_with_stable(serving, canary, blue):
    """Left where it is, it would keep the whole file out. Not asked, the server may have anything that is listed, but for the canary's version."""
    toy = entry(lists(1, 2, 3) + points(stable=1, canary=3, blue=4))
    labels.promote(toy, 2, [1, 2, 3], labels.History(), serving)
    assert dict(toy.version_labels) == {"stable": 2, "canary": canary, "blue": blue}
    toy = entry(lists(1, 2, 3) + points(stable=1, canary=3, blue=4))
    labels.roll_back(toy, 2, [1, 2, 3], labels.History(before=(2,)), serving)
    assert dict(toy.version_labels) == {"stable": 2, "canary": canary, "blue": blue}


def test_step_one_takes_a_blocking_label_to_stable_which_stays():
    toy = entry(lists(2, 3) + points(stable=2, canary=3))
    labels.load(toy, 1, [1, 2, 3], labels.History(), [2])
    assert (versions(toy), dict(toy.version_labels)) == ([1, 2, 3], {"stable": 2, "canary": 2})


def test_the_canary_is_never_older_than_stable():
    toy = entry(lists(1, 2, 3) + points(stable=1, canary=2))
    labels.promote(toy, 3, [1, 2, 3], labels.History())
    assert dict(toy.version_labels) == {"stable": 3, "canary": 3}


def test_a_listed_version_that_was_stable_before_the_last_is_no_longer_loaded():
    toy, history = entry(lists(41) + points(stable=41)), labels.History()
    for version in (42, 43, 44):
        history = labels.load(toy, version, [41, 42, 43, 44], history)
        history = labels.promote(toy, version, [41, 42, 43, 44], history)
    assert versions(toy) == [43, 44]
    assert history.before == (41, 42, 43)


def test_a_listed_version_with_a_label_of_the_users_stays_loaded():
    toy = entry(lists(41) + points(stable=41, blue=41))
    history = labels.History()
    for version in (42, 43):
        history = labels.promote(toy, version, [41, 42, 43], labels.load(toy, version, [41, 42, 43], history))
    assert versions(toy) == [41, 42, 43]


def test_a_rollback_pins_what_is_loaded_and_the_next_promotion_follows_the_folder_again():
    toy = entry(LATEST + points(stable=1, canary=2))
    history = labels.promote(toy, 2, [1, 2], labels.History())
    history = labels.roll_back(toy, history.target(2, [1, 2]), [1, 2], history)
    assert dict(toy.version_labels) == {"stable": 1, "canary": 1}
    assert versions(toy) == [1, 2]
    assert history.before == () and history.policy
    history = labels.load(toy, 3, [1, 2, 3], history)
    assert versions(toy) == [1, 2, 3]
    history = labels.promote(toy, 3, [1, 2, 3], history)
    assert toy.model_version_policy.latest.num_versions == 2
    assert dict(toy.version_labels) == {"stable": 3, "canary": 3}
    assert history == labels.History(before=(1,))


def test_a_pinned_policy_stays_while_a_label_needs_it():
    toy = entry(lists(1, 2, 3) + points(stable=1, blue=1))
    history = labels.promote(toy, 3, [1, 2, 3], labels.History(policy="latest { num_versions: 2 }"))
    assert versions(toy) == [1, 2, 3] and history.policy


def test_a_crash_between_the_two_files_leaves_a_history_that_the_next_promotion_sets_right():
    """The history was written and the label not moved: the current version is in the history already."""
    toy = entry(lists(1, 2) + points(stable=1))
    history = labels.promote(toy, 2, [1, 2], labels.History(before=(1,)))
    assert history.before == (1,) and versions(toy) == [1, 2]


@pytest.mark.parametrize(
    "before, current, available, target",
    [((), 1, [1], 0), ((1,), 2, [1, 2], 1), ((1, 2), 3, [1, 3], 1), ((1,), 2, [2], 0), ((1, 2), 2, [1, 2], 1)],
)
def test_the_way_back_is_the_last_version_on_disk_that_is_not_the_current_one(before, current, available, target):
    assert labels.History(before=before).target(current, available) == target
