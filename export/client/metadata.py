"""What a server says about a model: its signatures, and the state of its versions."""

import dataclasses
from collections.abc import Mapping
from typing import Any

_INITIALIZER = "__saved_model_init_op"
"""TensorFlow's own: servers list it among the signatures, and it can't be called."""
_TYPES = {"DT_FLOAT": "float32", "DT_DOUBLE": "float64", "DT_HALF": "float16"}
"""Types whose name in TensorFlow's messages is not NumPy's."""


@dataclasses.dataclass(frozen=True)
class Tensor:
    """An input or output."""

    dtype: str
    """As NumPy names it, or `string`."""
    shape: tuple[int | None, ...] | None
    """None for a size that varies, axis 0 among them; None for any shape."""

    def __str__(self) -> str:
        if self.shape is None:
            return self.dtype
        sizes = ("b" if axis == 0 and size is None else "?" if size is None else str(size) for axis, size in enumerate(self.shape))
        return f"{self.dtype} [{', '.join(sizes)}]"


@dataclasses.dataclass(frozen=True)
class Signature:
    """A function that the server offers."""

    name: str
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]

    def __str__(self) -> str:
        return f"{self.name}({_listed(self.inputs)}) -> {_listed(self.outputs)}"


@dataclasses.dataclass(frozen=True)
class Metadata:
    """One version of a model."""

    model: str
    version: int
    signatures: Mapping[str, Signature]

    def __str__(self) -> str:
        return "\n".join([f"{self.model}, version {self.version}", *(f"  {signature}" for signature in self.signatures.values())])

    def signature(self, name: str) -> Signature:
        """The signature `name`. ValueError, listing those that there are."""
        if name not in self.signatures:
            raise ValueError(f"The model {self.model!r}, version {self.version}, has no signature {name!r}; it has {', '.join(self.signatures)}.")
        return self.signatures[name]


@dataclasses.dataclass(frozen=True)
class Version:
    """A version's state on the server."""

    number: int
    state: str
    """START, LOADING, AVAILABLE, UNLOADING, END, or UNKNOWN."""
    error: str
    """Why it failed; empty if it did not."""

    def __str__(self) -> str:
        return f"version {self.number}: {self.state}" + (f" ({self.error})" if self.error else "")


def parse(document: Any) -> Metadata:
    """From the JSON form of GetModelMetadataResponse, which is what REST answers. ValueError for anything else."""
    try:
        spec = document["model_spec"]
        definitions = document["metadata"]["signature_def"]["signature_def"]
        signatures = {
            name: Signature(name, _tensors(definition.get("inputs", {})), _tensors(definition.get("outputs", {})))
            for name, definition in sorted(definitions.items())
            if name != _INITIALIZER
        }
        return Metadata(spec["name"], int(spec.get("version", 0)), signatures)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is not the metadata of a model ({type(error).__name__}: {error})") from error


def parse_status(document: Any) -> tuple[Version, ...]:
    """From the JSON form of GetModelStatusResponse, newest version first as servers list them. ValueError for anything else."""
    try:
        return tuple(_version(entry) for entry in document["model_version_status"])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"this is not the status of a model ({type(error).__name__}: {error})") from error


def _version(entry: dict[str, Any]) -> Version:
    status = entry.get("status", {})
    code, text = status.get("error_code", "OK"), status.get("error_message", "")
    return Version(int(entry["version"]), entry["state"], "" if code == "OK" else f"{code}: {text}")


def _tensors(infos: dict[str, Any]) -> dict[str, Tensor]:
    return {name: Tensor(_dtype(info["dtype"]), _shape(info.get("tensor_shape", {}))) for name, info in sorted(infos.items())}


def _dtype(name: str) -> str:
    return _TYPES.get(name, name.removeprefix("DT_").lower())


def _shape(shape: dict[str, Any]) -> tuple[int | None, ...] | None:
    """Sizes are text, as JSON writes an int64; -1 varies."""
    if shape.get("unknown_rank"):
        return None
    sizes = [int(dimension.get("size", 0)) for dimension in shape.get("dim", [])]
    return tuple(None if size < 0 else size for size in sizes)


def _listed(tensors: Mapping[str, Tensor]) -> str:
    return ", ".join(f"{name} {tensor}" for name, tensor in tensors.items())
