import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from pipelines import build
from tfgan_suite import registry
from tfgan_suite.core import run
from tfgan_suite.losses import adversarial
from tfgan_suite.metrics import protocol
from tfgan_suite.studies import objectives, outcome


def test_the_quick_grid_is_the_ring_under_every_objective_once_and_five_pairs():
    cells = objectives.cells(quick=True)
    on_the_ring = [name for name in cells if name.startswith("ring8/")]
    assert [name for name in on_the_ring if name.endswith("/none")] == [f"ring8/{loss}/none" for loss in objectives.objectives()]
    assert set(adversarial.LOSSES) <= set(objectives.objectives())
    assert len(on_the_ring) == len(objectives.objectives()) + 5
    assert {name.partition("/")[0] for name in cells} == {"ring8", "depth"}
    assert {cells[name].training.steps for name in on_the_ring} == {1000}


def test_the_whole_grid_is_every_objective_under_every_stabiliser_on_every_toy():
    cells = objectives.cells(quick=False)
    for toy in ("ring8", "grid25", "swiss_roll"):
        for objective in objectives.objectives():
            for stabiliser in objectives.STABILISERS:
                cell = cells[f"{toy}/{objective}/{stabiliser}"]
                assert cell.data.source == f"toy:{toy}"
                assert cell.model.terms[0] == objectives.objectives()[objective]
    assert len(cells) == 3 * len(objectives.objectives()) * len(objectives.STABILISERS) + len(objectives.DEPTHS)


def test_cells_differ_in_what_they_are_named_after_alone():
    cells = objectives.cells(quick=True)
    plain = cells["ring8/non_saturating/none"]
    for name, cell in cells.items():
        toy, _, rest = name.partition("/")
        if toy == "ring8" and rest.endswith(("/none", "/r1", "/dragan", "penalty")):
            assert dataclasses.replace(cell, model=dataclasses.replace(cell.model, terms=plain.model.terms)) == plain
    clipped = cells["ring8/wasserstein/clipping"]
    assert (clipped.variant, clipped.model.clip) == ("wgan", 0.1)
    for field in dataclasses.fields(clipped.model):
        if field.name != "terms" and hasattr(plain.model, field.name):
            assert getattr(clipped.model, field.name) == getattr(plain.model, field.name), field.name


def test_every_cell_is_an_experiment_that_survives_json():
    for cell in objectives.cells(quick=True).values():
        assert registry.load(registry.dump(cell)) == cell


@pytest.fixture(scope="module")
def ring():
    experiment = objectives.cells(quick=True)["ring8/non_saturating/none"]
    return build.build(dataclasses.replace(experiment.data, split="train[:512]", test_split="test[:64]"), "", keys=("image",), seed=0)


def model_of(cell, data):
    keras.backend.clear_session()
    return registry.phases(cell)[-1].build(data.spec, run.Run(seed=0, phase="train", steps=cell.training.steps), {})


@pytest.mark.parametrize("stabiliser", objectives.STABILISERS)
def test_a_step_under_every_stabiliser_moves_both_players_to_finite_weights(stabiliser, ring):
    cell = objectives.cells(quick=False)[f"ring8/wasserstein/{stabiliser}"]
    model = model_of(cell, ring)
    before = [v.numpy() for v in (*model.generator.trainable_variables, *model.discriminator.trainable_variables)]
    logs = model.train_step(next(iter(ring.batches(start=0, batch_size=64))))
    assert all(np.isfinite(float(value)) for value in logs.values())
    for network, old in ((model.generator, before[0]), (model.discriminator, before[len(model.generator.trainable_variables)])):
        new = network.trainable_variables[0].numpy()
        assert np.isfinite(new).all() and not np.array_equal(new, old)
    if stabiliser == "clipping":
        assert max(float(tf.reduce_max(tf.abs(v))) for v in model.discriminator.trainable_variables) <= np.float32(0.1)
        assert {e.encodings for e in model.endpoints()} == {()}  # points are served as numbers, not as PNG


def test_a_cell_is_measured_at_its_end_and_a_pair_on_the_way_too(ring):
    cells = objectives.cells(quick=True)
    model = model_of(cells["ring8/non_saturating/r1"], ring)
    asked = []

    def restore(step):
        asked.append(step)
        return model

    arrays = objectives.measure("ring8/non_saturating/r1", model, restore)
    assert asked == [250, 500, 750]
    assert {key.partition("/")[0] for key in arrays} == {"250", "500", "750", "1000", "centers"}
    assert arrays["centers"].shape == (8, 2)
    alone = objectives.measure("ring8/hinge/none", model, lambda step: pytest.fail("not shown in full"))
    assert {key.partition("/")[0] for key in alone} == {"1000", "centers"}


def test_the_deep_critics_have_twelve_layers_whose_gradient_is_measured(ring):
    cell = objectives.cells(quick=True)["depth/clipping_at_0.01"]
    norms = objectives.measure("depth/clipping_at_0.01", model_of(cell, ring), None)["gradient_norms"]
    assert norms.shape == (12,) and norms[0] < 1e-3 * norms[-1]  # He's initial values, cut to 0.01


def outcomes(ring):
    score = {
        name: protocol.Score(value=value, protocol=protocol.Protocol(num_fake=2500, num_real=2500, step=1000))
        for name, value in (("modes", 7.0), ("assigned_modes", 8.0), ("high_quality", 0.123), ("reverse_kl", 0.456), ("fid_proxy", 0.0321))
    }
    cells = objectives.cells(quick=True)
    model = model_of(cells["ring8/wasserstein/clipping"], ring)
    arrays = objectives.measure("ring8/wasserstein/clipping", model, lambda step: model)
    return {
        "ring8/wasserstein/clipping": outcome.Outcome(scores=score, arrays=arrays, seconds=12.4),
        "ring8/minimax/none": outcome.Outcome(scores={}, arrays={}, problem="At step 100 these were not finite: loss.", seconds=3.0),
        "depth/gradient_penalty": outcome.Outcome(scores=score, arrays={"gradient_norms": np.array([1.0, 2.0, 4.0])}, seconds=9.0),
    }


def test_the_page_has_a_row_per_cell_the_figures_and_the_command(ring):
    files = objectives.report(outcomes(ring), "tfgan-study objectives --quick --output=docs/objectives.md", "objectives")
    assert files.keys() == {"", "ring8.png", "ring8-training.png", "depth.png"}
    page = files[""]
    assert "Written by `tfgan-study objectives --quick --output=docs/objectives.md`." in page
    assert "| wasserstein | clipping | 7 | 8 | 12.3% | 0.46 |  | 0.032 |  |  | 12 |" in page
    assert "| minimax | none |  |  |  |  |  |  |  |  | 3 |" in page
    assert "- `ring8/minimax/none`: At step 100 these were not finite: loss." in page
    assert "| gradient penalty | 4 | 1 | 0.5 |" in page
    assert "1000 steps" in page and "2500 generated points" in page
    for figure in ("ring8", "ring8-training", "depth"):
        assert f"(objectives/{figure}.png)" in page and files[f"{figure}.png"][:4] == b"\x89PNG"
