import types

import numpy as np
import pytest

from tfgan_suite import registry
from tfgan_suite.core import sampling
from tfgan_suite.metrics import protocol
from tfgan_suite.studies import gallery, outcome


def test_every_variant_is_a_cell_with_its_demo_preset():
    cells = gallery.cells(quick=False)
    assert list(cells) == list(registry.VARIANTS)
    assert all(cell == registry.experiment(f"{variant}/demo") for variant, cell in cells.items())
    for variant, cell in gallery.cells(quick=True).items():
        assert cell.training.steps == cells[variant].training.steps // 4


@pytest.mark.parametrize(("conditions", "rows"), [((), 8), (("label",), 4)])
def test_a_cell_keeps_a_grid_of_its_finished_model(monkeypatch, conditions, rows):
    monkeypatch.setattr(sampling, "grid", lambda model, rows, seed: np.full((rows, 2, 3), seed, np.uint8))
    model = types.SimpleNamespace(condition_keys=conditions)
    assert gallery.measure("dcgan", model, None)["grid"].shape == (rows, 2, 3)


def test_the_page_has_a_row_and_a_picture_per_variant_and_says_which_failed():
    record = protocol.Protocol(step=2000)
    scores = {name: protocol.Score(value=value, protocol=record) for name, value in (("fid_proxy", 1.234), ("agreement", 0.987), ("diversity", 0.9))}
    found = {
        "sngan": outcome.Outcome(scores=scores, arrays={"grid": np.zeros((4, 4, 3), np.uint8)}, seconds=201.4),
        "gan": outcome.Outcome(scores={}, arrays={}, problem="At step 100 these were not finite: loss.", seconds=9.0),
    }
    files = gallery.report(found, "tfgan-study gallery --output=docs/gallery.md", "gallery")
    page = files.pop("")
    assert list(files) == ["sngan.png"] and files["sngan.png"].startswith(b"\x89PNG")
    assert "Written by `tfgan-study gallery --output=docs/gallery.md`" in page
    assert "| [sngan](#sngan) | 2000 | 1.23 |  |  | 98.7% |  |  | 0.90 | 201 |" in page
    assert "![samples of sngan/demo](gallery/sngan.png)" in page and "gallery/gan.png" not in page
    assert "Stopped before the last step: At step 100 these were not finite: loss." in page
