import itertools
import json

from export.kit import grafana


def dashboard(folder):
    return json.loads(grafana.dashboard(folder.served))


def test_panels_have_ids_of_their_own_and_lie_side_by_side_without_overlap(folder):
    panels = dashboard(folder)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 6
    covered = [
        {(x, y) for x, y in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"]))}
        for at in (panel["gridPos"] for panel in panels)
    ]
    assert all(not a & b for a, b in itertools.combinations(covered, 2))
    assert all(x < 24 for cells in covered for x, _ in cells)  # Grafana's grid has 24 columns


def test_every_panel_reads_from_the_chosen_prometheus_and_tells_its_lines_apart(folder):
    for panel in dashboard(folder)["panels"]:
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references)
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"] == {"type": "prometheus", "uid": "${source}"}


def test_the_variables_are_the_source_and_the_model(folder):
    names = {variable["name"]: variable["type"] for variable in dashboard(folder)["templating"]["list"]}
    assert names == {"source": "datasource", "model": "query"}


def test_a_latency_panel_marks_the_limit_of_the_alert(folder):
    (latency,) = [panel for panel in dashboard(folder)["panels"] if panel["title"] == "Latency of requests"]
    assert latency["fieldConfig"]["defaults"]["unit"] == "µs"
    assert latency["fieldConfig"]["defaults"]["thresholds"]["steps"][-1]["value"] == 1_008_000
