"""What every command of the project does before and around its work. Imported first: it must not import TensorFlow."""

import os
import sys
from collections.abc import Callable, Collection, Sequence

from absl import app, flags, logging


def settings() -> None:
    """Process settings that TensorFlow reads when it is imported; what the user has set stays."""
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # 1.3 to 2.2 times faster on CPU
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"  # the Keras configuration of the user may name another


def run(
    main: Callable[[Sequence[str]], int | None],
    *,
    choices: Collection[str] = (),
    choice: str = "command",
    verbosity: int = logging.WARNING,
    flags_parser: Callable = app.parse_flags_with_usage,
) -> None:
    """Runs an absl `main(argv)`; a user's mistake, a ValueError or OSError, ends it with one clear line and exit code 2.

    `choices`: what the one argument that is no flag may be, `argv[1]`; without them there is none. `choice`: what it is called. `verbosity`: the
    level of absl's log unless the flag --verbosity says another; TensorFlow and TFDS tell much at INFO.
    """
    settings()

    def guarded(argv: Sequence[str]) -> int | None:
        if choices and (len(argv) != 2 or argv[1] not in choices):
            print(f"error: Name one {choice}: {', '.join(choices)}. Received: {' '.join(argv[1:]) or 'none'}.", file=sys.stderr)
            return 2
        if len(argv) > 1 and not choices:
            raise app.UsageError(f"Unexpected argument {argv[1]!r}; every setting is a flag (--name=value).")
        if not flags.FLAGS["verbosity"].present:  # absl has replaced the default by then
            logging.set_verbosity(verbosity)
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
