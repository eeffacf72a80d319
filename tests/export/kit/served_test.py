import pytest

from export import serving_config
from export.kit import served


def test_the_models_are_those_of_the_configuration_that_lie_in_the_folder(folder):
    toy, other = folder.served.models
    assert (toy.name, toy.newest, toy.loaded, toy.cost.largest.rows) == ("toy", 2, 2, 8)
    assert toy.bytes > 50 * 2**20  # of the largest version
    assert (other.name, other.newest, other.loaded, other.cost) == ("other", 1, 1, None)
    assert folder.served.metrics_path == "/monitoring/prometheus/metrics"
    assert folder.served.batch_timeout_seconds == 0.002


def test_a_model_that_lies_elsewhere_is_told_apart(folder):
    path = folder.path / "models.config"
    config = serving_config.parse_models(path.read_text())
    config.model_config_list.config[1].base_path = "/elsewhere/other"
    path.write_text(serving_config.models_text(config))
    of = served.read(str(folder.path), "/models/")
    assert [model.name for model in of.models] == ["toy"] and of.elsewhere == ("other",)


def test_tuned_settings_of_the_server_are_read(folder):
    (folder.path / "monitoring.config").write_text('prometheus_config { enable: true path: "/m" }')
    (folder.path / "batching.config").write_text("num_batch_threads { value: 3 } batch_timeout_micros { value: 5000 }")
    of = served.read(str(folder.path), "/models")
    assert (of.metrics_path, of.batch_threads, of.batch_timeout_seconds) == ("/m", 3, 0.005)


def test_a_configuration_that_a_server_would_refuse_is_an_error(folder):
    (folder.path / "models.config").write_text("model_config_list { config { } }")
    with pytest.raises(ValueError, match="name of its own"):
        served.read(str(folder.path), "/models")
