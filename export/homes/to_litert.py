"""A version as a LiteRT (TensorFlow Lite) model, for phones and small devices. Needs TensorFlow alone."""

import re
import warnings

import tensorflow as tf

from export.homes import checking, source

_OPERATIONS = re.compile(r"^\s*(?:TF Select|Flex|Custom) ops: (.+)$", re.MULTILINE)
"""What the converter lists beneath an error of many lines: operations that LiteRT's own set lacks."""


def convert(version: source.Version) -> checking.Converted:
    """The .tflite file, with a signature named as the version's.

    For any number of rows (an interpreter resizes its inputs) where that converts and answers rightly, else for one row: some layers, such as
    `UpSampling2D` by nearest neighbours, convert with a known batch only. ValueError where neither does.
    """
    problems = []
    for rows, batch in ((None, "any batch"), (1, "a batch of one")):
        try:
            content = _convert(version, rows)
            return checking.checked(version, content, rows, runner(version.model, content), "LiteRT")
        except ValueError as error:
            problems.append(f"  {batch}: {error}")
    raise ValueError(f"{version.model} cannot be converted to LiteRT:\n" + "\n".join(problems))


def _convert(version: source.Version, rows: int | None) -> bytes:
    converter = tf.lite.TFLiteConverter.from_concrete_functions([version.concrete(rows)], version.module)
    try:
        return converter.convert()
    except Exception as error:  # the converter's own class is private
        missing = _OPERATIONS.findall(str(error))
        reason = f"LiteRT has no {', '.join(missing)}" if missing else (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ValueError(reason) from error


def runner(name: str, content: bytes) -> checking.Run:
    """Runs the file `content` by TensorFlow's interpreter, which is LiteRT's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # TensorFlow announces that the interpreter moves to a package of its own
        interpreter = tf.lite.Interpreter(model_content=content)

    def run(inputs):
        try:
            return interpreter.get_signature_runner(source.SIGNATURE)(**inputs)[source.IMAGES]
        except (RuntimeError, ValueError) as error:
            raise ValueError(f"LiteRT cannot run {name} as converted: {str(error).strip().splitlines()[0]}") from error

    return run
