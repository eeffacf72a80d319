import dataclasses
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading

import pytest
import yaml

from export import readme
from export.kit import containers

HADOLINT = shutil.which("hadolint") or f"{sys.prefix}/bin/hadolint"
COMPOSE_FIELDS = {
    **dict.fromkeys(("image", "user", "restart", "stop_grace_period"), str),
    **dict.fromkeys(("entrypoint", "command", "volumes", "ports", "tmpfs", "cap_drop", "security_opt"), list),
    **dict.fromkeys(("read_only", "init"), bool),
    **dict.fromkeys(("healthcheck", "deploy"), dict),
}
"""Of the compose specification, services section: the fields that are used, and their types."""
HEALTH_FIELDS = {"test", "interval", "timeout", "retries", "start_period"}
BIND_FIELDS = {"type", "source", "target", "read_only"}
DURATION = re.compile(r"(\d+(h|m|s|ms|us))+")


def instructions(text):
    """{instruction: what follows it}, of a Dockerfile whose lines go on after a backslash."""
    joined = re.sub(r"\\\n\s*", "", re.sub("^#.*\n", "", text, flags=re.MULTILINE))
    return [line.split(" ", 1) for line in joined.splitlines() if line]


def test_hadolint_finds_nothing(folder, tmp_path):
    (tmp_path / "Dockerfile").write_text(containers.dockerfile(folder.served))
    found = subprocess.run([HADOLINT, "--format", "json", str(tmp_path / "Dockerfile")], capture_output=True, text=True, timeout=60)
    assert (found.returncode, json.loads(found.stdout)) == (0, [])


def test_the_image_is_the_pinned_server_with_every_model_of_the_folder(folder):
    of = dataclasses.replace(folder.served, elsewhere=("far",))
    text = containers.dockerfile(of)
    read = instructions(text)
    assert read[0] == ["FROM", "tensorflow/serving:2.20.0"]
    assert ["COPY", "--chown=65532:65532 toy /models/toy"] in read and ["COPY", "--chown=65532:65532 other /models/other"] in read
    assert ["COPY", "--chown=65532:65532 models.config batching.config monitoring.config /models/"] in read
    assert "# far is configured and does not lie in this folder" in text
    (user,) = [value for name, value in read if name == "USER"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)


def test_the_server_is_started_with_the_flags_of_the_docker_command(folder):
    started = json.loads(dict(instructions(containers.dockerfile(folder.served)))["ENTRYPOINT"])
    assert started[0] == "tensorflow_model_server" and started[3:] == readme.server_flags("/models", 30_000)
    server = yaml.safe_load(containers.compose(folder.served))["services"]["server"]
    assert server["entrypoint"] + server["command"] == started


def test_a_slow_models_requests_have_the_time_that_its_largest_batch_takes(folder):
    toy = folder.served.models[0]
    slow = dataclasses.replace(toy.cost, largest=dataclasses.replace(toy.cost.largest, seconds=20.0))
    of = dataclasses.replace(folder.served, models=(dataclasses.replace(toy, cost=slow),))
    assert "--rest_api_timeout_in_ms=800000" in containers.command(of)
    (argument,) = [flag for flag in containers.command(of) if flag.startswith("--grpc_channel_arguments=")]
    assert argument.endswith("=grpc.max_connection_age_ms=30000,grpc.max_connection_age_grace_ms=800000")


def test_the_build_takes_what_the_dockerfile_copies_and_nothing_else(folder):
    lines = [line for line in containers.ignored(folder.served).splitlines() if not line.startswith("#")]
    assert lines[0] == "*"  # then the exceptions, of which the last that matches counts
    copied = {word for name, value in instructions(containers.dockerfile(folder.served)) if name == "COPY" for word in value.split()[1:-1]}
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert lines[-1] == "**/.staging-*"


def test_the_compose_file_has_fields_of_the_specification_of_the_right_types(folder):
    document = yaml.safe_load(containers.compose(folder.served))
    assert set(document) == {"services"}
    (server,) = document["services"].values()
    assert {name: type(value) for name, value in server.items()} == COMPOSE_FIELDS
    (volume,) = server["volumes"]
    assert set(volume) == BIND_FIELDS and volume["type"] == "bind" and volume["read_only"] is True
    assert set(server["healthcheck"]) == HEALTH_FIELDS and server["healthcheck"]["test"][0] == "CMD"
    for duration in (server["stop_grace_period"], *(server["healthcheck"][key] for key in ("interval", "timeout", "start_period"))):
        assert DURATION.fullmatch(duration)
    assert set(server["deploy"]["resources"]["limits"]) == {"memory"}


def test_the_compose_server_is_not_root_cannot_write_and_is_open_to_this_machine_alone(folder):
    server = yaml.safe_load(containers.compose(folder.served))["services"]["server"]
    assert server["image"] == "tensorflow/serving:2.20.0"
    assert not server["user"].startswith("0") and server["read_only"] and server["cap_drop"] == ["ALL"]
    assert server["ports"] == ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]


@pytest.mark.parametrize("states, healthy", [({"toy": "AVAILABLE", "other": "AVAILABLE"}, True), ({"toy": "AVAILABLE", "other": "LOADING"}, False)])
def test_the_health_check_succeeds_where_every_model_has_an_available_version(folder, states, healthy, monkeypatch):
    """The command itself, in bash, against a server that answers as TF Serving does."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"model_version_status": [{"version": "1", "state": states[self.path.split("/")[-1]]}]}, indent=1).encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setattr(containers, "REST_PORT", server.server_port)
    try:
        ended = subprocess.run(containers.health_check(folder.served), timeout=10)
    finally:
        server.shutdown()
        server.server_close()
    assert (ended.returncode == 0) == healthy
    assert sorted(asked) == ["/v1/models/other", "/v1/models/toy"]


def test_the_health_check_fails_where_no_server_is(folder, monkeypatch):
    monkeypatch.setattr(containers, "REST_PORT", 9)
    assert subprocess.run(containers.health_check(folder.served), timeout=10, stderr=subprocess.DEVNULL).returncode != 0


def test_compose_does_not_take_the_health_checks_variables_for_its_own(folder):
    test = yaml.safe_load(containers.compose(folder.served))["services"]["server"]["healthcheck"]["test"]
    assert [word.replace("$$", "$") for word in test[1:]] == containers.health_check(folder.served)
    assert not re.search(r"(?<!\$)\$(?!\$)", "".join(test))


def test_the_images_tag_names_the_newest_versions(folder):
    assert containers.image(folder.served) == "tfgan-serving:toy-2_other-1"
    long = dataclasses.replace(folder.served, models=tuple(dataclasses.replace(folder.served.models[0], name="m" * 90) for _ in range(2)))
    assert re.fullmatch(r"[\w][\w.-]{0,127}", containers.image(long).split(":")[1])
