import json

from tfgan_suite.metrics import protocol, scores

RECORD = protocol.Protocol(
    metric="kid_proxy", split="test", num_real=120, num_fake=160, backbone="reader", weights="f00d", judge={"accuracy": 1.0, "accuracy_pose": 0.985}
)
SCORES = {
    "kid_proxy": protocol.Score(value=3.25, std=0.5, unit="x10^3", protocol=RECORD),
    "modes": protocol.Score(value=6.0, details={"missing": [2, 7]}, protocol=RECORD),
}


def test_written_scores_are_read_back_and_nothing_else_is_left(tmp_path):
    scores.write(tmp_path / "run" / "metrics.json", SCORES)
    assert scores.read(tmp_path / "run" / "metrics.json") == SCORES
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["metrics.json"]
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["modes"]["protocol"]["judge"]["accuracy"] == 1.0


def test_the_table_shows_scores_what_is_missing_counts_and_how_good_the_judge_is():
    lines = scores.table(SCORES).splitlines()
    assert [line.split() for line in lines[:3]] == [["metric", "value", "+/-", "unit"], ["kid_proxy", "3.25", "0.5", "x10^3"], ["modes", "6"]]
    assert lines[3] == "modes, missing: 2, 7"
    assert lines[4] == "160 generated against 120 real images of the split 'test'"
    assert "reader (f00d)" in lines[5] and "accuracy 100.0%, accuracy_pose 98.5%" in lines[6]


def test_a_long_list_of_missing_modes_is_cut():
    text = scores.table({"class_modes": protocol.Score(value=1.0, details={"missing": list(range(1, 1000))}, protocol=RECORD)})
    assert "class_modes, missing: 1, 2, 3" in text and "30 and 969 more" in text
