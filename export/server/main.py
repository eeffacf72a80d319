"""`tfgan-serve`: serves exported versions on this machine as TensorFlow Serving does, with a demo page. For development; see docs/serving.md."""

import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Sequence

from absl import app, flags, logging

from export.server import settings

_DEFINE = {str: flags.DEFINE_string, int: flags.DEFINE_integer, bool: flags.DEFINE_bool, float: flags.DEFINE_float}


def main() -> None:
    """The command."""
    # TensorFlow reads these when it is imported.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    for field in dataclasses.fields(settings.Config):
        _DEFINE[field.type](field.name, field.default, field.metadata["help"])
    app.run(_run)


def _run(argv: Sequence[str]) -> None:
    values = flags.FLAGS
    if len(argv) > 1:
        raise app.UsageError(f"Unexpected argument {argv[1]!r}; every setting is a flag (--name=value).")
    if not values["verbosity"].present:  # absl has replaced the default by then
        logging.set_verbosity(logging.INFO)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *unused: stopping.set())
    try:
        config = settings.Config(**{field.name: values[field.name].value for field in dataclasses.fields(settings.Config)})
        from export.server import running  # imports TensorFlow, after the settings above

        server = running.Server(config).start()
    except (ValueError, OSError) as error:
        if os.environ.get("TFGAN_TRACEBACK"):
            raise
        sys.exit(f"error: {error}\n(Set TFGAN_TRACEBACK=1 to see where it came from.)")
    print(f"gRPC {config.host}:{server.grpc_port}\nREST http://{config.host}:{server.rest_port}/ (a demo page in a browser)", flush=True)
    stopping.wait()
    server.stop()


if __name__ == "__main__":
    main()
