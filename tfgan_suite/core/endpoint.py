"""A servable function of a trained model. A leaf: `export/` reads these and knows no GAN."""

import dataclasses
from collections.abc import Callable
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One signature of the exported model.

    Every input and every output has the batch as axis 0, and row i of the outputs depends on row i of the inputs alone: a server
    concatenates the requests of different users.
    """

    name: str
    """The signature's key, e.g. `serving_default` or `sample`."""
    function: Callable[..., dict[str, Any]]
    """Takes the inputs by keyword, tensors [b, ...]; returns {output name: tensor [b, ...]}. Pure TensorFlow, no Python state."""
    inputs: dict[str, Any]
    """{input name: tf.TensorSpec([None, ...], dtype)}, at least one."""
    networks: tuple[Any, ...]
    """The Keras models whose variables the function reads."""
    examples: Callable[[int], dict[str, Any]]
    """b -> valid inputs with b rows, equal on every call: warm-up requests and verification use them."""
    encodings: tuple[str, ...] = ()
    """Forms in which `export` also offers the output `images`, as `<name>_<form>`: `png` and `jpeg` with the output `image_bytes`, a file per row,
    `uint8` with the output `images` as 8-bit pixels."""
