"""Trying again, with exponential backoff and jitter, until a deadline.

One loop for both protocols: urllib3's Retry knows no deadline over all tries, and gRPC's own retries none for a single one.
"""

import dataclasses
import math
import random
import time
from collections.abc import Callable
from typing import TypeVar

from export.client import errors

Answer = TypeVar("Answer")

_LONGEST_SECONDS = 7 * 24 * 3600.0
"""What stands for an infinite deadline, which sockets and gRPC do not take."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Policy:
    """How often, and how long in between."""

    attempts: int = 5
    """At most so many tries, the first one included; gRPC's own limit (gRFC A6)."""
    attempt_seconds: float = math.inf
    """The longest wait for the answer to one try. Unless told, all that the deadline leaves: a batch that takes long takes as long when it is sent
    again, beside the first one, which the server still computes."""
    first_wait: float = 0.2
    """Seconds before the second try; doubled for each further one. Half of a wait is drawn, so that clients that failed together do not return
    together."""
    longest_wait: float = 5.0

    def __post_init__(self):
        if self.attempts < 1 or min(self.attempt_seconds, self.first_wait, self.longest_wait) <= 0:
            raise ValueError(f"Retries need at least one attempt and times above 0; received {self}.")

    def wait(self, failures: int, drawn: float) -> float:
        """Seconds after so many `failures`; `drawn`: in [0, 1)."""
        return min(self.longest_wait, self.first_wait * 2.0 ** (failures - 1)) * (0.5 + 0.5 * drawn)


def call(
    ask: Callable[[float], Answer],
    policy: Policy,
    deadline: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    draw: Callable[[], float] = random.random,
) -> Answer:
    """`ask(seconds it may take)`, again while it raises a `ServerError` that may pass. `deadline`: by `clock`.

    Raises the last error when the attempts are used up, the next wait would end past the deadline, or another try cannot help: so does a try that
    took too long though it had all the time that was left.
    """
    failures = 0
    while True:
        left = deadline - clock()
        try:
            return ask(max(0.001, min(left, policy.attempt_seconds, _LONGEST_SECONDS)))
        except errors.ServerError as error:
            failures += 1
            wait = policy.wait(failures, draw())
            too_long = error.code == "DEADLINE_EXCEEDED" and left <= policy.attempt_seconds
            if error.code not in errors.RETRYABLE or too_long or failures >= policy.attempts or clock() + wait >= deadline:
                raise
        sleep(wait)
