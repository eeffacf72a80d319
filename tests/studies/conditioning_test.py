import dataclasses

import numpy as np
import pytest

from tfgan_suite.metrics import protocol
from tfgan_suite.studies import conditioning, outcome

VARIANTS = ["acgan", "projection_gan", "contragan", "reacgan"]


def cell(**scores):
    record = protocol.Protocol(step=2000)
    found = {name: protocol.Score(value=value, protocol=record) for name, value in scores.items()}
    return outcome.Outcome(scores=found, arrays={"grid": np.zeros((4, 4, 3), np.uint8)}, seconds=100.4)


@pytest.mark.parametrize(
    ("quick", "places"),
    [(True, ["studio/compact", "scenes/compact"]), (False, ["cifar10/sndcgan", "cifar10/resnet", "cifar10/biggan"])],
)
def test_cells_of_a_dataset_and_body_differ_in_nothing_but_how_the_class_enters(quick, places):
    cells = conditioning.cells(quick)
    assert list(cells) == [f"{place}/{variant}" for place in places for variant in VARIANTS]
    for place in places:
        mine = [cells[f"{place}/{variant}"] for variant in VARIANTS]
        configs = [{f.name: getattr(c.model, f.name) for f in dataclasses.fields(c.model)} for c in mine]
        for values in configs:
            values.pop("terms"), values.pop("embedding_size", None)
        assert all(values == configs[0] for values in configs)
        assert all((c.data, c.training.steps, c.evaluation, c.seed) == (mine[0].data, mine[0].training.steps, mine[0].evaluation, 0) for c in mine)
        assert len({tuple(type(t).__name__ for t in c.model.terms) for c in mine}) == 4


def test_the_page_has_a_table_per_dataset_and_body_with_the_published_figures_where_there_are_some():
    found = {
        "studio/compact/acgan": cell(fid_proxy=1.5, agreement=0.987, diversity=0.91),
        "studio/compact/contragan": outcome.Outcome(scores={}, arrays={}, problem="At step 100 these were not finite: loss.", seconds=9.0),
        "cifar10/biggan/contragan": cell(fid=11.25),
    }
    files = conditioning.report(found, "tfgan-study conditioning --output=docs/conditioning.md", "conditioning")
    page = files.pop("")
    assert sorted(files) == ["cifar10-biggan-contragan.png", "studio-compact-acgan.png"]
    assert "Written by `tfgan-study conditioning --output=docs/conditioning.md`" in page and "2,000 steps each" in page
    assert "| conditioning | Frechet | agreement | diversity | seconds |" in page and "| AC-GAN | 1.50 | 98.7% | 0.91 | 100 |" in page
    assert "| 2C |  |  |  | 9 |" in page and "2C stopped before the last step: At step 100 these were not finite: loss." in page
    assert "| conditioning | FID | published FID | seconds |" in page and "| 2C | 11.25 | 10.60 | 100 |" in page
    assert "![samples](conditioning/studio-compact-acgan.png)" in page
