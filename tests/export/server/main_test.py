import dataclasses
import os
import signal
import time

import pytest

from export.server import main, running, settings


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "error: Say what to serve"),
        (["--model_base_path=nowhere"], "error: The server cannot start"),
        (["--model_config_file=nowhere"], "error: nowhere cannot be read"),
        (["--model_base_path=x", "--port=99999"], "error: --port must be in"),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_2(command, arguments, message):
    code, output, errors = command(main, *arguments)
    assert (code, output) == (2, "") and errors.startswith(message)


def test_every_setting_is_a_flag(command):
    _, shown, _ = command(main, "--help")
    for field in dataclasses.fields(settings.Config):
        assert f"--{'[no]' if field.type is bool else ''}{field.name}:" in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_ends_a_start_that_is_still_loading(command, monkeypatch, number):
    class Loading:
        def __init__(self, config):
            pass

        def start(self):
            os.kill(os.getpid(), number)
            time.sleep(60)

    monkeypatch.setattr(running, "Server", Loading)
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    begin = time.monotonic()
    try:
        code, _, _ = command(main, "--model_base_path=x")
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    assert code == 0 and time.monotonic() - begin < 30
