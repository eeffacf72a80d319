from export import serving_config
from export.kit import rollout, state, status


def test_a_label_on_a_version_that_is_not_loaded_is_pointed_out(folder):
    path = folder.path / "models.config"
    config = serving_config.parse_models(path.read_text())
    config.model_config_list.config[0].version_labels["blue"] = 7
    path.write_text(serving_config.models_text(config))
    assert "  blue points at version 7, which the server does not load: requests to it fail." in status.report(str(folder.path), "toy", None)


def test_the_state_of_each_version_at_the_server_stands_beside_it(folder, monkeypatch):
    monkeypatch.setattr(state, "versions", lambda url, model, of="": {2: ("LOADING", "no memory")})
    lines = [line.split("  ")[-1].strip() for line in status.report(str(folder.path), "toy", "http://server")]
    assert lines[1:4] == ["server", "-", "LOADING no memory"]


def test_a_pinned_policy_and_the_way_back_are_shown(folder):
    list(rollout.promote(str(folder.path), "toy", 2, None))
    assert any("stable" not in line and "(rollback)" in line for line in status.report(str(folder.path), "toy", None))
    list(rollout.roll_back(str(folder.path), "toy", None))
    assert next(status.report(str(folder.path), "toy", None)) == "toy: the server loads versions 1, 2, pinned until the next promote"
