"""`tfgan-client`: images from a model behind TensorFlow Serving or `tfgan-serve`, as a grid or a file each.

tfgan-client --model=sngan --seeds=0:16 --label=3 --truncation=0.8 --output=grid.png
tfgan-client --model=sngan --grpc --server=localhost:8500 --interpolate=7,8 --steps=9 --output_dir=images
tfgan-client --model=sngan --metadata
"""

import math
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from absl import flags

from export import versions
from export.client import arguments, client, errors, pictures, rest
from tfgan_suite.cli import process


def main() -> None:
    """The command."""
    flags.DEFINE_string("server", None, "host:port, or a URL for REST. Default: localhost:8501, with --grpc localhost:8500.")
    flags.DEFINE_bool("grpc", False, "Speak gRPC in place of REST; imports TensorFlow.")
    flags.DEFINE_string("ca_file", "", "PEM file of the authorities for the server's certificate; with --grpc it turns TLS on.")
    flags.DEFINE_string("model", None, "The model's name on the server.")
    flags.DEFINE_integer("version", None, "The version that answers; the newest unless told.", lower_bound=0)
    flags.DEFINE_string("version_label", "", "The label of the version that answers, e.g. stable.")
    flags.DEFINE_list("seeds", ["0:16"], "An image for each: numbers and ranges without their ends, e.g. 7 or 0:16,100.")
    flags.DEFINE_list("interpolate", None, "In place of --seeds: two seeds, and images on the way between them.")
    flags.DEFINE_integer("steps", 9, "Images of --interpolate, both ends included.", lower_bound=2, upper_bound=arguments.MOST_ROWS)
    flags.DEFINE_list("label", None, "The class: one number for all images, or one for each.")
    flags.DEFINE_multi_string("condition", [], "Another input of the model as name=JSON, for all images or a list with one for each: codes=[0.5,-1].")
    flags.DEFINE_float("truncation", math.inf, "Latents are resampled beyond this magnitude.", lower_bound=0.0)
    flags.DEFINE_string("output", None, "A grid of the images, as this PNG file.")
    flags.DEFINE_integer("columns", None, "Of the grid; about as many as rows unless told, with --interpolate all.", lower_bound=1)
    flags.DEFINE_string("output_dir", None, "A folder that gets a PNG file for each image, as the server made it.")
    flags.DEFINE_bool("metadata", False, "In place of images: the model's signatures.")
    flags.DEFINE_bool("status", False, "In place of images: the versions on the server; exit code 2 if none is available.")
    flags.DEFINE_float("deadline", 60.0, "Seconds for the whole call, tries after failures included.")
    flags.DEFINE_integer("chunk", 32, "Most images in one request; the server's largest batch.", lower_bound=1)
    process.run(_run)


def _run(argv: Sequence[str]) -> None:
    try:
        with _connect(flags.FLAGS) as connected:
            print("\n".join(_answer(connected, flags.FLAGS)))
    except errors.ServerError as error:
        raise ValueError(" ".join(str(error).split())) from error


def _connect(values: flags.FlagValues) -> client.Client:
    if not values.model:
        raise ValueError("--model is missing: the name of the model on the server, e.g. --model=sngan.")
    options = {name: values[name].value for name in ("version", "version_label", "ca_file", "deadline", "chunk")}
    if not values.grpc:
        return rest.connect(values.server or "localhost:8501", values.model, **options)
    try:
        from export.client import rpc  # imports TensorFlow, after the process settings
    except ImportError as error:
        raise ValueError(f"--grpc needs the package tensorflow-serving-api ({error}); REST needs nothing more.") from error
    return rpc.connect(values.server or "localhost:8500", values.model, **options)


def _answer(connected: client.Client, values: flags.FlagValues) -> list[str]:
    """Does what the flags say; the lines to print."""
    if values.metadata and values.status:
        raise ValueError("--metadata and --status are two questions; give one.")
    if values.metadata:
        return [str(connected.metadata())]
    if values.status:
        states = connected.status()
        if not any(version.state == "AVAILABLE" for version in states):
            raise ValueError(f"No version of {values.model} is available: {'; '.join(map(str, states)) or 'there is none'}.")
        return [str(version) for version in states]
    if not values.output and not values.output_dir:
        raise ValueError("Say where the images go: --output=<grid.png> or --output_dir=<folder>; or ask for --metadata or --status.")
    signature, inputs, names = _request(values)
    return _write(connected.files(signature, inputs), names, values)


def _request(values: flags.FlagValues) -> tuple[str, dict[str, Any], list[str]]:
    """(signature, its inputs, a name for each image)."""
    inputs: dict[str, Any] = {"truncation": values.truncation} | dict(map(arguments.condition, values.condition))
    if values.label is not None:
        labels = arguments.numbers(values.label, "--label")
        inputs["label"] = labels if len(labels) > 1 else labels[0]
    if values.interpolate is None:
        inputs["seed"] = seeds = arguments.seeds(values.seeds)
        return "sample", inputs, [f"{i:04d}-seed-{seed}.png" for i, seed in enumerate(seeds)]
    inputs["seed"], inputs["other_seed"] = arguments.ends(values.interpolate)
    inputs["position"] = positions = np.linspace(0.0, 1.0, values.steps)
    return "interpolate", inputs, [f"{i:04d}-position-{position:.3f}.png" for i, position in enumerate(positions)]


def _write(files: list[bytes], names: list[str], values: flags.FlagValues) -> list[str]:
    """Writes what was asked for and returns the paths. All images are there and sound before the first is written; no file is ever half there."""
    written = []
    images = pictures.decode(files)
    if values.output_dir:
        os.makedirs(values.output_dir, exist_ok=True)
        for name, file in zip(names, files, strict=True):
            written.append(os.path.join(values.output_dir, name))
            versions.replace_file(os.path.abspath(written[-1]), file)
    if values.output:
        columns = values.columns or (len(files) if values.interpolate else None)
        sheet = pictures.png(pictures.grid(images, columns))
        os.makedirs(os.path.dirname(os.path.abspath(values.output)), exist_ok=True)
        versions.replace_file(os.path.abspath(values.output), sheet)
        written.append(values.output)
    return written


if __name__ == "__main__":
    main()
