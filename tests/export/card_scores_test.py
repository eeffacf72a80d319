import pytest

from export import card_scores, facts


def score(name, **record):
    return facts.Score(name=name, value=1.0, std=None, unit="", protocol={"step": 3} | record)


def test_without_scores_there_is_no_table():
    assert card_scores.text(facts.Run(), []) == ""


def test_scores_measured_alike_share_a_line_and_others_have_their_own():
    lines = card_scores.text(facts.Run(), [score("fid"), score("recall"), score("precision", k=5)]).splitlines()
    assert [line.split(":")[0] for line in lines if line.startswith("- ")] == ["- `fid`, `recall`", "- `precision`"]


@pytest.mark.parametrize(
    "name, said",
    [
        ("fid", "lower is better"),
        ("fid_proxy", "not to be compared"),
        ("agreement_shape", "gives the class asked for"),
        ("leak_color_red", "shift of colours"),
        ("is", "inception score"),
        ("isolation", "|  |"),
        ("something_new", "|  |"),
    ],
)
def test_a_score_is_explained_by_its_own_name_alone(name, said):
    (row,) = [line for line in card_scores.text(facts.Run(), [score(name)]).splitlines() if line.startswith(f"| `{name}`")]
    assert said in row


def test_a_truncation_is_on_the_line():
    assert "truncation 0.5" in card_scores.text(facts.Run(), [score("fid", truncation=0.5)])
    assert "no truncation" in card_scores.text(facts.Run(), [score("fid", truncation=0.0)])
