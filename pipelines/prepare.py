"""`tfgan-data`: prepares, describes and validates a dataset.

tfgan-data prepare cifar10 --data_dir=/data        # downloads it, or renders the built-in one
tfgan-data describe folder:/data/cats              # what a GAN would be told of it
tfgan-data validate folder:/data/cats --grid=cats.png
"""

import argparse
import json
import sys

from absl import app, logging
from absl.flags import argparse_flags

from pipelines import spec
from tfgan_suite.cli import process


def main() -> None:
    """The entry point."""
    process.settings()
    logging.set_verbosity(logging.WARNING)
    app.run(run, flags_parser=_parse)


def run(arguments: argparse.Namespace) -> int:
    """The exit code: 0, or 1 where something is wrong. An error of the user's is one line."""
    try:
        return arguments.command(arguments)
    except ValueError as error:
        print(f"tfgan-data: {error}", file=sys.stderr)
        return 1


def _prepare(arguments: argparse.Namespace) -> int:
    from pipelines import build

    data_spec = build.describe(_config(arguments), arguments.data_dir)
    print(f"{data_spec.name} is ready in {arguments.data_dir}: {data_spec.size} examples to train on, {data_spec.test_size} held out.")
    return 0


def _describe(arguments: argparse.Namespace) -> int:
    from pipelines import build

    data_spec = build.describe(_config(arguments), arguments.data_dir)
    if arguments.json:
        print(json.dumps(data_spec.to_json(), indent=2))
        return 0
    print(f"{data_spec.name}: {data_spec.size} examples to train on, {data_spec.test_size} held out, {data_spec.num_classes} classes")
    for key, feature in data_spec.features.items():
        print(f"  {key}: {feature.dtype} {list(feature.shape)} in [{feature.low:g}, {feature.high:g}]")
    for title, names in {"classes": data_spec.class_names, **data_spec.class_groups}.items():
        if names:
            print(f"  {title}: {', '.join(dict.fromkeys(names))}")
    return 0


def _validate(arguments: argparse.Namespace) -> int:
    from pipelines import validate

    report = validate.validate(_config(arguments), arguments.data_dir)
    print(report.text())
    if arguments.grid:
        import tensorflow as tf

        tf.io.write_file(arguments.grid, tf.io.encode_png(report.grid))
        print(f"grid: {arguments.grid}")
    return 1 if report.problems else 0


def _config(arguments: argparse.Namespace):

    return spec.DatasetConfig(
        source=arguments.source,
        split=arguments.split,
        test_split=arguments.test_split,
        image_size=arguments.image_size,
        resize=arguments.resize,
    )


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition(",")
    if not (height.isdecimal() and width.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be height,width in pixels, for example 64,64; received {text!r}")
    return int(height), int(width)


def _parse(argv: list[str]) -> argparse.Namespace:

    default = spec.DatasetConfig()
    parser = argparse_flags.ArgumentParser(prog="tfgan-data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="command")
    forms = "a dataset of TFDS, captioned_shapes/<config>, toy:<name>, stacked_digits:<source>, folder:<dir>, idx:<dir> or tfrecord:<glob>"
    texts = {"prepare": (_prepare, "get it ready"), "describe": (_describe, "say what it is"), "validate": (_validate, "read all of it and judge it")}
    for name, (command, text) in texts.items():
        sub = commands.add_parser(name, help=text)
        sub.set_defaults(command=command)
        sub.add_argument("source", help=forms)
        sub.add_argument("--data_dir", default=spec.default_data_dir(), help="%(default)s")
        sub.add_argument("--split", default=default.split, help="the split to train on: %(default)s")
        sub.add_argument("--test_split", default=default.test_split, help="the split held out: %(default)s")
        sub.add_argument("--image_size", type=_size, default=default.image_size, metavar="H,W", help="the size training sees; as stored unless given")
        sub.add_argument("--resize", default=default.resize, help="crop, stretch, pad or margin: %(default)s")
        if name == "describe":
            sub.add_argument("--json", action="store_true", help="print the DataSpec as JSON")
        if name == "validate":
            sub.add_argument("--grid", default="", metavar="FILE.png", help="write a grid of images there")
    return parser.parse_args(argv[1:])


if __name__ == "__main__":
    main()
