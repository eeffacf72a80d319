import dataclasses
import types

import numpy as np
import pytest
import tiny

from tfgan_suite import registry
from tfgan_suite.metrics import frechet
from tfgan_suite.studies import augmentation, augmenting

QUICK = augmentation.cells(quick=True)


def test_the_quick_grid_is_two_augmentations_at_three_strengths_in_three_modes_and_one_baseline():
    expected = ["quick/baseline/seed_0"]
    for mode in ("real_only", "real_and_fake", "bcr"):
        expected += [f"quick/{mode}/{a}/{s}/seed_0" for a in ("translation", "brightness") for s in ("0.1", "0.3", "0.5")]
    assert list(QUICK) == expected
    assert {cell.data.source for cell in QUICK.values()} == {"captioned_shapes/studio"}


def test_the_whole_grid_is_the_papers_thirteen_at_its_strengths_on_cifar10():
    cells = augmentation.cells(quick=False)
    assert len(cells) == 1 + 3 * 13 * 5
    assert cells["sndcgan-cifar10_augmentation_study/bcr/zoom_out/0.4/seed_0"].data.source == "cifar10"


def test_cells_differ_in_what_they_are_named_after_alone():
    plain = QUICK["quick/baseline/seed_0"]
    assert (plain.health.saturation, plain.health.min_diversity) == (float("inf"), 0.0)  # a collapse is a result
    for name, cell in QUICK.items():
        fields = {"terms": plain.model.terms, "augmentations": (), "augmented": "real_and_fake"}
        assert dataclasses.replace(cell, model=dataclasses.replace(cell.model, **fields)) == plain, name
        assert registry.load(registry.dump(cell)) == cell


def test_options_choose_the_preset_the_grid_the_seeds_and_the_steps():
    options = {"experiment": "biggan/debug", "augmentations": "cutout+brightness", "strengths": "0.1,0.2", "modes": "baseline,bcr"}
    cells = augmentation.cells(quick=False, **options, seeds="1,2", steps="8")
    pairs = ["0.1+0.1", "0.1+0.2", "0.2+0.1", "0.2+0.2"]
    names = [f"biggan-debug/{c}" for c in ("baseline", *(f"bcr/cutout+brightness/{pair}" for pair in pairs))]
    assert list(cells) == [f"{name}/seed_{seed}" for seed in (1, 2) for name in names]
    assert {(cell.variant, cell.training.steps) for cell in cells.values()} == {("biggan", 8)}
    assert [cell.seed for cell in cells.values()] == [1] * 5 + [2] * 5
    assert all("augmentation_leak" in cell.evaluation.metrics and "fid" in cell.evaluation.metrics for cell in cells.values())


def test_a_cell_is_known_by_its_name():
    for name in [*QUICK, *augmentation.cells(quick=False, modes="zcr,icr", strengths="0.4-0", seeds="3")]:
        assert augmenting.Cell.of(name).name == name
    assert augmenting.Cell.of("quick/bcr/cutout/0.4-0/seed_3") == augmenting.Cell("quick", "bcr", "cutout", "0.4-0", 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"experiment": "sndcgan/cifar10_ada"}, "sndcgan/cifar10_ada augments already. .* such as sndcgan/cifar10_augmentation_study"),
        ({"experiment": "sndcgan/cifar10_cr"}, "sndcgan/cifar10_cr augments already"),
        ({"experiment": "sndcgan/nothing"}, "Unknown preset 'sndcgan/nothing'"),
        ({"modes": "both"}, "no mode 'both'"),
        ({"augmentations": "shear"}, "no augmentation 'shear'"),
        ({"strengths": "2"}, "Received: '2'"),
        ({"seeds": "one"}, "--seeds takes whole numbers, not negative. Received: 'one'"),
        ({"steps": "-5"}, "--steps takes whole numbers"),
        ({"augmentations": "cutmix+mixup", "strengths": "0.1"}, "mixes at most once"),
    ],
)
def test_what_no_cell_can_be_made_of_is_refused_before_any_is_trained(options, message):
    with pytest.raises(ValueError, match=message):
        augmentation.cells(quick=True, **options)


class Judge:
    """As much of an evaluator as is asked for: features are the mean values of the quarters of an image, and there are 40 real images."""

    reference = types.SimpleNamespace(images=np.random.RandomState(0).randint(0, 256, (40, 8, 8, 3)).astype(np.uint8))

    def extractor(self, images):
        images = np.asarray(images)
        return {"features": images.reshape(len(images), 2, 4, 2, 4, 3).mean((2, 4)).reshape(len(images), 12)[:, ::3]}


@pytest.fixture(scope="module")
def model():
    made = tiny.build()
    made.ready()
    return made


def test_a_cell_has_the_distance_of_real_and_generated_images_under_its_own_augmentation(model, monkeypatch):
    monkeypatch.setattr(augmentation, "_IMAGES", 40)
    judge = Judge()
    found = augmentation.compare("quick/bcr/brightness/0/seed_0", model, judge)
    real = judge.extractor(judge.reference.images / 127.5 - 1.0)["features"]
    fake = np.concatenate([judge.extractor(batch)["features"] for batch in augmentation._fake_images(model)])
    assert list(found) == ["distance/brightness/0"]
    assert found["distance/brightness/0"] == pytest.approx(frechet.frechet_distance(frechet.Moments.of(real), frechet.Moments.of(fake)), rel=1e-4)


def test_a_model_without_augmentation_is_seen_through_several(model, monkeypatch):
    monkeypatch.setattr(augmentation, "_IMAGES", 10)
    found = augmentation.compare("quick/baseline/seed_0", model, Judge())
    assert list(found) == [f"distance/{a}/{s}" for a in ("translation", "brightness") for s in ("0.1", "0.3", "0.5")]
    assert all(np.isfinite(value) for value in found.values())


def test_a_cell_keeps_a_grid_and_the_name_of_its_data(model):
    arrays = augmentation.measure("quick/baseline/seed_0", model, None)
    assert arrays["grid"].dtype == np.uint8 and str(arrays["dataset"]) == "tiny"
