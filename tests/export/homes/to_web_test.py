import json
import os
import types

import pytest

from export.homes import checking, source, to_web

CONVERTED = checking.Converted(content=b"onnx", rows=None, batches=(1, 3), difference=0.0)


@pytest.fixture
def package(tmp_path):
    """What the npm package holds, as far as the page is concerned."""
    folder = tmp_path / "package"
    (folder / "dist").mkdir(parents=True)
    (folder / "package.json").write_text(json.dumps({"name": "onnxruntime-web", "version": "9.8.7", "license": "MIT"}))
    (folder / "dist" / "ort.wasm.bundle.min.mjs").write_text("script")
    (folder / "dist" / "ort-wasm-simd-threaded.wasm").write_text("program")
    (folder / "dist" / "ort.webgpu.js").write_text("not needed")
    return folder


@pytest.fixture(scope="module")
def version(published):
    return source.open_version(published.directory)


def test_the_folder_holds_the_page_the_model_and_the_runtime(tmp_path, package, version):
    to_web.write(str(tmp_path / "page"), version, CONVERTED, {"model": "toy"}, str(package))
    made = {os.path.relpath(os.path.join(parent, name), tmp_path / "page") for parent, _, files in os.walk(tmp_path / "page") for name in files}
    runtime = {f"onnxruntime/{name}" for name in ("ort.js", "ort-wasm-simd-threaded.wasm", "package.json")}
    assert made == {"index.html", "style.css", "page.js", "model.js", "latents.js", "model.onnx", "model.json"} | runtime
    assert (tmp_path / "page" / "onnxruntime" / "ort.js").read_text() == "script"
    assert (tmp_path / "page" / "model.onnx").read_bytes() == b"onnx"
    about = json.loads((tmp_path / "page" / "model.json").read_text())
    assert about == {"model": "toy", "prior": None, "examples": {"label": 0}, "onnxruntime-web": "9.8.7"}


@pytest.mark.parametrize("missing", ["package.json", "dist/ort.wasm.bundle.min.mjs", "dist/ort-wasm-simd-threaded.wasm"])
def test_a_folder_that_is_not_the_package_is_refused_and_nothing_is_written(tmp_path, package, version, missing):
    (package / missing).unlink()
    with pytest.raises(ValueError, match="is not the unpacked npm package onnxruntime-web, with .*npm pack onnxruntime-web@"):
        to_web.write(str(tmp_path / "page"), version, CONVERTED, {}, str(package))
    assert os.listdir(tmp_path) == ["package"]


def test_another_package_is_refused(tmp_path, package, version):
    (package / "package.json").write_text(json.dumps({"name": "onnxruntime-node"}))
    with pytest.raises(ValueError, match="is not the unpacked npm package"):
        to_web.write(str(tmp_path / "page"), version, CONVERTED, {}, str(package))


def test_without_npm_and_without_the_package_it_says_how_to_fetch_it(tmp_path, version, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match="npm is not installed to fetch it.*npm pack onnxruntime-web@.*--onnxruntime_web="):
        to_web.write(str(tmp_path / "page"), version, CONVERTED, {}, None)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "script, message",
    [("echo 'npm error network' >&2; exit 1", "npm could not fetch onnxruntime-web: npm error network"), ("exit 0", "said nothing")],
)
def test_a_failed_download_is_reported(tmp_path, version, monkeypatch, script, message):
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f"#!/bin/sh\n{script}\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(npm.parent), prepend=os.pathsep)
    with pytest.raises(ValueError, match=message):
        to_web.write(str(tmp_path / "page"), version, CONVERTED, {}, None)
    assert os.listdir(tmp_path) == ["bin"]


@pytest.mark.parametrize("shape", [(1, 2, 1), (8, 8, 2), (8,)])
def test_what_no_page_can_show_is_refused(shape):
    with pytest.raises(ValueError, match=r"A page shows images of \(1, 3, 4\) channels"):
        to_web.check(types.SimpleNamespace(model="toy", image_shape=shape))


def test_images_of_one_three_and_four_channels_can_be_shown():
    for channels in (1, 3, 4):
        to_web.check(types.SimpleNamespace(model="toy", image_shape=(8, 8, channels)))
