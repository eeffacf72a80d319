"""What every command does before and around its work. Imported first: it must not import TensorFlow."""

import os
import sys
from collections.abc import Callable, Sequence

from absl import app, flags, logging


def settings() -> None:
    """Process settings that TensorFlow reads when it is imported; what the user has set stays."""
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # 1.3 to 2.2 times faster on CPU
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # the Keras configuration of the user may name another


def run(main: Callable[[Sequence[str]], int | None], flags_parser: Callable = app.parse_flags_with_usage) -> None:
    """Runs an absl `main(argv)`; a user's mistake ends it with one clear line and exit code 2."""
    settings()

    def guarded(argv: Sequence[str]) -> int | None:
        if len(argv) > 1:
            raise app.UsageError(f"Unexpected argument {argv[1]!r}; every setting is a flag (--name=value).")
        if not flags.FLAGS["verbosity"].present:  # absl has replaced the default by then
            logging.set_verbosity(logging.WARNING)  # TensorFlow and TFDS tell much at INFO; --verbosity=0 shows it
        try:
            return main(argv)
        except (ValueError, OSError) as error:
            if os.environ.get("TFGAN_TRACEBACK"):
                raise
            print(f"error: {error}", file=sys.stderr)
            print("(Set TFGAN_TRACEBACK=1 to see where it came from.)", file=sys.stderr)
            return 2

    app.run(guarded, flags_parser=flags_parser)


def logical_cpus(count: int) -> None:
    """Shows the CPU as `count` devices. Only before TensorFlow has used it."""
    if count == 1:
        return
    import tensorflow as tf

    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * count)
