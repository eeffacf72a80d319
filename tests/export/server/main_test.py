import dataclasses

import pytest

from export.server import main, settings


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "error: Say what to serve"),
        (["--model_base_path=nowhere"], "error: The server cannot start"),
        (["--model_config_file=nowhere"], "error: nowhere cannot be read"),
        (["--model_base_path=x", "--port=99999"], "error: --port must be in"),
    ],
)
def test_a_mistake_is_one_clear_line(command, arguments, message):
    code, _, _ = command(main, *arguments)
    assert str(code).startswith(message)


def test_every_setting_is_a_flag(command):
    _, shown, _ = command(main, "--help")
    for field in dataclasses.fields(settings.Config):
        assert f"--{'[no]' if field.type is bool else ''}{field.name}:" in shown
