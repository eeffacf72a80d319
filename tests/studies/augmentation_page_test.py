import io

import numpy as np
import pytest
from PIL import Image

from tfgan_suite.metrics import protocol
from tfgan_suite.studies import augmentation_page, augmentation_results, augmenting, outcome, strength

PLACE = "sndcgan-cifar10_augmentation_study"


def cell(fid, *, dataset="cifar10", distances=None, key="fid_proxy", **leaks):
    record = protocol.Protocol(step=12_000, num_fake=10_000, num_real=10_000, split="test")
    values = {key: fid, "leak_color": 0.1, "leak_black": 0.0, "leak_reflection": 0.01} | leaks
    scores = {name: protocol.Score(value=value, protocol=record) for name, value in values.items()}
    arrays = {"grid": np.zeros((4, 4, 3), np.uint8), "dataset": np.array(dataset)}
    arrays |= {f"distance/{name}": np.array(value) for name, value in (distances or {}).items()}
    return outcome.Outcome(scores=scores, arrays=arrays, seconds=100.4)


def grid(**changes):
    """Two strengths of translation and one of brightness, as the paper found it."""
    fixed = {"translation/0.1": 8.0, "translation/0.3": 6.0, "translation/0.5": 5.0}
    found = {
        ("baseline",): cell(10.0, distances=fixed),
        ("real_only", "translation", "0.1"): cell(11.0, leak_reflection=0.2),
        ("real_only", "translation", "0.3"): cell(14.0, leak_reflection=0.4),
        ("real_and_fake", "translation", "0.1"): cell(8.0, distances={"translation/0.1": 7.0}),
        ("real_and_fake", "translation", "0.3"): cell(9.0),
        ("real_and_fake", "brightness", "0.3"): cell(9.5),
        ("bcr", "translation", "0.1"): cell(7.0),
        ("bcr", "translation", "0.3"): cell(9.25),
    }
    return {augmenting.Cell(PLACE, *name): o for name, o in (found | changes.get("more", {})).items()}


@pytest.fixture(scope="module")
def written():
    more = {
        ("bcr", "translation", "0.3-0"): cell(9.0),
        ("bcr", "translation+brightness", "0.1+0.1"): cell(6.0),
        ("bcr", "translation+brightness", "0.1+0.3"): cell(6.5),
        ("zcr",): cell(9.9),
    }
    return augmentation_page.write(grid(more=more), "tfgan-study augmentation --output=docs/augmentation.md", "augmentation")


def test_the_page_has_a_row_per_cell_the_published_figures_the_command_and_the_protocol(written):
    page = written[""]
    assert "Written by `tfgan-study augmentation --output=docs/augmentation.md`." in page
    assert "12,000 steps, one run each, seed 0; 10,000 samples against 10,000 real ones of the split 'test'" in page
    assert f"## {PLACE} on cifar10" in page
    assert "| used | augmentation | strength | Frechet | colour | black | mirrored | distance | published FID | seconds |" in page
    assert "| no augmentation |  |  | 10.00 | 0.10 | 0.00% | 0.010 |  | 24.73 | 100 |" in page
    assert "| real and fake | translation | 0.1 | 8.00 | 0.10 | 0.00% | 0.010 | 7.00 | ~19.0 | 100 |" in page
    assert "| real only | translation | 0.3 | 14.00 | 0.10 | 0.00% | 0.400 |  |  | 100 |" in page
    assert "10,000 samples against the 10,000 test images" in page


def test_other_data_have_no_published_figures():
    cells = {augmenting.Cell("quick", "baseline"): cell(2.0, dataset="captioned_shapes/studio")}
    page = augmentation_page.write(cells, "command", "folder")[""]
    assert "published" not in page and "## quick on captioned_shapes/studio" in page


def test_findings_are_counted_where_they_hold():
    held = augmentation_results.findings(augmentation_results.Results(grid()))
    assert held == [
        "- Augmenting real images alone is worse than not augmenting: in 2 of 2 cases.",
        "- Samples then bear more of the augmentation's signature than with real and fake augmented: in 2 of 2 cases.",
        "- Augmenting real and fake is better than not augmenting: in 3 of 3 cases.",
        "- bCR is better than augmenting real and fake: in 1 of 2 cases.",
        "- bCR is better than not augmenting: in 2 of 2 cases.",
        "- Spatial augmentations at their best are better than visual ones (real and fake): in 1 of 1 cases.",
        "- The distance between augmented real and augmented fake images of the model without augmentation falls with strength: in 2 of 2 cases.",
    ]


def test_every_figure_of_the_grid_is_a_picture_on_the_page(written):
    page, files = written[""], {name: content for name, content in written.items() if name}
    drawn = ["strengths", "modes", "distances", "leaks", "annealing", "bcr-translation-brightness", "samples-baseline", "samples-zcr"]
    drawn += ["samples-real_only-translation", "samples-real_and_fake-translation", "samples-real_and_fake-brightness", "samples-bcr-translation"]
    assert sorted(files) == sorted(f"{PLACE}-{name}.png" for name in drawn)
    for name, content in files.items():
        assert min(Image.open(io.BytesIO(content)).size) >= 4 and f"](augmentation/{name})" in page


def test_seeds_are_averaged_and_their_deviation_shown():
    cells = {augmenting.Cell("quick", "baseline", seed=seed): cell(fid) for seed, fid in ((0, 1.0), (1, 3.0))}
    page = augmentation_page.write(cells, "command", "folder")[""]
    assert "| no augmentation |  |  | 2.00 ± 1.41 |" in page and "seeds 0, 1, mean ± deviation" in page  # of two values: |a - b| / sqrt(2)


def test_a_cell_that_stopped_has_a_reason_in_place_of_figures():
    stopped = outcome.Outcome(scores={}, arrays={}, problem="At step 100 these were not finite: loss.", seconds=9.0)
    cells = {augmenting.Cell(PLACE, "baseline"): cell(10.0), augmenting.Cell(PLACE, "bcr", "brightness", "0.3"): stopped}
    page = augmentation_page.write(cells, "command", "folder")[""]
    assert "| bCR | brightness | 0.3 |  |  |  |  |  | 9 |" in page
    assert f"- `{PLACE}/bcr/brightness/0.3/seed_0`: At step 100 these were not finite: loss." in page
    nothing = augmentation_page.write({augmenting.Cell("quick", "baseline"): stopped}, "command", "folder")
    assert list(nothing) == [""] and "no run has finished" in nothing[""]


def test_a_field_of_two_augmentations_may_have_gaps():
    picture = strength.heat_map({("0.1", "0.1"): 5.0, ("0.3", "0.5"): 4.0}, ("translation", "brightness"), "FID")
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize("level", [None, 3.0])
def test_curves_may_be_one_point_each(level):
    panel = strength.Panel("translation", "FID", {"bCR": [(0.1, 2.0)]}, level)
    assert strength.curves([panel], ["bCR"]).startswith(b"\x89PNG")
