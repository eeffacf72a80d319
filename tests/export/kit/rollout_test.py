import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from export import serving_config, versions
from export.kit import labels, rollout


def entry(folder, model="toy"):
    config = serving_config.parse_models((folder.path / "models.config").read_text())
    return next(entry for entry in config.model_config_list.config if entry.name == model)


def stable(folder):
    return dict(entry(folder).version_labels)["stable"]


class FollowingServer:
    """Does as TF Serving does with the file: loads the versions of the policy, some readings later, and refuses the whole file for one label in use
    that it would move to a version that is not loaded."""

    def __init__(self, folder, delay=0):
        self.folder, self.delay = folder, delay
        self.loaded, self.labels = {"toy": {1, 2}, "other": {1}}, {"toy": {"stable": 1, "canary": 2}, "other": {"stable": 1, "canary": 1}}
        self.policy = entry(folder).model_version_policy
        self.refused, self.seen, self.broken = [], {}, set()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                status, body = owner.answer(self.path)
                body = json.dumps(body).encode()
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def answer(self, path):
        """(HTTP status, body). A status ignores a label, metadata resolve it."""
        self.read()
        _, _, _, model, *of = path.split("/")
        if of[:1] == ["labels"] and of[2:] == ["metadata"]:
            version = self.labels[model].get(of[1])
            if version not in self.loaded[model]:
                return 404 if version else 400, {"error": "no"}
            return 200, {"model_spec": {"name": model, "signature_name": "", "version": str(version)}, "metadata": {}}
        versions = [int(of[1])] if of[:1] == ["versions"] else sorted(self.loaded[model] | set(self.seen))
        states = [(version, "AVAILABLE" if version in self.loaded[model] else "LOADING") for version in versions]
        return 200, {
            "model_version_status": [{"version": str(v), "state": s, "status": {"error_code": "OK", "error_message": ""}} for v, s in states]
        }

    def read(self):
        """A reading of the file: refused whole for one label; then, and at every look at the folder, versions begin to load."""
        config = serving_config.parse_models((self.folder.path / "models.config").read_text()).model_config_list.config
        wanted = {one.name: dict(one.version_labels) for one in config}
        refused = [
            (model, label, version)
            for model, labels in wanted.items()
            for label, version in labels.items()
            if self.labels[model].get(label, version) != version and version not in self.loaded[model]
        ]
        self.refused += refused
        if not refused:
            self.labels, self.policy = wanted, entry(self.folder).model_version_policy
        available = [int(name) for name in os.listdir(self.folder.path / "toy") if name.isdigit()]
        for version in set(serving_config.loaded(self.policy, sorted(available))) - self.broken:
            self.seen[version] = self.seen.get(version, 0) + 1
            if self.seen[version] > self.delay:
                self.loaded["toy"].add(version)


@pytest.fixture
def server(folder):
    following = FollowingServer(folder)
    yield following
    following.http.shutdown()
    following.http.server_close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr("export.kit.state._POLL_SECONDS", 0.01)


def test_a_loaded_version_is_promoted_in_one_command(folder):
    said = list(rollout.promote(str(folder.path), "toy", 2, None))
    assert stable(folder) == 2
    assert said[0] == "stable of toy: version 1 -> 2."


def test_without_a_number_the_canary_is_promoted(folder):
    list(rollout.promote(str(folder.path), "toy", None, None))
    assert stable(folder) == 2


def test_without_a_promotion_exports_follow_each_other_and_stable_stays_loaded(folder, server):
    for number in (3, 4, 5):
        folder.add("toy", number)
        server.read()
        assert number in server.loaded["toy"] and stable(folder) == 1
        assert {1, number} <= set(entry(folder).model_version_policy.specific.versions)
    assert server.refused == []
    said = list(rollout.promote(str(folder.path), "toy", None, rollout.Server(url=server.url, seconds=20)))
    assert "stable of toy: version 1 -> 5." in said and server.labels["toy"] == {"stable": 5, "canary": 5}
    assert entry(folder).model_version_policy.latest.num_versions == 2


def test_a_version_that_is_not_loaded_takes_the_two_commands_that_are_printed(folder):
    list(rollout.promote(str(folder.path), "toy", 2, None))
    folder.add("toy", 3)
    assert list(entry(folder).model_version_policy.specific.versions) == [2, 3]
    said = list(rollout.promote(str(folder.path), "toy", 1, None))
    assert said[0] == "canary of toy: version 3 -> 2." and said[1].startswith("Step 1 of 2") and stable(folder) == 2
    assert list(entry(folder).model_version_policy.specific.versions) == [1, 2, 3]
    assert said[-1].strip() == f"tfgan-serving promote --output={folder.path} --model=toy --version=1"
    list(rollout.promote(str(folder.path), "toy", 1, None))
    assert stable(folder) == 1


def test_with_a_server_no_label_ever_points_at_a_version_that_it_has_not_loaded(folder, server):
    list(rollout.promote(str(folder.path), "toy", 2, None))
    folder.add("toy", 3)
    server.delay, server.labels["toy"] = 4, {"stable": 2, "canary": 3}
    server.loaded["toy"] = {2, 3}
    said = list(rollout.promote(str(folder.path), "toy", 1, rollout.Server(url=server.url, seconds=20)))
    assert server.refused == [] and server.labels["toy"]["stable"] == 1
    assert said[0].startswith("Step 1 of 2") and said[-1] == f"{server.url} answers stable with version 1."


@pytest.mark.parametrize("target", [1, 2])
def test_a_canary_that_never_loads_does_not_keep_a_rollback_out(folder, server, target):
    """The version that is returned to is loaded or not; the export's canary points at one that fails for ever."""
    list(rollout.promote(str(folder.path), "toy", 2, None))
    folder.add("toy", 3)
    list(rollout.promote(str(folder.path), "toy", 3, None))
    folder.add("toy", 4)
    server.labels["toy"], server.loaded["toy"], server.broken = {"stable": 3, "canary": 3}, {3} | ({2} if target == 2 else set()), {4}
    if target == 1:
        (folder.path / "toy" / "2").rename(folder.path / "toy" / ".2")
    list(rollout.roll_back(str(folder.path), "toy", rollout.Server(url=server.url, seconds=20)))
    assert server.labels["toy"]["stable"] == target and server.labels["toy"]["canary"] != 4


def test_a_label_of_another_model_that_keeps_the_file_out_is_named_and_nothing_is_written(folder, server):
    folder.add("other", 2)
    before = (folder.path / "models.config").read_text()
    with pytest.raises(ValueError, match="as long as the label canary of other is at version 2, which it has not loaded: it has the label at 1"):
        list(rollout.promote(str(folder.path), "toy", 2, rollout.Server(url=server.url, seconds=20)))
    assert (folder.path / "models.config").read_text() == before


def test_a_version_that_never_loads_leaves_the_label_where_it_was(folder, server):
    server.loaded["toy"], server.delay = {1}, 10**9
    with pytest.raises(ValueError, match=r"version 2 of toy is not available; the server at .* says LOADING"):
        list(rollout.promote(str(folder.path), "toy", 2, rollout.Server(url=server.url, seconds=0.05)))
    assert stable(folder) == 1


def test_a_rollback_returns_to_the_version_before_and_no_later_export_moves_it_on(folder):
    list(rollout.promote(str(folder.path), "toy", 2, None))
    said = list(rollout.roll_back(str(folder.path), "toy", None))
    assert stable(folder) == 1 and said[0] == "stable of toy: version 2 -> 1."
    assert said[1] == "canary of toy: version 2 -> 1." and "takes the place of those without a label" in said[-2]
    for number in (3, 4):
        folder.add("toy", number)
        assert stable(folder) == 1
    list(rollout.promote(str(folder.path), "toy", 4, None))
    list(rollout.promote(str(folder.path), "toy", 4, None))
    assert stable(folder) == 4 and entry(folder).model_version_policy.latest.num_versions == 2


def test_a_rollback_loads_a_version_that_is_no_longer_loaded_first(folder, server):
    list(rollout.promote(str(folder.path), "toy", 2, None))
    server.read()
    for number in (3, 4):
        folder.add("toy", number)
        server.read()  # refuses the canary, and loads its version
        list(rollout.promote(str(folder.path), "toy", number, None))
        server.read()
    for target in (3, 2, 1):
        list(rollout.roll_back(str(folder.path), "toy", rollout.Server(url=server.url, seconds=20)))
        assert stable(folder) == target
    with pytest.raises(ValueError, match="no version of toy to return to"):
        list(rollout.roll_back(str(folder.path), "toy", None))


def test_a_rollback_without_a_promotion_is_refused_and_changes_nothing(folder):
    before = [(folder.path / name).read_text() for name in ("models.config", "history.json")]
    with pytest.raises(ValueError, match="no version of toy to return to: stable is 1"):
        list(rollout.roll_back(str(folder.path), "toy", None))
    assert [(folder.path / name).read_text() for name in ("models.config", "history.json")] == before


def test_other_models_stay_as_they_are(folder):
    before = entry(folder, "other")
    list(rollout.promote(str(folder.path), "toy", 2, None))
    assert entry(folder, "other") == before


@pytest.mark.parametrize(
    "model, version, message",
    [("toy", 7, "no version 7 on disk. It has: 1, 2"), ("nobody", 1, "no model 'nobody'. It has: other, toy")],
)
def test_what_is_not_there_is_refused_with_what_is(folder, model, version, message):
    with pytest.raises(ValueError, match=message):
        list(rollout.promote(str(folder.path), model, version, None))


def test_a_folder_without_a_configuration_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"not an export folder: it has no models\.config"):
        list(rollout.promote(str(tmp_path), "toy", 1, None))
    with pytest.raises(ValueError, match="is not a folder"):
        list(rollout.promote(str(tmp_path / "missing"), "toy", 1, None))


def test_a_promotion_waits_for_an_exporter_that_is_publishing(folder):
    done = threading.Event()

    def promote():
        list(rollout.promote(str(folder.path), "toy", 2, None))
        done.set()

    with versions.locked(str(folder.path)):
        waiting = threading.Thread(target=promote)
        waiting.start()
        assert not done.wait(0.2) and stable(folder) == 1
    waiting.join(timeout=10)
    assert done.is_set() and stable(folder) == 2


def test_killed_at_any_moment_the_configuration_is_whole(folder):
    """Promotes and rolls back for ever in a process of its own, which is killed; then the next command works."""
    loop = (
        "import itertools, sys\nfrom export.kit import rollout\nprint('on', flush=True)\n"
        "for i in itertools.count():\n    list(rollout.promote(sys.argv[1], 'toy', 2 - i % 2, None))\n"
    )
    for delay in (0.0, 0.013, 0.031, 0.05):
        process = subprocess.Popen([sys.executable, "-c", loop, str(folder.path)], stdout=subprocess.PIPE, env=os.environ)
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        assert stable(folder) in (1, 2)
        other = 3 - stable(folder)
        list(rollout.promote(str(folder.path), "toy", other, None))
        list(rollout.roll_back(str(folder.path), "toy", None))
        assert stable(folder) == 3 - other


def test_the_history_says_only_what_labels_needs(folder):
    list(rollout.promote(str(folder.path), "toy", 2, None))
    history = json.loads((folder.path / "history.json").read_text())
    assert labels.History(**history["toy"] | {"before": tuple(history["toy"]["before"])}) == labels.History(before=(1,))
