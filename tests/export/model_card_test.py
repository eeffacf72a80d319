import re

import pytest
import yaml

from export import facts, model_card

RECORD = {
    "metric": "fid_proxy", "data": "d1f2", "split": "test", "num_real": 4000, "num_fake": 2000, "backbone": "embedded", "weights": "w3a4",
    "resizer": "bilinear", "quantised": True, "resolution": [64, 48, 3], "label_sampling": "balanced", "truncation": 0.0, "splits": 0, "subsets": 0,
    "subset_size": 0, "pairs": 0, "k": 0, "seed": 7, "generator": "averaged", "batch_norm": "standing", "batch_size": 100, "step": 1500, "code": "",
    "judge": {"accuracy": 0.9875, "accuracy_shape": 0.9955},
}  # fmt: skip


def score(name, value, std=None, unit="", **changes):
    return facts.Score(name=name, value=value, std=std, unit=unit, protocol=RECORD | {"metric": name} | changes)


RUN = facts.Run(
    variant="sagan",
    summary="Self-attention in both players.",
    paper="Zhang et al. 2019, arXiv:1805.08318",
    data=facts.Data(name="captioned_shapes/studio", classes=2, class_names=("red ball", "cube"), image_shape=(64, 48, 3), size=7000, held_out=123),
    training=facts.Training(step=1500, steps=2000, batch_size=64, precision="mixed_bfloat16", seed=11),
    metrics=("fid", "kid"),
    scores=(
        score("fid_proxy", 12.3456789),
        score("kid_proxy", 1.98765, std=0.1234, unit="x10^3", subsets=50, subset_size=1000),
        score("agreement", 0.87654, std=0.0071),
        score("diversity", 0.7531),
        score("leak_color", 0.04321),
    ),
    neighbours=facts.Neighbours(extractor="embedded", step=1500, samples=1000, median=3.21, held_out_median=3.5, ratio=0.9171),
)
CALLS = (
    model_card.Call(
        name="sample", inputs={"seed": "int64 [b]", "label": "int64 [b]"}, outputs={"images": "float32 [b, 64, 48, 3]"}, row={"seed": 0, "label": 1}
    ),
    model_card.Call(
        name="sample_png", inputs={"seed": "int64 [b]", "label": "int64 [b]"}, outputs={"image_bytes": "string [b]"}, row={"seed": 0, "label": 1}
    ),
)


def card(calls=CALLS, **run):
    changed = facts.Run(**{field: getattr(RUN, field) for field in RUN.__dataclass_fields__} | run)
    return model_card.Card(model_name="toy", tensorflow="2.21.0", calls=calls, sheet="The seeds 0 to 15.", run=changed)


def split(text):
    """(front matter, {title: section})."""
    _, matter, body = text.split("---\n", 2)
    parts = re.split("^## (.*)\n", body, flags=re.MULTILINE)
    return yaml.safe_load(matter), {"": parts[0]} | dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(section):
    """{first cell: the others} of every table row."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("|")]
    return {first.strip("`"): others for first, *others in cells}


def test_the_front_matter_is_what_hugging_face_reads():
    matter, _ = split(model_card.text(card()))
    assert matter["pipeline_tag"] == "unconditional-image-generation" and matter["library_name"] == "tensorflow"
    assert matter["license"] == "unknown"
    assert matter["datasets"] == ["captioned_shapes/studio"]
    assert matter["metrics"] == ["fid_proxy", "kid_proxy", "agreement", "diversity", "leak_color"]
    assert {"gan", "sagan", "tensorflow"} <= set(matter["tags"])
    assert split(model_card.text(card(license="apache-2.0")))[0]["license"] == "apache-2.0"


@pytest.mark.parametrize("name", ["folder:/home/me/cats", "toy:ring8", "tfrecord:/data/*.tfrecord"])
def test_data_that_are_no_dataset_of_the_hub_are_not_named_as_one(name):
    matter, _ = split(model_card.text(card(data=facts.Data(name=name))))
    assert "datasets" not in matter


def test_every_number_is_the_one_that_was_measured():
    _, sections = split(model_card.text(card()))
    shown = rows(sections["Metrics"]) | rows(sections["Conditional agreement"]) | rows(sections["Augmentation leak"])
    for one in RUN.scores:
        value, deviation, unit, _ = shown[one.name]
        assert float(value) == pytest.approx(one.value, rel=5e-4)
        assert (deviation == "") == (one.std is None) and (one.std is None or float(deviation) == pytest.approx(one.std, rel=0.05))
        assert unit == one.unit
    near = rows(sections["Memorisation"])
    assert [float(near[name][0]) for name in list(near)[-4:]] == [1000, 3.21, 3.5, 0.9171]
    training, data = rows(sections["Training"]), rows(sections["Data"])
    assert training["Generator steps"] == ["1500 of 2000"] and training["Seed"] == ["11"]
    assert training["Batch"] == ["64 examples"] and training["Precision"] == ["mixed_bfloat16"]
    assert data["Images"] == ["64 x 48 x 3 (height, width, channels)"] and data["Classes"] == ["2: red ball, cube"]
    assert (data["Trained on"], data["Held out"]) == (["7000 examples"], ["123 examples"])


def test_no_number_stands_without_its_protocol():
    _, sections = split(model_card.text(card()))
    for title in ("Metrics", "Conditional agreement", "Augmentation leak"):
        lines = [line for line in sections[title].splitlines() if line.startswith("- ")]
        described = {name for line in lines for name in re.findall("`([a-z_]+)`", line.split(":")[0])}
        assert described == {one.name for one in RUN.scores} & set(rows(sections[title]))
        for line in lines:
            for fact in (
                "2000 samples",
                "4000 real",
                "'test'",
                "d1f2",
                "embedded (w3a4)",
                "bilinear",
                "no truncation",
                "averaged",
                "standing",
                "step 1500",
            ):
                assert fact in line
    (kernel,) = [line for line in sections["Metrics"].splitlines() if line.startswith("- `kid_proxy`")]
    assert "subsets 50" in kernel and "subset_size 1000" in kernel


def test_agreement_stands_beside_the_judges_own_accuracy_and_the_diversity():
    _, sections = split(model_card.text(card()))
    assert "accuracy 0.9875; accuracy_shape 0.9955" in sections["Conditional agreement"]
    assert "`diversity`" in sections["Conditional agreement"]


def test_numbers_of_other_weights_say_so():
    text = model_card.text(card(training=facts.Training(step=2000)))
    assert text.count("of other weights: these are of step 2000") >= 5
    assert "of other weights" not in model_card.text(card())


def test_what_was_not_measured_says_so_and_how_to():
    _, sections = split(model_card.text(card(scores=(), neighbours=None)))
    for title in ("Metrics", "Conditional agreement", "Memorisation", "Augmentation leak"):
        assert sections[title].strip().startswith("Not measured. To measure: ")
        assert not re.search(r"\d", sections[title])
    assert "tfgan-evaluate --workdir=" in sections["Metrics"]
    assert "tfgan-analyze neighbours" in sections["Memorisation"]
    assert "`tfgan-evaluate --workdir=<run> --add_metrics=augmentation_leak`" in sections["Augmentation leak"]
    assert "`tfgan-evaluate --workdir=<run> --add_metrics=agreement,diversity`" in sections["Conditional agreement"]
    _, sections = split(model_card.text(card(scores=(), metrics=("augmentation_leak",))))
    assert "add_metrics" not in sections["Augmentation leak"]


def test_without_classes_agreement_does_not_apply():
    call = model_card.Call(name="sample", inputs={"seed": "int64 [b]"}, outputs={"images": "float32 [b, 8, 8, 3]"}, row={"seed": 0})
    _, sections = split(model_card.text(card(calls=(call,))))
    assert sections["Conditional agreement"].strip() == "Does not apply: a request names no class."


def test_a_model_of_which_nothing_is_known_has_a_card_that_says_so():
    matter, sections = split(model_card.text(model_card.Card(model_name="toy", tensorflow="2.21.0", calls=CALLS)))
    assert sections["Data"].strip() == "Not on record."
    assert set(sum(list(rows(sections["Training"]).values())[2:], [])) == {"not on record"}
    assert "samples.png" not in sections[""] and "datasets" not in matter and "metrics" not in matter


def test_a_signature_of_latents_alone_is_shown_as_a_layer():
    call = model_card.Call(name="generate_default", inputs={"latents": "float32 [b, 16]"}, outputs={"images": "float32 [b, 8, 8, 3]"}, row={})
    assert 'TFSMLayer("PATH", call_endpoint="generate_default")' in model_card.text(card(calls=(*CALLS, call)))
    assert "keras.random.normal([1, 16])" in model_card.text(card(calls=(*CALLS, call)))
    assert "TFSMLayer" not in model_card.text(card())


def test_the_words_are_those_of_the_house():
    text = model_card.text(card())
    for word in ("state-of-the-art", "powerful", "None", "nan", "{", "}"):
        assert word not in re.sub(r"```.*?```", "", text, flags=re.DOTALL)
