"""`tfgan-serve`: serves exported versions on this machine as TensorFlow Serving does, with a demo page. For development; see docs/serving.md."""

import dataclasses
import signal
import threading
from collections.abc import Sequence
from typing import Any

from absl import flags, logging

from export.server import settings
from tfgan_suite.cli import process

_DEFINE = {str: flags.DEFINE_string, int: flags.DEFINE_integer, bool: flags.DEFINE_bool, float: flags.DEFINE_float}


def main() -> None:
    """The command."""
    for field in dataclasses.fields(settings.Config):
        _DEFINE[field.type](field.name, field.default, field.metadata["help"])
    process.run(_run, verbosity=logging.INFO)


def _run(argv: Sequence[str]) -> None:
    values = flags.FLAGS
    stopping, started = threading.Event(), threading.Event()

    def stop(*unused: Any) -> None:
        first = not stopping.is_set()
        stopping.set()
        if first and not started.is_set():
            raise SystemExit(0)  # out of the loading of a model, as soon as TensorFlow returns; the server then stops what it has

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    config = settings.Config(**{field.name: values[field.name].value for field in dataclasses.fields(settings.Config)})
    from export.server import running  # imports TensorFlow, after the process settings

    server = running.Server(config).start()
    started.set()
    print(f"gRPC {config.host}:{server.grpc_port}\nREST http://{config.host}:{server.rest_port}/ (a demo page in a browser)", flush=True)
    stopping.wait()
    server.stop()


if __name__ == "__main__":
    main()
