"""The demo page in a headless Chromium: what is moved is seen."""

import base64
import shutil

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("There is no chromium on the PATH; on Debian: apt-get install chromium.")
    from playwright import sync_api

    switches = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync"
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=switches.split())
        yield started
        started.close()


@pytest.fixture
def page(browser, toy_server):
    """The page, loaded and drawn; fails at the end for anything that the browser complained about."""
    opened = browser.new_page(viewport={"width": 1100, "height": 900})
    complaints = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" and "400 (BAD REQUEST)" not in said.text else None)
    opened.goto(f"http://127.0.0.1:{toy_server.rest_port}/")
    settled(opened)
    yield opened
    opened.close()
    assert complaints == []


def settled(page):
    page.wait_for_selector("main[aria-busy=false] #image[src]")


def shown(page, selector="#image"):
    settled(page)
    return base64.b64decode(page.get_attribute(selector, "src").partition(",")[2])


def move(page, control, value):
    page.locator(f"#{control}").evaluate("(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('input')); }", str(value))
    return shown(page)


def sampled(answer, seed, label, truncation=1.0):
    import numpy as np

    inputs = {"seed": np.array([seed]), "truncation": np.array([truncation], np.float32), "label": np.array([label])}
    return answer("sample_png", inputs)["image_bytes"][0]


def test_the_image_follows_seed_class_and_truncation(page, answer):
    assert shown(page) == sampled(answer, 7, 0)
    assert move(page, "seed", 8) == sampled(answer, 8, 0)
    assert move(page, "label", 3) == sampled(answer, 8, 3)
    assert move(page, "truncation", 0.5) == sampled(answer, 8, 3, 0.5)


def test_the_class_slider_ends_at_the_last_class(page, toy):
    assert page.get_attribute("#label", "max") == str(toy.classes - 1)
    assert page.locator("#others img").count() == toy.classes


def test_the_strip_goes_from_this_seed_to_the_other(page, answer):
    import numpy as np

    thumbnails = page.locator("#strip img")
    assert thumbnails.count() == 9
    inputs = {key: np.array([value]) for key, value in {"seed": 7, "other_seed": 42, "label": 0}.items()}
    expected = answer("interpolate_png", inputs | {"position": np.array([0.5], np.float32)})["image_bytes"][0]
    assert base64.b64decode(thumbnails.nth(4).get_attribute("src").partition(",")[2]) == expected
    assert move(page, "position", 0.5) == expected
    page.locator("#others button").nth(2).click()
    assert shown(page) == sampled(answer, 7, 2)


def test_the_latency_is_shown(page):
    before = page.inner_text("#latency")
    assert float(before.removesuffix(" ms")) > 0
    for seed in range(20, 24):
        move(page, "seed", seed)
    assert page.inner_text("#latency").endswith(" ms") and page.inner_text("#size") == "8 × 8"


def test_an_error_is_said_and_goes_away_with_the_next_image(page, answer):
    page.evaluate("() => { state.values.label = 99; draw(); }")
    page.wait_for_function("() => document.getElementById('error').textContent.includes('no such class')")
    assert move(page, "label", 1) == sampled(answer, 7, 1)
    assert page.inner_text("#error") == ""
