"""Publishes a model for serving: endpoints -> a checked, numbered SavedModel version and the server's configuration beside it."""

import functools
import json
import os
import posixpath
import re
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from export import card_folder, expectations, facts, readme, rounding, serving_config, signatures, verify, versions, warmup
from export.kit import cost, deploy, measure, resources, served
from tfgan_suite.core import endpoint as endpoints_lib

_MODEL_NAME = re.compile(r"[A-Za-z0-9_]+")
_DEFAULT, _DEFAULT_AS_ATTRIBUTE = "serving_default", "generate"
METADATA = os.path.join("assets.extra", "metadata.json")


class _Servable(tf.Module):
    """Holds raw tf.Variables and resources, and each signature's function as an attribute of its name, for callers of `tf.saved_model.load`.

    It must not track a Keras object: a session, so a server, would then miss the variables.
    """

    def __init__(self, variables: Sequence[tf.Variable], resources: Sequence[Any], functions: dict[str, Any]):
        super().__init__()
        self.weights = list(variables)
        self.resources = list(resources)
        for name, function in functions.items():
            if hasattr(self, name):
                raise ValueError(f"The endpoint name {name!r} is taken by TensorFlow; rename the endpoint.")
            setattr(self, name, function)


def publish(
    endpoints: Sequence[endpoints_lib.Endpoint],
    output: str,
    model_name: str,
    *,
    batch_sizes: Sequence[int] = (1, 2, 4, 8, 16, 32),
    serving_base_path: str = "/models",
    precision: str = "float32",
    metadata: dict[str, Any],
    run: facts.Run | None = None,
) -> str:
    """Publishes `endpoints` as the next version of `<output>/<model_name>/` and returns its directory.

    The version appears in one step, after it was reloaded in processes of its own and answered as the model does; an existing version is
    never touched. `batch_sizes`: the sizes that a batching server pads to; the last is the largest request. `serving_base_path`: `output` as
    the server sees it. `precision`: what weights are stored as, a key of `rounding.PRECISIONS`; anything is computed in float32 as before, from the
    rounded weights. `metadata`: what the version was made from, kept in it as JSON, with `precision` and how far it took the outputs. `run`:
    what its model card states of the training.

    Raises ValueError for what the caller can correct, and for a version that fails its checks; OSError where `output` cannot be written.
    Either way the version does not appear, and nothing is left in its place.
    """
    if not _MODEL_NAME.fullmatch(model_name):
        raise ValueError(f"The model name {model_name!r} becomes a directory and a part of URLs: letters, digits and underscores only.")
    if model_name == deploy.DIRECTORY:
        raise ValueError(f"A model cannot be named {model_name!r}: that folder holds the files to deploy with. Choose another name.")
    serving_base_path = _folder(serving_base_path)
    sizes = serving_config.check_batch_sizes(batch_sizes)
    serving_config.check_existing(output)
    built = signatures.build(rounding.stored(endpoints, precision))
    expected = expectations.compute(built)
    metadata = metadata | {"precision": rounding.report(endpoints, expected, precision)}
    try:
        with versions.staged(output, model_name) as staged:
            _fill(staged.directory, built, expected, model_name, sizes, metadata)
            verify.write_report(staged.directory, verify.verify(staged.directory, staged.scratch))
            card_folder.write(staged.directory, model_name, built, run or facts.Run())
            cost.write(staged.directory, measure.measure(staged.directory, built, sizes))
            description = functools.partial(readme.text, output, serving_base_path, model_name, sizes, built)
            return staged.publish(lambda number: _describe(output, model_name, serving_base_path, sizes, description, number))
    except (OSError, tf.errors.OpError) as error:
        raise OSError(f"Cannot publish under {os.path.join(output, model_name)}: {error}. Is it writable, with space left?") from error


def _folder(serving_base_path: str) -> str:
    """The path in its shortest form, which every file that names it repeats. ValueError for one that is not a folder below the root."""
    path = posixpath.normpath("/" + serving_base_path.lstrip("/"))
    if not serving_base_path.startswith("/") or path == "/":
        raise ValueError(
            f"The serving base path must be absolute and below the root, where the server's own files are; received {serving_base_path!r}. "
            "Mount the folder elsewhere, e.g. at /models."
        )
    return path


def _fill(
    directory: str,
    built: Sequence[signatures.Signature],
    expected: dict[str, expectations.Expectation],
    model_name: str,
    batch_sizes: Sequence[int],
    metadata: dict[str, Any],
) -> None:
    """Writes everything that a version holds but the report of its checks."""
    save(built, directory)
    os.makedirs(os.path.join(directory, "assets.extra"), exist_ok=True)
    expectations.write(directory, expected)
    warmup.write(directory, model_name, built, batch_sizes)
    with open(os.path.join(directory, serving_config.VERSION_BATCHING), "w", encoding="utf-8") as file:
        file.write(serving_config.batching(batch_sizes))
    with open(os.path.join(directory, METADATA), "w", encoding="utf-8") as file:
        json.dump(metadata, file, indent=2, sort_keys=True)


def save(built: Sequence[signatures.Signature], directory: str) -> None:
    """Writes the SavedModel of `built`: each variable that a signature reads once, nothing else of the networks.

    `tf.saved_model.load(directory).<signature>(...)` works beside `.signatures[...]`, and as an endpoint of `keras.layers.TFSMLayer`; what a server
    calls `serving_default` is called `generate` there too.
    """
    variables, resources = _state(built)
    # Traced functions: saving would trace a tf.function once more, and the graph would hold everything twice.
    functions = {signature.name: signature.concrete for signature in built}
    attributes = {_DEFAULT_AS_ATTRIBUTE: functions[_DEFAULT]} | functions if _DEFAULT in functions else functions
    tf.saved_model.save(_Servable(variables, resources, attributes), directory, signatures=functions)


def _state(built: Sequence[signatures.Signature]) -> tuple[list[tf.Variable], list[Any]]:
    """(the raw variables that the signatures read, the resources such as lookup tables), each once."""
    variables: dict[int, tf.Variable] = {}
    resources: dict[int, Any] = {}
    for signature in built:
        networks = signature.endpoint.networks
        held = {id(part): raw for network in networks for raw in map(_raw, getattr(network, "variables", ())) for part in _parts(raw)}
        resources |= {id(network): network for network in networks if not hasattr(network, "variables")}
        for variable in signature.concrete.graph.variables:
            if id(variable) not in held:
                raise ValueError(
                    f"Endpoint {signature.endpoint.name!r} reads the variable {variable.name!r} of no network of its own; "
                    "list that network in Endpoint.networks."
                )
            raw = held[id(variable)]
            variables[id(raw)] = raw
    return list(variables.values()), list(resources.values())


def _raw(variable: Any) -> tf.Variable:
    """The tf.Variable under a Keras variable."""
    return variable if isinstance(variable, tf.Variable) else variable.value


def _parts(variable: tf.Variable) -> tuple[tf.Variable, ...]:
    """What a graph may capture of a variable: itself, or one of its copies on the replicas of a strategy."""
    return variable.values if isinstance(variable, tf.distribute.DistributedValues) else (variable,)


def _describe(output: str, model_name: str, base_path: str, batch_sizes: Sequence[int], description: Callable[[int], str], number: int) -> None:
    """Brings the files beside the models up to date with the new version `number`. `description`: the README's text, of a request's milliseconds."""
    directory = os.path.join(output, model_name)
    try:
        serving_config.update(output, model_name, base_path, batch_sizes, versions.numbers(directory))
        milliseconds = resources.needs(served.read(output, base_path)).rest_timeout_ms
        versions.replace_file(os.path.join(output, "README.txt"), description(milliseconds))
        deploy.update(output, base_path)
    except OSError as error:
        raise OSError(f"version {number} is published, but the configuration beside it could not be written: {error}") from error
