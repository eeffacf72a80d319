"""A version as a static web page: a folder that generates images in any browser, without a server of its own and without a network.

The page (`page/`) is plain JavaScript. It runs the version's ONNX file by onnxruntime-web in WebAssembly, in one thread, so the folder needs no
special headers: any server of static files will do.
"""

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from typing import Any

from export import images
from export.homes import checking, delivery, source

_PACKAGE = "onnxruntime-web"
_TESTED = "1.30.0"
"""The release that is fetched; what reads the ONNX file here is a release of the same project."""
_RUNTIME = {
    "dist/ort.wasm.bundle.min.mjs": "ort.js",
    "dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
    "package.json": "package.json",
}
"""File of the package -> its name beside the page. Not every server knows that .mjs is JavaScript; package.json names the licence."""
_SECONDS = 300
_ADVICE = f"Fetch it where there is a network (npm pack {_PACKAGE}@{_TESTED}), unpack it, and name the folder: --onnxruntime_web=<folder>/package."


def page_folder() -> str:
    """Where the page's own files lie: HTML, CSS and JavaScript, the same for every model."""
    return os.path.join(os.path.dirname(__file__), "page")


def check(version: source.Version) -> None:
    """Raises ValueError where the version's outputs are nothing that a page can show."""
    shown = images.ENCODINGS["png"].channels
    if len(version.image_shape) != 3 or version.image_shape[0] == 1 or version.image_shape[-1] not in shown:
        raise ValueError(f"A page shows images of {shown} channels; those of {version.model} are {list(version.image_shape)}. Convert it to onnx.")


def write(path: str, version: source.Version, converted: checking.Converted, description: dict[str, Any], onnxruntime_web: str | None) -> None:
    """Makes the folder `path`: the page, `converted` as model.onnx, `description` and what the page needs beyond it as model.json, the runtime.

    `onnxruntime_web`: the unpacked npm package; None fetches it by npm. ValueError where there is neither, OSError where `path` cannot be written.
    """
    with tempfile.TemporaryDirectory() as scratch, delivery.folder(path) as made:
        package = onnxruntime_web or _fetched(scratch)
        release = _add_runtime(package, os.path.join(made, "onnxruntime"))
        for name in os.listdir(page_folder()):
            shutil.copyfile(os.path.join(page_folder(), name), os.path.join(made, name))
        with open(os.path.join(made, "model.onnx"), "wb") as file:
            file.write(converted.content)
        examples = {key: value[0].tolist() for key, value in version.expected.inputs.items() if key not in (source.LATENTS, source.TRUNCATION)}
        with open(os.path.join(made, "model.json"), "w", encoding="utf-8") as file:
            json.dump(description | {"prior": version.prior, "examples": examples, _PACKAGE: release}, file, indent=2)


def _add_runtime(package: str, folder: str) -> str:
    """Copies the runtime from the unpacked `package`; returns its version."""
    try:
        with open(os.path.join(package, "package.json"), encoding="utf-8") as file:
            about = json.load(file)
    except (OSError, json.JSONDecodeError):
        about = {}
    missing = [name for name in _RUNTIME if not os.path.isfile(os.path.join(package, name))]
    if not isinstance(about, dict) or about.get("name") != _PACKAGE or missing:
        raise ValueError(f"{package} is not the unpacked npm package {_PACKAGE}, with {', '.join(_RUNTIME)}. {_ADVICE}")
    os.mkdir(folder)
    for name, ours in _RUNTIME.items():
        shutil.copyfile(os.path.join(package, name), os.path.join(folder, ours))
    return str(about.get("version"))


def _fetched(scratch: str) -> str:
    """The package, fetched and unpacked below `scratch`."""
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError(f"The page needs {_PACKAGE}, and npm is not installed to fetch it. {_ADVICE}")
    command = [npm, "pack", f"{_PACKAGE}@{_TESTED}", "--pack-destination", scratch]
    try:
        ended = subprocess.run(command, cwd=scratch, capture_output=True, text=True, errors="replace", timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise ValueError(f"npm did not fetch {_PACKAGE} within {_SECONDS} s. {_ADVICE}") from None
    files = [name for name in os.listdir(scratch) if name.endswith(".tgz")]
    if ended.returncode or len(files) != 1:
        lines = ended.stderr.strip().splitlines() or ["it said nothing"]
        raise ValueError(f"npm could not fetch {_PACKAGE}: {lines[0]} {_ADVICE}")
    with tarfile.open(os.path.join(scratch, files[0])) as archive:
        archive.extractall(scratch, filter="data")
    return os.path.join(scratch, "package")
