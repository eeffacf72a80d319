"""tfgan-train: trains an experiment, or goes on with one.

tfgan-train --experiment=sngan/demo --workdir=runs/demo
tfgan-train --experiment=sngan/cifar10 --experiment.seed=1 --experiment.model.terms[0].loss=hinge --workdir=runs/sngan
"""

import dataclasses
import re
import sys
from typing import Any

from absl import app, flags
from ml_collections import config_flags

from pipelines import spec
from tfgan_suite import experiment as experiments
from tfgan_suite import registry
from tfgan_suite.cli import process


def _train(experiment: experiments.Experiment) -> int:
    values = flags.FLAGS
    if not experiment.variant:
        raise ValueError("--experiment=<variant>/<preset> is missing. tfgan-list shows them all.")
    experiment = registry.checked(experiment)
    print(registry.dump(experiment), end="", flush=True)
    if values.print_config:
        return 0
    if not values.workdir:
        raise ValueError("--workdir is missing: the folder that checkpoints, logs and samples go to.")
    from tfgan_suite import runner  # imports TensorFlow, which --print_config can do without
    from tfgan_suite.callbacks import health

    process.logical_cpus(values.logical_cpus)
    try:
        result = runner.train(experiment, values.workdir, data_dir=values.data_dir, strategy=values.strategy)
    except health.Unhealthy as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    if result.finished:
        print(f"Finished at step {int(result.model.step.numpy())}. Next: tfgan-evaluate --workdir={values.workdir}")
    return 0


def _parse(argv: list[str]) -> list[str]:
    """Parses the flags; ml_collections' bare KeyError or IndexError on an unknown field becomes a line that names the alternatives."""
    try:
        return app.parse_flags_with_usage(argv)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        print(f"error: {_explain(argv) or error}", file=sys.stderr)
        sys.exit(2)


def _explain(argv: list[str]) -> str:
    """Which --experiment.<path> does not exist, and what does."""
    given = [re.match(r"--?experiment(=|$)(.*)", argument) for argument in argv]
    preset = next((match[2] or following for match, following in zip(given, [*argv[1:], ""], strict=True) if match), "")
    for argument in argv:
        match = re.match(r"--?experiment\.([^=]+)", argument)
        if not match or not preset:
            continue
        here: Any = registry.experiment(preset)
        for name, index in re.findall(r"(\w+)|\[(\d+)\]", match[1]):
            if index:
                if not isinstance(here, tuple | list):
                    return f"{match[0]}: {type(here).__name__} has no items."
                if int(index) >= len(here):
                    return f"{match[0]}: there are {len(here)} items, counted from 0."
                here = here[int(index)]
                continue
            fields = [f.name for f in dataclasses.fields(here)] if dataclasses.is_dataclass(here) else []
            if name not in fields:
                return f"{match[0]}: {type(here).__name__} has no field {name!r}. {experiments.nearest(name, fields)}"
            here = getattr(here, name)
    return ""


def main() -> None:
    """The command."""
    process.settings()
    flags.DEFINE_string("workdir", None, "Folder of the run; a run that is there already is resumed.")
    flags.DEFINE_string("data_dir", spec.default_data_dir(), "Folder of prepared datasets and caches.")
    flags.DEFINE_string("strategy", "default", "default, mirrored, multi_worker_mirrored, tpu or one_device:<device>; may change on resume.")
    flags.DEFINE_integer("logical_cpus", 1, "Show the CPU as this many devices, to try a strategy without accelerators.", lower_bound=1)
    flags.DEFINE_bool("print_config", False, "Print the resolved experiment as JSON and stop.")
    holder = config_flags.DEFINE_config_dataclass(
        "experiment",
        experiments.Experiment(variant="", model=None),
        "Preset, <variant>/<preset>; fields as --experiment.<path>=<value>.",
        parse_fn=registry.experiment,
    )
    process.run(lambda argv: _train(holder.value), flags_parser=_parse)


if __name__ == "__main__":
    main()
