"""Phases and roll-backs of the runner, in one process on a tiny run."""

import commands
import numpy as np
import pytest

from tfgan_suite import registry, runner
from tfgan_suite.callbacks import health
from tfgan_suite.core import feed, phase


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return commands.image_folder(tmp_path_factory.mktemp("images") / "set")


def experiment(source, **health_options):
    e = registry.experiment("sngan/debug")
    e.model.body, e.data.source, e.data.batch_size = "compact", source, 4
    e.logging.samples_every_steps = 0
    e.health.check_every_steps = 1
    for name, value in health_options.items():
        setattr(e.health, name, value)
    return e


def two_phases(built):
    """`first` for 2 steps, `second` for 2 steps at half the batch size; the second starts from the first's generator."""

    def phases(e):
        def build(data, run, previous):
            built.append((run.phase, sorted(previous)))
            model = registry.model_class(e.variant)(e.model, data, run)
            if "first" in previous:
                for v, w in zip(model.generator.variables, previous["first"].generator.variables, strict=True):
                    v.assign(w)
            return model

        return (phase.Phase(name="first", steps=2, build=build), phase.Phase(name="second", steps=2, build=build, data={"batch_size": 2}))

    return phases


def test_each_phase_gets_the_finished_ones_and_a_finished_one_is_not_trained_again(source, tmp_path, monkeypatch):
    built, positions = [], []
    monkeypatch.setattr(registry, "phases", two_phases(built))
    start = feed.Feed.start

    def recorded(self, step):
        positions.append((self._position, step, self._rows))
        start(self, step)

    monkeypatch.setattr(feed.Feed, "start", recorded)
    e, workdir = experiment(source), str(tmp_path / "run")
    assert runner.train(e, workdir, data_dir=str(tmp_path)).finished
    assert built == [("first", []), ("second", ["first"])]
    assert positions == [(0, 0, 4), (8, 0, 2)]  # the second goes on where the first stopped: after 2 steps of 4 examples
    assert {p.name for p in (tmp_path / "run").iterdir()} >= {"first", "second", "experiment.json"}
    positions.clear()
    again = runner.train(e, workdir, data_dir=str(tmp_path))
    assert again.finished and not positions
    restored = runner.restore(workdir)
    assert restored.run.phase == "second" and int(restored.step.numpy()) == 2


def sick_at(step, times):
    """A health check that complains at one step, so many times."""
    left = [times]

    def check(self, batch, logs=None):
        if batch + 1 == step and left[0]:
            left[0] -= 1
            raise health.Unhealthy(f"At step {step} it was sick.")

    return check


def test_a_sick_run_rolls_back_to_the_last_checkpoint_and_goes_on_with_other_numbers(source, tmp_path, monkeypatch):
    well = runner.train(experiment(source), str(tmp_path / "well"), data_dir=str(tmp_path)).model
    monkeypatch.setattr(health.Health, "on_train_batch_end", sick_at(3, times=1))
    result = runner.train(experiment(source, action="roll_back"), str(tmp_path / "sick"), data_dir=str(tmp_path))
    assert result.finished and int(result.model.step.numpy()) == 4
    assert int(result.model.rollbacks.numpy()) == 1
    here, there = result.model.generator.trainable_variables[0], well.generator.trainable_variables[0]
    assert not np.array_equal(here.numpy(), there.numpy())
    assert int(runner.restore(str(tmp_path / "sick")).rollbacks.numpy()) == 1


def test_a_run_that_stays_sick_stops_with_the_reason_and_keeps_its_last_good_checkpoint(source, tmp_path, monkeypatch):
    monkeypatch.setattr(health.Health, "on_train_batch_end", sick_at(3, times=100))
    with pytest.raises(health.Unhealthy, match=r"At step 3 it was sick\. The last good checkpoint is of step 2"):
        runner.train(experiment(source, action="roll_back", max_roll_backs=2), str(tmp_path / "run"), data_dir=str(tmp_path))
    assert int(runner.restore(str(tmp_path / "run")).step.numpy()) == 2


def test_several_steps_per_execution_end_with_the_same_weights(source, tmp_path):
    one = runner.train(experiment(source), str(tmp_path / "one"), data_dir=str(tmp_path)).model
    e = experiment(source, check_every_steps=2)
    e.training.steps_per_execution = 2
    e.logging.every_steps = 2
    two = runner.train(e, str(tmp_path / "two"), data_dir=str(tmp_path)).model
    for a, b in zip(one.generator.variables, two.generator.variables, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-6)
