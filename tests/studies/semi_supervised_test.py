import types

import numpy as np
import pytest

from tfgan_suite.core import sampling
from tfgan_suite.losses import semi_supervised as losses
from tfgan_suite.metrics import protocol
from tfgan_suite.studies import outcome, semi_supervised


def cell(error, *, seconds=10.0, **arrays):
    record = protocol.Protocol(step=12_000, num_real=10_000)
    return outcome.Outcome(scores={"test_error": protocol.Score(value=error, protocol=record)}, arrays=arrays, seconds=seconds)


def test_a_subset_is_trained_with_and_without_its_unlabelled_images_and_by_nothing_else_different():
    cells = semi_supervised.cells(quick=False)
    assert len(cells) == 10
    for seed in range(5):
        both, alone = cells[f"subset_{seed}/semi_supervised"], cells[f"subset_{seed}/labelled_alone"]
        assert both.seed == alone.seed == both.data.labelled_seed == seed and both.data == alone.data and both.training == alone.training
        assert both.data.labelled_per_class == 10
        assert both.model.generator_steps == 1 and alone.model.generator_steps == 0
        assert [t.unlabelled_weight for t in alone.model.terms if isinstance(t, losses.SemiSupervised)] == [0.0]
        alone.model.terms, alone.model.generator_steps = both.model.terms, 1
        assert both.model == alone.model


def test_quick_is_the_first_subset():
    every, cells = semi_supervised.cells(quick=False), semi_supervised.cells(quick=True)
    assert cells == {name: cell for name, cell in every.items() if name.startswith("subset_0/")} and len(cells) == 2


@pytest.mark.parametrize(("name", "arrays"), [("subset_0/semi_supervised", ["grid"]), ("subset_0/labelled_alone", [])])
def test_only_an_arm_with_a_generator_has_samples(monkeypatch, name, arrays):
    monkeypatch.setattr(sampling, "grid", lambda model, rows, seed: np.zeros((rows, 2, 3), np.uint8))
    assert list(semi_supervised.measure(name, types.SimpleNamespace(), None)) == arrays


def test_the_page_has_both_errors_of_every_subset_their_mean_and_what_stopped():
    found = {
        "subset_0/semi_supervised": cell(0.02, seconds=700.4, grid=np.zeros((4, 4, 3), np.uint8)),
        "subset_0/labelled_alone": cell(0.2, seconds=300.0),
        "subset_1/semi_supervised": cell(0.04),
        "subset_1/labelled_alone": outcome.Outcome(scores={}, arrays={}, problem="At step 100 these were not finite: loss.", seconds=9.0),
    }
    files = semi_supervised.report(found, "tfgan-study semi_supervised --output=docs/semi_supervised.md", "semi_supervised")
    page = files.pop("")
    assert list(files) == ["samples.png"] and "![samples](semi_supervised/samples.png)" in page
    assert "Written by `tfgan-study semi_supervised --output=docs/semi_supervised.md`" in page and "after 12,000 steps, on 10,000 test images" in page
    assert "| 0 | 2.00% | 20.00% | 700 + 300 |" in page and "| 1 | 4.00% | stopped | 10 + 9 |" in page
    assert "| mean and deviation | 3.00% ± 1.41% | stopped | |" in page  # sqrt(2 * 0.01 ** 2) of two errors
