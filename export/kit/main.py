"""`tfgan-serving`: promotes a version of a served model, rolls back, and says what is served.

tfgan-serving status   --output=export
tfgan-serving promote  --output=export --model=sngan --version=2 --server=http://localhost:8501
tfgan-serving rollback --output=export --model=sngan
"""

from collections.abc import Iterator, Sequence

from absl import flags

from export.kit import rollout, status
from tfgan_suite.cli import process

COMMANDS = ("promote", "rollback", "status")
_SECONDS = 420
"""Longer than TF Serving tries to load a version that fails: once and five times more, a minute apart."""


def main() -> None:
    """The command."""
    flags.DEFINE_string("output", None, "The folder that tfgan-export wrote to.")
    flags.DEFINE_string("model", None, "The model's name; status shows all unless told.")
    flags.DEFINE_integer(
        "version", None, "The version to promote; that of the label canary unless told, or the newest where the entry is pinned.", lower_bound=1
    )
    flags.DEFINE_string(
        "server", None, "URL of the server's REST port, e.g. http://localhost:8501: each step then waits until the server has taken it."
    )
    flags.DEFINE_integer("wait", _SECONDS, "Seconds to wait for the server in each step.", lower_bound=1)
    process.run(_run, choices=COMMANDS)


def _run(argv: Sequence[str]) -> None:
    for line in _lines(argv[1], flags.FLAGS):
        print(line, flush=True)


def _lines(command: str, values: flags.FlagValues) -> Iterator[str]:
    for name in ("output", *(["model"] if command != "status" else [])):
        if not values[name].value:
            raise ValueError(f"--{name} is missing: tfgan-serving {command} --output=<folder>{' --model=<name>' if command != 'status' else ''}.")
    if values.version is not None and command != "promote":
        raise ValueError(f"--version is of promote alone; {command} takes none.")
    if values.server and not values.server.startswith(("http://", "https://")):
        raise ValueError(f"--server is the URL of a REST port, e.g. http://localhost:8501. Received: {values.server!r}.")
    if command == "status":
        return status.report(values.output, values.model, values.server)
    server = rollout.Server(url=values.server, seconds=values.wait) if values.server else None
    if command == "promote":
        return rollout.promote(values.output, values.model, values.version, server)
    return rollout.roll_back(values.output, values.model, server)


if __name__ == "__main__":
    main()
