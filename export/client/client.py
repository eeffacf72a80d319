"""A client of one model behind a server that speaks TensorFlow Serving's protocol: TensorFlow Serving itself, or `tfgan-serve`.

Made by `rest.connect` or `rpc.connect`:

    from export.client import rest

    with rest.connect("localhost:8501", "sngan") as generator:
        images = generator.sample(range(16), label=3)  # uint8 [16, h, w, c]

Inputs are an array with a row per image, or one value for all rows. They are checked against what the server says about the model before anything is
sent: a label outside the classes would otherwise cost a whole batch, other users' rows included.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np

from export.client import errors, pictures, retries, rows
from export.client import metadata as metadata_lib

Checked = TypeVar("Checked")

_CHUNK = 32
"""Rows of the largest request that tfgan-export lets a server take, unless told otherwise."""
_DEADLINE_SECONDS = 60.0
_STALE = frozenset({"FAILED_PRECONDITION", "INVALID_ARGUMENT", "NOT_FOUND"})
"""What a server answers when its model is no longer the one whose metadata were read."""


class Transport(Protocol):
    """One protocol to one model. Methods raise `errors.ServerError`, within about so many `seconds`."""

    where: str
    """The server, for messages."""
    image_encodings: Sequence[str]
    """Suffixes of signatures that answer 8-bit pixels without a loss, best first."""

    def predict(
        self, signature: metadata_lib.Signature, inputs: Mapping[str, np.ndarray], outputs: Sequence[str], seconds: float
    ) -> dict[str, np.ndarray]:
        """The `outputs` of a signature, or all of them where none is named."""

    def metadata(self, seconds: float) -> metadata_lib.Metadata:
        """The signatures."""

    def status(self, seconds: float) -> tuple[metadata_lib.Version, ...]:
        """The versions."""

    def close(self) -> None:
        """Closes the connections."""


class Client:
    """Every method raises ValueError for a request that cannot be right, and `errors.ServerError` where the server has no answer.

    A request that may succeed later is sent again (`retries.Policy`). Every method takes a `deadline`, in seconds for the whole call with all its
    requests and tries.
    """

    def __init__(self, transport: Transport, *, chunk: int = _CHUNK, deadline: float = _DEADLINE_SECONDS, policy: retries.Policy | None = None):
        """`chunk`: most rows in one request; a call with more is split. `deadline`: of calls that are given none."""
        if chunk < 1:
            raise ValueError(f"A request has at least one row; received chunk={chunk}.")
        _check_deadline(deadline)
        self._transport = transport
        self._chunk = chunk
        self._deadline = deadline
        self._policy = policy or retries.Policy()
        self._known: metadata_lib.Metadata | None = None

    def sample(self, seed: Any, *, truncation: Any = math.inf, deadline: float | None = None, **conditions: Any) -> np.ndarray:
        """Images of seeds, as `images` answers them; `conditions` by name, e.g. `label=3` or `label=[0, 1, 2]`.

        A seed always gives the same image. `truncation`: latents are resampled beyond this magnitude; infinite is none.
        """
        return self.images("sample", {"seed": seed, "truncation": truncation} | conditions, deadline=deadline)

    def interpolate(
        self, seed: Any, other_seed: Any, position: Any, *, truncation: Any = math.inf, deadline: float | None = None, **conditions: Any
    ) -> np.ndarray:
        """Images between two seeds, as `images` answers them; `position`: 0 is the first seed's image, 1 the other's."""
        between = {"seed": seed, "other_seed": other_seed, "position": position, "truncation": truncation}
        return self.images("interpolate", between | conditions, deadline=deadline)

    def images(self, signature: str, inputs: Mapping[str, Any], *, deadline: float | None = None) -> np.ndarray:
        """The images of a signature as uint8 [b, h, w, c]; of a model of vectors, which has no 8-bit form, its own float32 values.

        Asks the exact form of the signature that is the cheapest: `<signature>_png` over REST, where numbers are text; `<signature>_uint8` over gRPC,
        which spares the server the compression.
        """
        end = self._end(deadline)

        def choose(known: metadata_lib.Metadata) -> tuple[metadata_lib.Signature, dict[str, np.ndarray]]:
            names = [f"{signature}_{encoding}" for encoding in self._transport.image_encodings]
            found = known.signature(next((name for name in names if name in known.signatures), signature))
            if not {"images", "image_bytes"} & set(found.outputs):
                raise ValueError(f"The signature has no images: {found}.")
            return found, rows.prepare(found, inputs)

        chosen, prepared = self._checked(choose, end)
        if "image_bytes" not in chosen.outputs:
            return self._ask(chosen, prepared, ("images",), end)["images"]
        files = self._ask(chosen, prepared, ("image_bytes",), end)["image_bytes"]
        try:
            return pictures.decode(files.tolist())
        except ValueError as error:
            raise errors.ServerError("INTERNAL", self._transport.where, f"{chosen.name} answered {error}") from error

    def files(self, signature: str, inputs: Mapping[str, Any], *, encoding: str = "png", deadline: float | None = None) -> list[bytes]:
        """The images of a signature as files, the bytes of one per row, as the server encoded them: `png`, or `jpeg` where the model offers it."""
        return self.predict(f"{signature}_{encoding}", inputs, outputs=("image_bytes",), deadline=deadline)["image_bytes"].tolist()

    def predict(
        self, signature: str, inputs: Mapping[str, Any], *, outputs: Sequence[str] = (), deadline: float | None = None
    ) -> dict[str, np.ndarray]:
        """{output: array [b, ...]} of any signature; only `outputs`, where they are named, which over gRPC spares the way of the others.

        Rows of one call may be answered by two versions, if a new one is loaded meanwhile and the client was not connected to one version.
        """
        end = self._end(deadline)

        def choose(known: metadata_lib.Metadata) -> tuple[metadata_lib.Signature, dict[str, np.ndarray]]:
            found = known.signature(signature)
            absent = [name for name in outputs if name not in found.outputs]
            if absent:
                raise ValueError(f"There is no output {', '.join(absent)}. The signature is {found}.")
            return found, rows.prepare(found, inputs)

        chosen, prepared = self._checked(choose, end)
        return self._ask(chosen, prepared, outputs, end)

    def metadata(self, *, deadline: float | None = None) -> metadata_lib.Metadata:
        """The version that requests go to, and its signatures."""
        return self._learn(self._end(deadline))

    def status(self, *, deadline: float | None = None) -> tuple[metadata_lib.Version, ...]:
        """The model's versions on the server, or the one that the client was connected to."""
        return retries.call(self._transport.status, self._policy, self._end(deadline))

    def available(self, *, deadline: float = 5.0) -> bool:
        """Whether a version is ready to answer; asked once. False too where there is no server, or no such model."""
        _check_deadline(deadline)
        try:
            return any(version.state == "AVAILABLE" for version in self._transport.status(deadline))
        except errors.ServerError:
            return False

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *unused: Any) -> None:
        self.close()

    def _end(self, deadline: float | None) -> float:
        if deadline is not None:
            _check_deadline(deadline)
        return time.monotonic() + (self._deadline if deadline is None else deadline)

    def _learn(self, end: float) -> metadata_lib.Metadata:
        self._known = retries.call(self._transport.metadata, self._policy, end)
        return self._known

    def _checked(self, check: Callable[[metadata_lib.Metadata], Checked], end: float) -> Checked:
        """`check(metadata)` by what is known; what that refuses is checked again by new metadata, for the model may be a new one."""
        if self._known is not None:
            try:
                return check(self._known)
            except ValueError:
                pass
        return check(self._learn(end))

    def _ask(self, signature: metadata_lib.Signature, inputs: dict[str, np.ndarray], outputs: Sequence[str], end: float) -> dict[str, np.ndarray]:
        answers: list[dict[str, np.ndarray]] = []
        for part in rows.split(inputs, self._chunk):
            if answers and time.monotonic() >= end:
                text = f"the time was over after {len(answers) * self._chunk} of {len(next(iter(inputs.values())))} rows"
                raise errors.ServerError("DEADLINE_EXCEEDED", self._transport.where, text)
            answers.append(self._ask_once(signature, part, outputs, end))
        return {name: np.concatenate([answer[name] for answer in answers]) for name in answers[0]}

    def _ask_once(self, signature: metadata_lib.Signature, part: dict[str, np.ndarray], outputs: Sequence[str], end: float) -> dict[str, np.ndarray]:
        try:
            answer = retries.call(lambda seconds: self._transport.predict(signature, part, outputs, seconds), self._policy, end)
        except errors.ServerError as error:
            if error.code in _STALE:
                self._known = None
            raise
        sent = len(next(iter(part.values())))
        for name in outputs or signature.outputs:
            given = answer.get(name)
            if given is None or not given.ndim or len(given) != sent:
                shape = "nothing" if given is None else f"an array of shape {list(given.shape)}"
                raise errors.ServerError("INTERNAL", self._transport.where, f"{signature.name} answered {shape} as {name!r} for {sent} rows")
        return answer


def _check_deadline(seconds: float) -> None:
    if not seconds > 0:
        raise ValueError(f"A deadline is a number of seconds above 0; received {seconds}.")
