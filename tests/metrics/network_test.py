import time
import urllib.error

import pytest

from tfgan_suite.metrics import network


def require(seconds=10.0):
    network.require("https://weights.example/net", "The net", "Pass a local file.", seconds)


def test_an_unreachable_host_is_named_with_its_reason_and_the_remedy(monkeypatch):
    def refuse(*arguments, **keywords):
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(network.urllib.request, "urlopen", refuse)
    with pytest.raises(ValueError, match=r"The net must be downloaded.*weights\.example.*Name or service not known.*Pass a local file\."):
        require()


def test_a_host_that_hangs_is_given_up(monkeypatch):
    def hang(*arguments, **keywords):
        time.sleep(1)
        raise OSError("too late")

    monkeypatch.setattr(network.urllib.request, "urlopen", hang)
    start = time.monotonic()
    with pytest.raises(ValueError, match="no answer within 0.1 seconds"):
        require(seconds=0.1)
    assert time.monotonic() - start < 0.9


def test_a_host_that_answers_is_enough_even_with_an_error_page(monkeypatch):
    def answer(request, timeout):
        raise urllib.error.HTTPError(request.full_url, 404, "Not Found", None, None)

    monkeypatch.setattr(network.urllib.request, "urlopen", answer)
    require()
