"""Numeric precision of the networks. Heads, losses, penalties and optimizer states stay float32 under every policy."""

import contextlib
from collections.abc import Iterator

import keras

POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


def check(name: str) -> None:
    """Raises a ValueError unless `name` is in POLICIES."""
    if name not in POLICIES:
        raise ValueError(f"Unknown precision {name!r}. Allowed: {', '.join(POLICIES)}.")


@contextlib.contextmanager
def policy(name: str) -> Iterator[None]:
    """Layers built inside get this dtype policy; the global one is put back afterwards."""
    check(name)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
