"""The server as a container: the Dockerfile with the models in it, and a compose file for one machine."""

import json
import re
from typing import Any

import yaml

from export import readme
from export.kit import resources, served

NAME = "tfgan-serving"
"""Of the image, and of everything in the cluster."""
USER = 65532
"""Of nobody in particular: images call it nonroot."""
GRPC_PORT, REST_PORT = 8500, 8501
CHECK_SECONDS, CHECKS = 10, 6
"""How long a check over REST may take, and how many fail in a row before the server is not healthy: the threads of REST answer requests as well, so a
busy server is late, and one that is taken away for it leaves more to the others."""
_LONGEST_TAG = 128


def image(of: served.Served) -> str:
    """Name and tag of the image: the newest version of each model."""
    tag = "_".join(f"{model.name}-{model.newest}" for model in of.models) or "empty"
    return f"{NAME}:{re.sub('[^A-Za-z0-9_.-]', '-', tag)[:_LONGEST_TAG]}"


def command(of: served.Served) -> list[str]:
    """The server's program and arguments. Named directly, and not by the image's script: a shell in between would keep signals from it."""
    flags = readme.server_flags(of.base_path, resources.needs(of).rest_timeout_ms)
    return ["tensorflow_model_server", f"--port={GRPC_PORT}", f"--rest_api_port={REST_PORT}", *flags]


def health_check(of: served.Served) -> list[str]:
    """A command, for within the container, that succeeds if every model has an available version. The image has no curl; bash speaks TCP."""
    names = " ".join(model.name for model in of.models)
    request = r'printf "GET /v1/models/$m HTTP/1.0\r\n\r\n" >&3'
    return ["bash", "-c", f"for m in {names}; do exec 3<>/dev/tcp/127.0.0.1/{REST_PORT} && {request} && grep -q '\"AVAILABLE\"' <&3 || exit 1; done"]


def dockerfile(of: served.Served) -> str:
    """The image of the server with the models of the folder in it."""
    copies = "\n".join(f"COPY --chown={USER}:{USER} {model.name} {of.base_path}/{model.name}" for model in of.models)
    started = ", \\\n    ".join(map(json.dumps, command(of)))
    missing = "".join(f"\n# {name} is configured and does not lie in this folder: mount it where models.config says." for name in of.elsewhere)
    return f"""\
# The server with the models of this folder in it. From the folder above:
#   docker build -f deploy/Dockerfile -t {image(of)} .
# All versions on disk go into the image; remove old ones first. After tfgan-serving promote or rollback, build it again, under a new tag.
FROM {readme.SERVER_IMAGE}

COPY --chown={USER}:{USER} models.config batching.config monitoring.config {of.base_path}/
{copies}{missing}

USER {USER}:{USER}
EXPOSE {GRPC_PORT} {REST_PORT}
HEALTHCHECK --interval=10s --timeout={CHECK_SECONDS}s --start-period={resources.needs(of).start_seconds}s --retries={CHECKS} \\
    CMD {json.dumps(health_check(of))}
ENTRYPOINT [{started}]
"""


def ignored(of: served.Served) -> str:
    """What the image's build leaves out: everything but what the Dockerfile copies, and versions in the making."""
    kept = "".join(f"!{name}\n" for name in ("models.config", "batching.config", "monitoring.config", *(model.name for model in of.models)))
    return f"# Read by docker build -f deploy/Dockerfile.\n*\n{kept}**/.staging-*\n"


def compose(of: served.Served) -> str:
    """One server of the folder on one machine."""
    need = resources.needs(of)
    server = {
        "image": readme.SERVER_IMAGE,
        "entrypoint": command(of)[:1],
        "command": command(of)[1:],
        "volumes": [{"type": "bind", "source": "..", "target": of.base_path, "read_only": True}],
        "ports": [f"127.0.0.1:{port}:{port}" for port in (GRPC_PORT, REST_PORT)],
        "user": f"{USER}:{USER}",
        "read_only": True,
        "tmpfs": ["/tmp"],
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "init": True,
        "restart": "unless-stopped",
        "stop_grace_period": f"{need.drain_seconds}s",
        "healthcheck": {
            "test": ["CMD", *(word.replace("$", "$$") for word in health_check(of))],
            "interval": "10s",
            "timeout": f"{CHECK_SECONDS}s",
            "retries": CHECKS,
            "start_period": f"{need.start_seconds}s",
        },
        "deploy": {"resources": {"limits": {"memory": f"{need.memory_bytes // 2**20}M"}}},
    }
    header = """\
# One server of this folder: docker compose -f deploy/compose.yaml up
# It follows the folder: new versions, and the labels of models.config, which it reads every 10 s. Everyone must be allowed to read the files.
# Ports are open on this machine alone: the server knows no passwords. "init" passes signals on; a first process ignores those it does not handle.
"""
    return header + "".join(f"# {line}\n" for line in need.explained) + dump({"services": {"server": server}})


class _Plain(yaml.SafeDumper):
    """Writes a value that occurs twice twice, where YAML would refer to the first."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump(data: Any) -> str:
    """YAML in the order that the data has."""
    return yaml.dump(data, Dumper=_Plain, sort_keys=False, width=1000)
