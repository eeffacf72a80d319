"""`tfgan-convert`: a published version as an ONNX file, a LiteRT file or a static web page."""

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence

from absl import flags

from tfgan_suite.cli import process

_TARGETS = ("onnx", "litert", "web")
_EXAMPLE = "tfgan-convert --version=<export>/<model>/<number> --to=onnx --output=<file or folder>"


def main() -> None:
    """The command."""
    flags.DEFINE_string("version", None, "Directory of the version, <export>/<model>/<number>, as tfgan-export published it.")
    flags.DEFINE_enum("to", None, _TARGETS, "The format: an ONNX file, a LiteRT file, or a folder with a web page.")
    flags.DEFINE_string("output", None, "The file (.onnx, .tflite) or a folder for it; the new folder of the page for --to=web.")
    flags.DEFINE_string("onnxruntime_web", None, "For --to=web: folder of the unpacked npm package onnxruntime-web. Default: fetched by npm.")
    process.run(_run)


def _run(argv: Sequence[str]) -> None:
    print(_convert(flags.FLAGS))


def _convert(values: flags.FlagValues) -> str:
    """Converts as the flags say; returns what to print."""
    for name in ("version", "to", "output"):
        if not values[name].value:
            raise ValueError(f"--{name} is missing: {_EXAMPLE}.")
    with _without_chatter():
        from export.homes import conversion  # imports TensorFlow, after the process settings

        path, converted = conversion.convert(values.version, values.to, values.output, onnxruntime_web=values.onnxruntime_web)
    batches = "one row" if converted.rows == 1 else f"batches of {' and '.join(map(str, converted.batches))} rows"
    lines = [path, f"(checked in {batches}: it differs from the version by {converted.difference:.1e} at most)"]
    if converted.rows:
        lines.append(f"It takes {converted.rows} row at a time: with any number of rows it does not convert.")
    if values.to == "web":
        lines.append(
            f"To see it: python -m http.server --bind 127.0.0.1 --directory {path}, then http://127.0.0.1:8000 (a file:// address does not work)"
        )
    return "\n".join(lines)


@contextlib.contextmanager
def _without_chatter() -> Iterator[None]:
    """Discards what libraries write to the process's error stream: a converter prints pages about an attempt that another one then replaces."""
    if os.environ.get("TFGAN_TRACEBACK"):
        yield
        return
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


if __name__ == "__main__":
    main()
