"""The static page in a headless Chromium, which may reach nothing but 127.0.0.1."""

import functools
import http.server
import io
import json
import os
import shutil
import subprocess
import threading
import time
import types

import numpy as np
import onnxruntime
import pytest
import tensorflow as tf
from PIL import Image
from playwright import sync_api

from export.homes import conversion, to_web
from tfgan_suite.ops import priors

ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split()
)


def in_node(script, tmp_path):
    """What the JavaScript expression `script` of the module `latents` gives, through JSON."""
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    shutil.copy(os.path.join(to_web.page_folder(), "latents.js"), tmp_path / "latents.mjs")
    (tmp_path / "main.mjs").write_text(f'import * as latents from "./latents.mjs";\nconsole.log(JSON.stringify({script}));\n')
    return json.loads(subprocess.run(["node", "main.mjs"], cwd=tmp_path, check=True, capture_output=True, timeout=60).stdout)


def test_threefry_gives_the_published_vectors(tmp_path):
    """Threefry-2x32-20's known answers: kat_vectors of the Random123 library."""
    ones = 0xFFFFFFFF
    key, counter = [0x13198A2E, 0x03707344], [0x243F6A88, 0x85A308D3]
    answers = in_node(f"[[[0,0],[0,0]],[{[ones, ones]},{[ones, ones]}],[{key},{counter}]].map((each) => latents.threefry(...each))", tmp_path)
    assert answers == [[0x6B200159, 0x99BA4EFE], [0x1CB996FC, 0xBB002BE7], [0xC4923A9C, 0x483DF7A0]]


def test_a_seed_has_the_latents_that_the_server_draws(tmp_path):
    seeds, truncations, size = [0, 7, -1, 2**40 + 3, -(2**63)], [1.0, 0.3, 2.0, 1e-4, 50.0], 64
    rows = [f'["{seed}", {truncation}]' for seed, truncation in zip(seeds, truncations, strict=True)]
    for name, prior in priors.PRIORS.items():
        draw = f'(each) => Array.from(latents.fromSeed("{name}", BigInt(each[0]), {size}, each[1]))'
        drawn = in_node(f"[{', '.join(rows)}].map({draw})", tmp_path)
        expected = prior.rows(tf.constant(seeds, tf.int64), size, tf.constant(truncations, tf.float32))
        np.testing.assert_allclose(drawn, expected, atol=2e-6, err_msg=name)


def test_the_way_between_two_latents(tmp_path):
    a, b = [3.0, 0.0], [0.0, 1.0]
    shares = [0.0, 0.25, 0.5, 1.0]
    for name, expected in {
        "uniform": [np.multiply(1 - t, a) + np.multiply(t, b) for t in shares],
        "normal": [np.multiply(np.cos(t * np.pi / 2), a) + np.multiply(np.sin(t * np.pi / 2), b) for t in shares],  # at right angles
    }.items():
        way = f'{shares}.map((t) => Array.from(latents.between("{name}", Float32Array.of(3, 0), Float32Array.of(0, 1), t)))'
        np.testing.assert_allclose(in_node(way, tmp_path), expected, atol=1e-6, err_msg=name)


@pytest.fixture(scope="module")
def site(published, tmp_path_factory):
    """The page of the toy version, served as `python -m http.server` does. `.url`, `.folder`."""
    folder = str(tmp_path_factory.mktemp("web") / "page")
    if not shutil.which("npm"):
        pytest.skip("npm is not installed, so there is no onnxruntime-web")
    try:
        conversion.convert(published.directory, "web", folder)
    except ValueError as error:
        if "npm" not in str(error):
            raise
        pytest.skip(str(error))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield types.SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}", folder=folder)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def chromium():
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("chromium is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium, site):
    """The page, drawn. Whatever it asks of another address is refused and, like every error, fails the test."""
    wrong = []

    def decide(route):
        if route.request.url.startswith((site.url, "data:", "blob:")):
            return route.continue_()
        wrong.append(route.request.url)
        return route.abort()

    opened = chromium.new_page(viewport={"width": 1120, "height": 900})
    opened.route("**/*", decide)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    opened.goto(site.url)
    drawn(opened)
    yield opened
    opened.close()
    assert not wrong


def drawn(page):
    page.wait_for_selector("body[data-state=ready]", timeout=120_000)


def shown(page, selector="#image"):
    """The pixels of a canvas, uint8 [h, w, 4]."""
    data = page.evaluate(
        "(selector) => { const c = document.querySelector(selector);"
        " return [c.height, c.width, ...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]; }",
        selector,
    )
    return np.array(data[2:], np.uint8).reshape(data[0], data[1], 4)


def change(page, selector, value):
    page.evaluate(
        "([selector, value]) => { const e = document.querySelector(selector); e.value = value;"
        " e.dispatchEvent(new Event('input', {bubbles: true})); }",
        [selector, str(value)],
    )
    drawn(page)


def computed(site, latents, label):
    """What onnxruntime computes for latents within their truncation, as grey levels."""
    session = onnxruntime.InferenceSession(f"{site.folder}/model.onnx")
    (images,) = session.run(["images"], {"latents": latents, "truncation": np.full([1], 3e38, np.float32), "label": np.array([label])})
    return np.clip(np.floor((images[0] + 1.0) * 127.5 + 0.5), 0, 255).astype(np.uint8)


def latents_of(site, seed, truncation):
    return priors.PRIORS["normal"].rows(tf.constant([seed], tf.int64), 8, tf.constant([truncation])).numpy()


def assert_same(actual, expected):
    """Within one grey level, and that on few values: two builds of one runtime round otherwise."""
    difference = np.abs(actual[..., :3].astype(np.int32) - expected)
    assert difference.max() <= 1 and np.mean(difference > 0) <= 0.02
    assert np.all(actual[..., 3] == 255)


@pytest.mark.slow
def test_the_page_shows_what_onnxruntime_computes_for_its_seed_class_and_truncation(page, site):
    assert_same(shown(page), computed(site, latents_of(site, 0, 1.0), 0))
    change(page, "#seed", 12345)
    change(page, "#truncation", 0.5)
    change(page, "select", 3)
    assert_same(shown(page), computed(site, latents_of(site, 12345, 0.5), 3))
    assert "seed 12345" in page.inner_text("#facts") and "ms" in page.inner_text("#facts")


@pytest.mark.slow
@pytest.mark.parametrize("slider, key", [("#truncation", "Home"), ("#position", "End")])
def test_a_moved_slider_makes_another_image(page, slider, key):
    before = shown(page)
    page.focus(slider)
    page.keyboard.press(key)
    deadline = time.monotonic() + 60.0
    while np.array_equal(shown(page), before):  # the browser reports the move some time after the key
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)
    assert np.mean(shown(page) != before) > 0.1
    assert page.input_value(slider) == {"Home": "0.05", "End": "1"}[key]


@pytest.mark.slow
def test_the_strip_goes_from_one_seed_to_the_other_along_the_great_circle(page, site):
    change(page, "#other_seed", 5)
    a, b = latents_of(site, 0, 1.0), latents_of(site, 5, 1.0)
    angle = np.arccos(np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b))
    middle = (np.sin(angle / 2) * (a + b) / np.sin(angle)).astype(np.float32)
    for place, latents in ((1, a), (5, middle), (9, b)):
        assert_same(shown(page, f"#strip button:nth-child({place}) canvas"), computed(site, latents, 0))


@pytest.mark.slow
def test_the_grid_has_a_row_per_class_and_a_click_chooses(page, site, toy):
    assert page.locator("#grid button").count() == 8 * toy.classes
    page.click(f"#grid button:nth-child({2 * 8 + 4})")
    drawn(page)
    assert (page.input_value("#seed"), page.input_value("select")) == ("3", "2")
    assert_same(shown(page), computed(site, latents_of(site, 3, 1.0), 2))


@pytest.mark.slow
def test_the_image_can_be_saved(page):
    with page.expect_download() as download:
        page.click("#save")
    with open(download.value.path(), "rb") as file:
        picture = Image.open(io.BytesIO(file.read()))
    assert download.value.suggested_filename == "toy.png"
    np.testing.assert_array_equal(np.asarray(picture.convert("RGBA")), shown(page))


@pytest.mark.slow
def test_a_page_without_its_model_says_so(chromium, site):
    opened = chromium.new_page()
    opened.route("**/model.onnx", lambda route: route.fulfill(status=404))
    opened.goto(site.url)
    opened.wait_for_selector("#status.wrong")
    assert "The model cannot be loaded: model.onnx: 404" in opened.inner_text("#status")
    opened.close()
