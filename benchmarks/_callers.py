"""Many callers of one server at once, each of whom knows what every answer must be."""

import collections
import dataclasses
import random
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from export.client import client, errors, pictures

_REQUEST_SECONDS = 60.0
_PAUSE_SECONDS = 0.02
"""After a refusal, so that refusing is not all that the server does."""


class Question(NamedTuple):
    """One image."""

    seed: int
    label: int


class Answers:
    """The right answers: the files that the same signature gives in process, in batches of every size that the server may run.

    Sums of floats depend on the size of a batch in their last bit, and where a value lies between two grey levels so does the file. An answer that
    is none of these files is right too if it is within one grey level of them on at most 0.1 % of the values, the limit of the export's own
    verification.
    """

    def __init__(self, files: dict[Question, set[bytes]]):
        """ValueError if two questions have answers so close that one could pass for the other."""
        self._files = files
        self._images = {question: pictures.decode([min(given)])[0].astype(np.int32) for question, given in files.items()}
        self.questions = list(files)
        every = np.stack([self._images[question] for question in self.questions])
        for i, image in enumerate(every):
            close = np.flatnonzero([_is_close(other, image) for other in every])
            if len(close) > 1:
                raise ValueError(f"{[self.questions[j] for j in close]} look alike: a mixed-up answer to question {i} would not be noticed.")

    def judge(self, question: Question, file: bytes) -> str:
        """`equal`, byte for byte; `rounded`, as above; or `wrong`."""
        if file in self._files[question]:
            return "equal"
        try:
            image = pictures.decode([file])[0]
        except ValueError:
            return "wrong"
        return "rounded" if _is_close(image, self._images[question]) else "wrong"


def _is_close(image: np.ndarray, other: np.ndarray) -> bool:
    if image.shape != other.shape:
        return False
    levels = np.abs(image.astype(np.int32) - other)
    return bool(levels.max() <= 1 and np.mean(levels > 0) <= 1e-3)


@dataclasses.dataclass
class Outcome:
    """What the callers saw."""

    verdicts: collections.Counter = dataclasses.field(default_factory=collections.Counter)
    """How many answers were `equal`, `rounded`, `wrong`; how many requests failed, by the code."""
    answered: dict[str, list[tuple[float, float]]] = dataclasses.field(default_factory=lambda: collections.defaultdict(list))
    """{kind of caller: [(when, seconds since the beginning; the request's own seconds)]}"""
    messages: set[str] = dataclasses.field(default_factory=set)

    @property
    def requests(self) -> int:
        """All of them."""
        return sum(self.verdicts.values())

    @property
    def images(self) -> int:
        """Answers that are images of the right question."""
        return self.verdicts["equal"] + self.verdicts["rounded"]

    def seconds(self, kind: str = "") -> list[float]:
        """Of each answered request, of one kind of caller or of all."""
        return [seconds for name, answers in self.answered.items() for _, seconds in answers if kind in ("", name)]

    def rates(self, end: float, windows: int) -> list[float]:
        """Images per second in each of so many equal parts of the time until `end`; what was answered after it is left out."""
        when = [at for answers in self.answered.values() for at, _ in answers]
        counts, _ = np.histogram(when, bins=windows, range=(0.0, end))
        return (counts / (end / windows)).tolist()


def call(
    connections: Sequence[tuple[str, Callable[[], client.Client]]], answers: Answers, *, seconds: float, meanwhile: Callable[[], None]
) -> Outcome:
    """One thread per connection, (kind, how to connect), asks one image after another for so long. `meanwhile` is called ten times a second.

    It ends by itself: each request has a deadline.
    """
    outcome, lock = Outcome(), threading.Lock()
    begin: list[float] = []
    start = threading.Barrier(len(connections) + 1, action=lambda: begin.append(time.perf_counter()))

    def run(kind: str, connect: Callable[[], client.Client], draw: random.Random) -> None:
        with connect() as connected:
            reached = _reach(connected, start)
            while reached and (asked := time.perf_counter()) - begin[0] < seconds:
                question = draw.choice(answers.questions)
                verdict, message = _ask(connected, question, answers)
                now = time.perf_counter()
                with lock:
                    outcome.verdicts[verdict] += 1
                    if message:
                        outcome.messages.add(message)
                    else:
                        outcome.answered[kind].append((now - begin[0], now - asked))
                if message:
                    time.sleep(_PAUSE_SECONDS)

    threads = [threading.Thread(target=run, args=(*connection, random.Random(i)), daemon=True) for i, connection in enumerate(connections)]
    for thread in threads:
        thread.start()
    try:
        start.wait(timeout=2 * _REQUEST_SECONDS)
    except threading.BrokenBarrierError:
        raise RuntimeError("Not every caller reached the server.") from None
    while (left := seconds - (time.perf_counter() - begin[0])) > 0:
        meanwhile()
        time.sleep(min(0.1, left))
    for thread in threads:
        thread.join(2 * _REQUEST_SECONDS)
        if thread.is_alive():
            raise RuntimeError("A caller got no answer and no error by its deadline.")
    return outcome


def _reach(connected: client.Client, start: threading.Barrier) -> bool:
    """Connects, learns the signatures, and waits for all others. False, for them too, where that fails."""
    try:
        if connected.available(deadline=_REQUEST_SECONDS):
            connected.metadata(deadline=_REQUEST_SECONDS)
            start.wait()
            return True
    except (errors.ServerError, threading.BrokenBarrierError):
        pass
    start.abort()
    return False


def _ask(connected: client.Client, question: Question, answers: Answers) -> tuple[str, str]:
    """(verdict, message of a failure or "")."""
    inputs = {"seed": question.seed, "label": question.label, "truncation": 1.0}
    try:
        (file,) = connected.files("sample", inputs, deadline=_REQUEST_SECONDS)
    except errors.ServerError as error:
        return error.code, f"{error.code}: {error.text}"
    return answers.judge(question, file), ""
