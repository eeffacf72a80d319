"""Writes one image of an exported generator to a PNG file. Needs TensorFlow and nothing of the project that trained it.

python load_saved_model.py --version=served/sngan/1 --seed=7 --condition label=3 --output=sample.png
"""

import argparse
import sys

import tensorflow as tf


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--version", required=True, help="directory of the exported version, <export>/<model>/<number>")
    parser.add_argument("--output", required=True, help="the PNG file to write")
    parser.add_argument("--seed", type=int, default=0, help="equal seeds give equal images")
    parser.add_argument("--truncation", type=float, default=1.0, help="less is more typical and less varied")
    parser.add_argument(
        "--condition", action="append", type=condition, default=[], metavar="NAME=VALUE", help="e.g. label=3, or codes=0.5,-1 for several numbers"
    )
    arguments = parser.parse_args()
    sample = tf.saved_model.load(arguments.version).signatures["sample_png"]
    _, wanted = sample.structured_input_signature
    given = {"seed": arguments.seed, "truncation": arguments.truncation} | dict(arguments.condition)
    if given.keys() != wanted.keys():
        sys.exit(
            f"error: this model takes {', '.join(sorted(wanted))}; received {', '.join(sorted(given))}. Name conditions by --condition NAME=VALUE."
        )
    row = {name: tf.constant([given[name]], spec.dtype) for name, spec in wanted.items()}  # [1, ...]: a request has a row per image
    try:
        files = sample(**row)["image_bytes"]
    except tf.errors.InvalidArgumentError as error:
        sys.exit(f"error: the model refuses this request: {error.message}")
    tf.io.write_file(arguments.output, files[0])
    print(arguments.output)


def condition(text):
    """ "label=3" -> ("label", 3); "codes=0.5,-1" -> ("codes", [0.5, -1.0])."""
    name, _, values = text.partition("=")
    numbers = [float(value) if "." in value else int(value) for value in values.split(",")]  # argparse reports a ValueError as a mistake
    return name, numbers if len(numbers) > 1 else numbers[0]


if __name__ == "__main__":
    main()
