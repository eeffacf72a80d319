"""SIGTERM and SIGINT as a wish to stop, which the training loop grants after saving."""

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def stop_signal() -> Iterator[list[int]]:
    """A list that SIGTERM and SIGINT put their number into, so that the loop can save and leave; a second one kills as usual."""
    received: list[int] = []
    before = {}

    def note(number, frame):
        received.append(number)
        signal.signal(number, before[number])

    try:
        for number in (signal.SIGTERM, signal.SIGINT):
            before[number] = signal.signal(number, note)
    except ValueError:  # not the main thread: the caller handles signals
        yield received
        return
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
