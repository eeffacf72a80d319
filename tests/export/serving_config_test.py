import os

import pytest
from google.protobuf import text_format
from tensorflow_serving.config import model_server_config_pb2

from export import protos, serving_config


def models(text):
    return text_format.Parse(text, model_server_config_pb2.ModelServerConfig()).model_config_list.config


def batching(text):
    return text_format.Parse(text, protos.message_class("BatchingParameters")())


def test_the_published_files_parse_as_the_servers_messages(published):
    def read(*path):
        with open(os.path.join(published.output, *path)) as file:
            return file.read()

    (model,) = models(read("models.config"))
    assert (model.name, model.base_path, model.model_platform) == ("toy", "/models/toy", "tensorflow")
    assert model.model_version_policy.latest.num_versions == 2
    assert dict(model.version_labels) == {"stable": 1, "canary": 1}
    for path in (["batching.config"], ["toy", "1", "batching_params.pbtxt"]):
        parameters = batching(read(*path))
        assert list(parameters.allowed_batch_sizes) == [1, 4]
        assert parameters.max_batch_size.value == 4
        assert not parameters.pad_variable_length_inputs
    config = text_format.Parse(read("monitoring.config"), protos.message_class("MonitoringConfig")())
    assert config.prometheus_config.enable
    assert config.prometheus_config.path == "/monitoring/prometheus/metrics"


@pytest.mark.parametrize(
    "text, message",
    [
        ("max_batch_size: 16", "BatchingParameters"),
        ("allowed_batch_sizes { value: 1 }", "BatchingParameters"),
        ("max_batchsize { value: 16 }", "max_batchsize"),
        ("max_batch_size { value: 16 } allowed_batch_sizes: [4, 8]", "last of allowed_batch_sizes"),
        ("max_batch_size { value: 4 } allowed_batch_sizes: [8, 4]", "rise"),
        ("allowed_batch_sizes: [4, 8]", "last of allowed_batch_sizes"),
    ],
)
def test_wrong_batching_parameters_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        serving_config.parse_batching(text)


MODEL = 'model_config_list { config { name: "toy" base_path: "/models/toy" model_platform: "tensorflow" %s } }'


@pytest.mark.parametrize(
    "text, message",
    [
        ('model_config_list { config { name: "toy" base_path: "toy" model_platform: "tensorflow" } }', "absolute base_path"),
        ('model_config_list { config { name: "toy" base_path: "/models/toy" } }', "model_platform"),
        ('model_config_list { config { base_path: "/models/toy" model_platform: "tensorflow" } }', "name of its own"),
        (MODEL % 'version_labels { key: "my-label" value: 1 }', "letters, digits and underscores"),
        (MODEL % "model_version_policy { latest: 2 }", "ModelServerConfig"),
        (MODEL % "version_policy { all {} }", "version_policy"),
        (MODEL % "} config { name: 'toy' base_path: '/models/other' model_platform: 'tensorflow'", "name of its own"),
        ("custom_model_config {}", "custom_model_config"),
    ],
)
def test_a_wrong_model_list_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        serving_config.parse_models(text)


def test_a_wrong_monitoring_or_tls_file_is_refused():
    serving_config.parse_monitoring('prometheus_config { enable: true path: "/monitoring/prometheus/metrics" }')
    with pytest.raises(ValueError, match="start with"):
        serving_config.parse_monitoring('prometheus_config { enable: true path: "metrics" }')
    with pytest.raises(ValueError, match="enabled"):
        serving_config.parse_monitoring("prometheus_config { enabled: true }")
    pem = "-----BEGIN CERTIFICATE-----"
    serving_config.parse_tls(f'server_key: "{pem}" server_cert: "{pem}" client_verify: false')
    with pytest.raises(ValueError, match="PEM text itself"):
        serving_config.parse_tls('server_key: "/etc/server.key" server_cert: "/etc/server.crt"')


def test_no_export_moves_stable_or_has_the_server_unload_it(tmp_path):
    """Followed by a server that knows each file only after it has seen the version that came with it."""
    policy = None
    for newest, canary, listed in ((1, 1, []), (2, 2, [1, 2]), (3, 2, [1, 2, 3]), (4, 2, [1, 2, 4])):
        available = list(range(1, newest + 1))
        if policy:
            assert 1 in serving_config.loaded(policy, available)
        serving_config.update(str(tmp_path), "toy", "/models", (1, 2), available)
        (toy,) = models((tmp_path / "models.config").read_text())
        policy = toy.model_version_policy
        assert dict(toy.version_labels) == {"stable": 1, "canary": canary} and list(policy.specific.versions) == listed
    assert serving_config.history(str(tmp_path)) == {"toy": {"policy": "latest { num_versions: 2 }"}}


def test_a_label_moves_only_to_a_version_that_the_server_loads_by_the_policy_it_has():
    """One that the file itself has it load is refused with the file, and so would never be loaded."""
    listed = MODEL % 'model_version_policy { specific { versions: 1 } } version_labels { key: "canary" value: 1 }'
    for pinned in (True, False):
        (toy,) = models(serving_config._models(listed, "toy", "/models", [1, 2], pinned=pinned)[0])
        assert dict(toy.version_labels) == {"canary": 1}


def test_what_the_user_changed_in_the_model_list_stays():
    edited = MODEL % 'model_version_policy { specific { versions: [1, 4] } } version_labels { key: "stable" value: 1 }'
    other = (
        'config { name: "other" base_path: "/elsewhere/other" model_platform: "tensorflow" logging_config { log_collector_config { type: "x" } } }'
    )
    edited = edited[:-1] + other + "}"
    toy, kept = models(serving_config.models(edited, "toy", "/models", [1, 4, 5]))
    assert list(toy.model_version_policy.specific.versions) == [1, 4]
    assert dict(toy.version_labels) == {"stable": 1}
    assert (kept.base_path, kept.logging_config.log_collector_config.type) == ("/elsewhere/other", "x")


def test_the_versions_of_ones_own_labels_stay_loaded():
    edited = (
        MODEL
        % 'model_version_policy { latest { num_versions: 1 } } version_labels { key: "blue" value: 1 } version_labels { key: "canary" value: 1 }'
    )
    (toy,) = models(serving_config.models(edited, "toy", "/models", [1, 2]))
    assert dict(toy.version_labels) == {"blue": 1, "canary": 2} and list(toy.model_version_policy.specific.versions) == [1, 2]
    everything = MODEL % 'model_version_policy { all {} } version_labels { key: "blue" value: 1 }'
    (toy,) = models(serving_config.models(everything, "toy", "/models", [1, 2]))
    assert dict(toy.version_labels) == {"blue": 1}


def test_tuned_batching_stays_and_takes_further_sizes():
    tuned = "max_batch_size { value: 8 } allowed_batch_sizes: [2, 8] num_batch_threads { value: 3 } batch_timeout_micros { value: 7 }"
    parameters = batching(serving_config.batching((1, 4), tuned))
    assert list(parameters.allowed_batch_sizes) == [1, 2, 4, 8]
    assert (parameters.max_batch_size.value, parameters.num_batch_threads.value, parameters.batch_timeout_micros.value) == (8, 3, 7)


def test_a_broken_file_beside_the_models_is_reported_by_name_and_nothing_is_published(tmp_path):
    serving_config.check_existing(str(tmp_path / "new"))
    (tmp_path / "ssl.config").write_text("server_key: 3")
    with pytest.raises(ValueError, match="ssl.config is not valid"):
        serving_config.check_existing(str(tmp_path))


def test_a_damaged_history_is_reported_before_anything_is_published(tmp_path):
    (tmp_path / "history.json").write_text("[]")
    with pytest.raises(ValueError, match=r"history\.json is not what tfgan-serving writes\. Move it away"):
        serving_config.check_existing(str(tmp_path))


def test_update_writes_what_is_missing_and_keeps_tuned_monitoring(tmp_path):
    (tmp_path / "monitoring.config").write_text('prometheus_config { enable: true path: "/metrics" }')
    serving_config.update(str(tmp_path), "toy", "/srv", (1, 2), [1])
    assert sorted(os.listdir(tmp_path)) == ["batching.config", "models.config", "monitoring.config"]
    assert "/metrics" in (tmp_path / "monitoring.config").read_text()
    assert models((tmp_path / "models.config").read_text())[0].base_path == "/srv/toy"
