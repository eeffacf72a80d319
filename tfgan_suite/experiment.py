"""`Experiment`: everything that decides a run's numbers, as typed dataclasses, and their JSON form.

How a run is executed (strategy, data folder, work folder) is not part of it and may change on resume.
"""

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Callable
from typing import Any

from pipelines import spec


@dataclasses.dataclass(kw_only=True)
class Training:
    """How long, and in which numbers."""

    steps: int = 100_000
    """Generator steps."""
    precision: str = "float32"
    """`float32`, `mixed_bfloat16` or `mixed_float16`."""
    jit_compile: bool = False
    """Compiles the step with XLA (one device, or TPU). On a CPU it is slower in float32."""
    steps_per_execution: int = 1
    """Steps in one call of the compiled function; `steps` and every period below must be multiples of it."""


@dataclasses.dataclass(kw_only=True)
class Checkpointing:
    """Checkpoints under `<workdir>/<phase>/checkpoints`."""

    every_steps: int = 1000
    keep: int = 3
    """The newest this many stay."""
    best: str = ""
    """A metric of the evaluation; the checkpoint with its best value stays as well. Empty keeps none."""


@dataclasses.dataclass(kw_only=True)
class Logging:
    """TensorBoard events, JSON lines, the progress line, and sample grids of fixed latents."""

    every_steps: int = 50
    samples_every_steps: int = 500
    samples_rows: int = 8
    """The grid has this many rows and columns; a conditional one has a column per class (up to 40) instead."""


@dataclasses.dataclass(kw_only=True)
class Evaluation:
    """What is measured, during training and by `tfgan-evaluate`, and the protocol it is measured under."""

    every_steps: int = 0
    """0 measures only when asked."""
    metrics: tuple[str, ...] = ("fid",)
    """Names in `metrics.catalog.METRICS`."""
    extractor: str = "embedded"
    """`embedded`, `inception[:<path>]`, `keras:<application>[:<weights>]`, `file:<path>`, `channels` (stacked digits) or `numbers` (vectors)."""
    samples: int = 10_000
    """Generated images that are judged."""
    reference_split: str = "test"
    """`train` or `test`."""
    reference_samples: int = 10_000
    """Real images (the whole split if it has fewer)."""
    truncation: float = math.inf
    """Latents are resampled beyond this magnitude."""
    batch_size: int = 100


@dataclasses.dataclass(kw_only=True)
class Health:
    """What happens when training goes wrong: a loss that is not finite, a saturated discriminator, samples that have collapsed."""

    action: str = "stop"
    """`stop` ends the run with an error, `roll_back` returns to the last good checkpoint and goes on with other random numbers, `warn` logs."""
    max_roll_backs: int = 3
    check_every_steps: int = 100
    saturation: float = 50.0
    """The discriminator is saturated when real and fake logits are further apart than this, in the mean."""
    min_diversity: float = 0.01
    """Samples have collapsed when the mean absolute pixel difference between two of them, in [0, 2], is below this."""

    def __post_init__(self):
        if self.action not in ("stop", "roll_back", "warn"):
            raise ValueError(f"health.action must be stop, roll_back or warn. Received: {self.action!r}.")


@dataclasses.dataclass(kw_only=True)
class Transfer:
    """Where the networks begin."""

    source: str = ""
    """The workdir of another run, whose networks this one starts with in place of random ones; read once, when the run begins."""
    checkpoint: str = "latest"
    """`latest`, `best`, or the step of a checkpoint that the source kept."""


@dataclasses.dataclass(kw_only=True)
class Experiment:
    """One run. A preset is one of these, named `<variant>/<preset>`."""

    variant: str
    """A name in `registry.VARIANTS`."""
    model: Any
    """The variant's `Config`."""
    data: spec.DatasetConfig = dataclasses.field(default_factory=spec.DatasetConfig)
    training: Training = dataclasses.field(default_factory=Training)
    transfer: Transfer = dataclasses.field(default_factory=Transfer)
    checkpointing: Checkpointing = dataclasses.field(default_factory=Checkpointing)
    logging: Logging = dataclasses.field(default_factory=Logging)
    evaluation: Evaluation = dataclasses.field(default_factory=Evaluation)
    health: Health = dataclasses.field(default_factory=Health)
    seed: int = 0

    def __post_init__(self):
        k = self.training.steps_per_execution
        if k < 1 or self.training.steps < 1:
            raise ValueError(f"training.steps and training.steps_per_execution must be at least 1. Received: {self.training.steps}, {k}.")
        periods = {
            "training.steps": self.training.steps,
            "checkpointing.every_steps": self.checkpointing.every_steps,
            "logging.every_steps": self.logging.every_steps,
            "logging.samples_every_steps": self.logging.samples_every_steps,
            "evaluation.every_steps": self.evaluation.every_steps,
            "health.check_every_steps": self.health.check_every_steps,
        }
        for name, steps in periods.items():
            if steps < 0 or steps % k:
                raise ValueError(f"{name} must be a multiple of training.steps_per_execution={k}, not negative. Received: {steps}.")
        if self.checkpointing.every_steps < 1 or self.checkpointing.keep < 1:
            raise ValueError("checkpointing.every_steps and .keep must be at least 1: a run without checkpoints cannot be resumed.")
        if self.checkpointing.best and not self.evaluation.every_steps:
            raise ValueError(
                f"checkpointing.best={self.checkpointing.best!r} needs evaluation.every_steps: the best is chosen among the evaluations."
            )

    def judged_by(self, *, metrics: tuple[str, ...] | None = None, extractor: str | None = None) -> "Experiment":
        """A copy that is judged otherwise; what is None or empty stays."""
        given = {"metrics": metrics, "extractor": extractor}
        evaluation = dataclasses.replace(self.evaluation, **{name: value for name, value in given.items() if value})
        return dataclasses.replace(self, evaluation=evaluation)


def demo(variant: str, model: Any, *, steps: int = 2000, learns: str = "captioned_shapes/studio") -> Experiment:
    """A preset that visibly learns the built-in dataset in minutes on two cores."""
    metrics = ("fid", "kid", "prdc", "diversity") + (("agreement", "intra_fid") if getattr(model, "conditional", False) else ())
    return Experiment(
        variant=variant,
        model=model,
        data=spec.DatasetConfig(source=learns, batch_size=64),
        training=Training(steps=steps),
        checkpointing=Checkpointing(every_steps=500, keep=2),
        logging=Logging(every_steps=50, samples_every_steps=500),
        evaluation=Evaluation(metrics=metrics, samples=2000, reference_samples=4000),
    )


def debug(variant: str, model: Any) -> Experiment:
    """A preset of a few steps on the built-in dataset, for tests."""
    return Experiment(
        variant=variant,
        model=model,
        data=spec.DatasetConfig(batch_size=8),
        training=Training(steps=4),
        checkpointing=Checkpointing(every_steps=2),
        logging=Logging(every_steps=1, samples_every_steps=2, samples_rows=2),
        evaluation=Evaluation(metrics=("fid",), samples=64, reference_samples=64, batch_size=32),
        health=Health(check_every_steps=2),
    )


def published(variant: str, model: Any, steps: int, data: spec.DatasetConfig) -> Experiment:
    """A preset judged as the class-conditional models of the literature are: 50,000 samples against the training images, features of Inception."""
    return Experiment(
        variant=variant,
        model=model,
        data=data,
        training=Training(steps=steps),
        checkpointing=Checkpointing(every_steps=1000),
        evaluation=Evaluation(
            metrics=("fid", "is", "intra_fid"), extractor="inception", samples=50_000, reference_split="train", reference_samples=50_000
        ),
    )


def small(variant: str, model: Any, steps: int, data: spec.DatasetConfig, *, checkpoints: int) -> Experiment:
    """A preset that two cores train on real images within hours, and that keeps this many checkpoints, evenly spaced, for a curve of the scores."""
    every = steps // checkpoints
    metrics = ("fid", "kid", "prdc") + (("agreement", "diversity") if getattr(model, "conditional", False) else ())
    return Experiment(
        variant=variant,
        model=model,
        data=data,
        training=Training(steps=steps),
        checkpointing=Checkpointing(every_steps=every, keep=checkpoints),
        logging=Logging(samples_every_steps=every),
        evaluation=Evaluation(metrics=metrics),
    )


# JSON


def to_json(value: Any) -> Any:
    """Dataclasses become {"type": class name, field: ...}, tuples lists, infinities strings."""
    if dataclasses.is_dataclass(value):
        return {"type": type(value).__name__} | {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [to_json(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def from_json(value: Any, kind: Any, resolve: Callable[[str], type], path: str = "experiment") -> Any:
    """The inverse: builds `kind` (a type annotation), checking every field's name and type.

    `resolve` gives the class for a "type" name, from a literal table. Raises a ValueError that says where, what and what is allowed.
    """
    if isinstance(value, dict):
        return _object(value, kind, resolve, path)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        if not isinstance(value, list):
            raise ValueError(f"{path} must be a list. Received: {value!r}.")
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        if len(kinds) != len(value):
            raise ValueError(f"{path} must have {len(kinds)} items. Received: {value!r}.")
        return tuple(from_json(v, k, resolve, f"{path}[{i}]") for i, (v, k) in enumerate(zip(value, kinds, strict=True)))
    if kind is float and value in ("inf", "-inf", "nan"):
        return float(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind in (int, float, str, bool) and type(value) is kind:
        return value
    name = getattr(kind, "__name__", str(kind))
    raise ValueError(f"{path} must be of type {name}. Received: {value!r} ({type(value).__name__}).")


def _object(value: dict[str, Any], kind: Any, resolve, path: str) -> Any:
    fields = dict(value)
    allowed = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if "type" not in fields and (kind is Any or len(allowed) > 1):
        raise ValueError(f'{path} needs a "type"' + (f": {' or '.join(k.__name__ for k in allowed)}." if len(allowed) > 1 else "."))
    cls = resolve(fields.pop("type")) if "type" in fields else kind
    if not (kind is Any or (isinstance(cls, type) and issubclass(cls, tuple(k for k in allowed if isinstance(k, type))))):
        raise ValueError(f"{path} must be one of {', '.join(getattr(k, '__name__', str(k)) for k in allowed)}. Received: {cls.__name__}.")
    hints = typing.get_type_hints(cls)
    names = [f.name for f in dataclasses.fields(cls)]
    for name in fields:
        if name not in names:
            raise ValueError(f"{path} ({cls.__name__}) has no field {name!r}. {nearest(name, names)}")
    missing = [f.name for f in dataclasses.fields(cls) if f.name not in fields and f.default is f.default_factory is dataclasses.MISSING]
    if missing:
        raise ValueError(f"{path} ({cls.__name__}) lacks {', '.join(missing)}.")
    return cls(**{name: from_json(v, hints[name], resolve, f"{path}.{name}") for name, v in fields.items()})


def nearest(name: str, names: list[str]) -> str:
    """ "Did you mean ...? Allowed: ..." for an error about an unknown name."""
    close = difflib.get_close_matches(name, names, n=3)
    hint = f"Did you mean {' or '.join(close)}? " if close else ""
    return f"{hint}Allowed: {', '.join(names)}."


def differences(here: Any, there: Any, path: str = "") -> list[str]:
    """Where two JSON forms differ, a line each: "model.latent_size: 64 here, 128 there"."""
    if isinstance(here, dict) and isinstance(there, dict):
        keys = [*here, *(k for k in there if k not in here)]
        return [d for k in keys for d in differences(here.get(k, "(nothing)"), there.get(k, "(nothing)"), f"{path}.{k}" if path else k)]
    if isinstance(here, list) and isinstance(there, list) and len(here) == len(there):
        return [d for i, (a, b) in enumerate(zip(here, there, strict=True)) for d in differences(a, b, f"{path}[{i}]")]
    return [] if here == there else [f"{path}: {here!r} here, {there!r} there"]
