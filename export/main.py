"""`tfgan-export`: publishes a trained model as a SavedModel version for TensorFlow Serving."""

import json
import os
import re
import tempfile
from collections.abc import Sequence
from typing import Any

from absl import flags

from export import provenance
from tfgan_suite.cli import process

_LARGEST_BATCH = 32


def main() -> None:
    """The command."""
    flags.DEFINE_string("workdir", None, "Folder of the run to export.")
    flags.DEFINE_string("output", None, "Folder for models and the server's configuration; the version goes to <output>/<model name>/<number>/.")
    flags.DEFINE_string("model_name", None, "The model's name in URLs: letters, digits, underscores. Default: the variant's.")
    flags.DEFINE_enum("checkpoint", "latest", ["latest", "best"], "Which checkpoint.")
    flags.DEFINE_integer(
        "max_batch_size", None, f"Rows of the largest request, {_LARGEST_BATCH} unless told; batches are padded to powers of two.", lower_bound=1
    )
    flags.DEFINE_list("batch_sizes", None, "The sizes batches are padded to, e.g. 1,8,32, in place of powers of two; the last is the largest.")
    flags.DEFINE_enum("precision", "float32", ["float32", "bfloat16", "float16"], "What weights are stored as; outputs are float32 in any case.")
    flags.DEFINE_string("serving_base_path", "/models", "The folder --output as the server sees it.")
    flags.DEFINE_string("license", "unknown", "Licence of the weights, for the model card: an identifier that Hugging Face knows, e.g. apache-2.0.")
    flags.DEFINE_string("verify_only", None, "Check this published version again, on this machine, and publish nothing.")
    process.run(_run)


def _run(argv: Sequence[str]) -> None:
    values = flags.FLAGS
    print(_verify(values.verify_only) if values.verify_only else _export(values))


def _export(values: flags.FlagValues) -> str:
    """Exports as the flags say; returns what to print."""
    for name in ("workdir", "output"):
        if not values[name].value:
            raise ValueError(f"--{name} is missing: tfgan-export --workdir=<folder of a run> --output=<folder>.")
    batch_sizes = _batch_sizes(values)
    experiment = _experiment(values.workdir)
    name = values.model_name or re.sub(r"[^a-zA-Z0-9_]", "_", experiment["variant"])
    from export import saved_model  # imports TensorFlow, after the process settings
    from tfgan_suite import registry, runner

    model = runner.restore(values.workdir, which=values.checkpoint)
    metadata = {"experiment": experiment, "workdir": os.path.abspath(values.workdir), "checkpoint": values.checkpoint}
    known = registry.VARIANTS[experiment["variant"]]
    run = provenance.read(
        values.workdir,
        experiment,
        model.data.to_json(),
        step=int(model.step.numpy()),
        summary=known.summary,
        paper=known.paper,
        license=values.license,
    )
    version = saved_model.publish(
        model.endpoints(),
        values.output,
        name,
        batch_sizes=batch_sizes,
        serving_base_path=values.serving_base_path,
        precision=values.precision,
        metadata=metadata,
        run=run,
    )
    with open(os.path.join(version, saved_model.METADATA), encoding="utf-8") as file:
        stored = json.load(file)["precision"]
    return f"{version}\n{_rounding(stored)}(checked; how to serve it: {os.path.join(values.output, 'README.txt')})"


def _rounding(stored: dict[str, Any]) -> str:
    """A line on what storing weights in half precision costs; "" for float32."""
    furthest = {name: outputs["images"] for name, outputs in stored.get("largest_difference", {}).items() if "images" in outputs}
    if not furthest:
        return ""
    most = max(furthest.values())
    return f"(weights as {stored['weights']}: images differ from those of float32 by up to {most:.2g}, {most * 127.5:.1f} grey levels)\n"


def _verify(directory: str) -> str:
    from export import verify

    with tempfile.TemporaryDirectory() as scratch:
        return json.dumps(verify.verify(directory, scratch), indent=2)


def _batch_sizes(values: flags.FlagValues) -> tuple[int, ...]:
    if values.batch_sizes is None:
        largest = values.max_batch_size or _LARGEST_BATCH
        return (*(2**i for i in range(largest.bit_length()) if 2**i < largest), largest)
    if values.max_batch_size is not None:
        raise ValueError("--batch_sizes and --max_batch_size both say what the largest request is; give one.")
    try:
        return tuple(int(size) for size in values.batch_sizes)
    except ValueError:
        raise ValueError(f"--batch_sizes must be whole numbers, e.g. 1,8,32; received {','.join(values.batch_sizes)}.") from None


def _experiment(workdir: str) -> dict[str, Any]:
    """The experiment of the run in `workdir`, as its JSON says."""
    path = os.path.join(workdir, "experiment.json")
    try:
        with open(path, encoding="utf-8") as file:
            experiment = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{workdir} is not the folder of a run: it has no experiment.json. Train first, with tfgan-train.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}.") from None
    if not isinstance(experiment, dict) or not isinstance(experiment.get("variant"), str):
        raise ValueError(f"{path} does not name its variant.")
    return experiment


if __name__ == "__main__":
    main()
