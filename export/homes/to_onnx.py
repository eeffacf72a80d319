"""A version as an ONNX model, for onnxruntime and whatever else reads the format. Needs the extra `onnx`."""

import importlib

import tensorflow as tf

from export.homes import checking, source

_OPSET = 17
"""Every onnxruntime since 1.12 of 2022 reads it."""
_NEEDED = ("tf2onnx", "onnxruntime")


def check_installed() -> None:
    """Raises ValueError, with the command that helps, where the extra `onnx` is missing."""
    for name in _NEEDED:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ValueError(f"Converting to ONNX needs the packages of the extra 'onnx' ({error}). Run: pip install {' '.join(_NEEDED)}") from None


def convert(version: source.Version) -> checking.Converted:
    """The ONNX file: inputs and outputs named as the version's, any number of rows. ValueError where it cannot be made or answers otherwise."""
    check_installed()
    import tf2onnx

    signature = [each.spec(None) for each in version.inputs]
    try:
        model, _ = tf2onnx.convert.from_function(tf.function(version.function, autograph=False), signature, opset=_OPSET)
    except Exception as error:  # of many kinds, all about this model
        raise ValueError(f"{version.model} cannot be converted to ONNX by tf2onnx: {_first_line(error)}") from error
    content = model.SerializeToString()
    return checking.checked(version, content, None, runner(version.model, content), "onnxruntime")


def runner(name: str, content: bytes) -> checking.Run:
    """Runs the file `content` by onnxruntime, on the CPU. ValueError where it holds an operation that ONNX lacks."""
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has a class per status and no base of its own
        raise ValueError(f"{name} cannot be converted to ONNX: onnxruntime says {_first_line(error)}") from error

    def run(inputs):
        try:
            return session.run([source.IMAGES], inputs)[0]
        except Exception as error:
            raise ValueError(f"onnxruntime cannot run {name} as converted: {_first_line(error)}") from error

    return run


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
