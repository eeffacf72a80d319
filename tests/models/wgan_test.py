"""WGAN's warm-up: a phase of its own that hands on what it has learned."""

import commands
import numpy as np
import pytest
import tiny

from tfgan_suite import registry, runner
from tfgan_suite.core import run


def experiment(warm_up_steps=2, **training):
    e = registry.experiment("wgan/debug")
    e.model.body, e.model.latent_size = "compact", 4
    e.model.warm_up_steps, e.model.warm_up_discriminator_steps = warm_up_steps, 3
    for name, value in training.items():
        setattr(e.training, name, value)
    return e


def built(stage, previous):
    return stage.build(tiny.data_spec(), run.Run(seed=0, phase=stage.name, steps=stage.steps), previous)


def test_the_first_25_generator_steps_wait_for_100_critic_steps_each():
    """The authors' code."""
    e = registry.experiment("wgan/lsun_bedroom")
    assert [(p.name, p.steps) for p in registry.phases(e)] == [("warm_up", 25), ("train", 100_000)]
    assert (e.model.warm_up_discriminator_steps, e.model.discriminator_steps) == (100, 5)


def test_the_warm_up_consumes_its_own_number_of_batches_and_training_goes_on_from_its_weights_and_slots():
    warm_up, train = registry.phases(experiment())
    first = built(warm_up, {})
    assert first.batches_per_step == 3
    tiny.train(first, [tiny.batch(12), tiny.batch(12, seed=1)])
    second = built(train, {"warm_up": first})
    assert second.batches_per_step == 2
    before, after = tiny.weights(first), tiny.weights(second)
    for name, value in before.items():
        if not name.startswith("counters") and value.ndim:  # all but counters
            np.testing.assert_array_equal(after[name], value, err_msg=name)
    assert max(np.abs(v.numpy()).max() for v in second.discriminator.trainable_variables) <= clip()
    tiny.train(second, [tiny.batch(8)])
    assert int(second.step.numpy()) == 1


def clip():
    return np.float32(registry.experiment("wgan/debug").model.clip)


def test_a_run_passes_from_the_warm_up_to_training_and_is_restored_from_there(tmp_path):
    e = experiment()
    e.data.source, e.data.batch_size, e.training.steps = commands.image_folder(tmp_path / "images"), 4, 2
    e.logging.samples_every_steps = 0
    result = runner.train(e, str(tmp_path / "run"), data_dir=str(tmp_path))
    assert result.finished
    assert {p.name for p in (tmp_path / "run").iterdir()} >= {"warm_up", "train"}
    restored = runner.restore(str(tmp_path / "run"))
    assert restored.run.phase == "train" and int(restored.step.numpy()) == 2


def test_no_warm_up_steps_leave_the_phase_out():
    [only] = registry.phases(experiment(warm_up_steps=0))
    assert only.name == "train"


def test_a_warm_up_that_steps_per_execution_would_overrun_is_refused():
    with pytest.raises(ValueError, match="warm_up_steps must be a multiple of training.steps_per_execution. Received: 3, 2"):
        registry.phases(experiment(warm_up_steps=3, steps_per_execution=2))


@pytest.mark.parametrize("options", [{"warm_up_steps": -1}, {"warm_up_discriminator_steps": 0}])
def test_impossible_counts_are_refused(options):
    with pytest.raises(ValueError, match="warm_up_steps must not be negative"):
        registry.module("wgan").Config(**options)
