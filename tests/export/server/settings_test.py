import dataclasses

import pytest

from export.server import settings


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({}, "Say what to serve"),
        ({"model_base_path": "x", "model_config_file": "y"}, "Say what to serve"),
        ({"model_base_path": "x", "batching_parameters_file": "y"}, "without --enable_batching"),
        ({"model_base_path": "x", "enable_per_model_batching_parameters": True}, "without --enable_batching"),
        ({"model_base_path": "x", "max_request_rows": 0}, "at least 1"),
        ({"model_base_path": "x", "port": 70000}, "65535"),
        ({"model_base_path": "x", "port": 8500, "rest_api_port": 8500}, "a port each"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        settings.Config(**wrong)


def test_every_setting_has_a_default_and_says_what_it_is():
    for field in dataclasses.fields(settings.Config):
        assert field.default is not dataclasses.MISSING and field.metadata["help"].endswith("."), field.name


def test_the_server_listens_on_this_machine_alone_unless_told():
    assert settings.Config(model_base_path="x").host == "127.0.0.1"
