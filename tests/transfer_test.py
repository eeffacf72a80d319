"""A run that begins with another run's networks, from the experiment to its first checkpoint."""

import commands
import numpy as np
import pytest

from tfgan_suite import registry, runner


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return commands.image_folder(tmp_path_factory.mktemp("images") / "set", side=16)


def small(source, **changes):
    experiment = registry.experiment("sngan/debug")
    experiment.model.body = "compact"
    experiment.data.source = source
    experiment.data.batch_size = 4
    experiment.training.steps = 2
    experiment.logging.samples_every_steps = 0
    experiment.transfer.source = changes.pop("transfer", "")
    for name, value in changes.items():
        setattr(experiment.model, name, value)
    return experiment


def test_a_run_begins_with_the_source_s_networks_and_resumes_without_it(source, tmp_path):
    first = runner.train(small(source), str(tmp_path / "first"), data_dir=str(tmp_path)).model
    given = [v.numpy() for v in first.discriminator.variables]
    still = small(source, transfer=str(tmp_path / "first"), frozen_blocks=2)
    still.model.discriminator_optimizer.learning_rate = 0.0
    second = runner.train(still, str(tmp_path / "second"), data_dir=str(tmp_path)).model
    fresh = runner.train(small(source, frozen_blocks=2), str(tmp_path / "third"), data_dir=str(tmp_path)).model
    kernels = [i for i, v in enumerate(first.discriminator.variables) if v.name == "kernel"]
    for i in kernels:
        np.testing.assert_array_equal(second.discriminator.variables[i].numpy(), given[i])
    assert any(not np.array_equal(fresh.discriminator.variables[i].numpy(), given[i]) for i in kernels)
    (tmp_path / "first").rename(tmp_path / "gone")
    restored = runner.train(still, str(tmp_path / "second"), data_dir=str(tmp_path)).model
    np.testing.assert_array_equal(restored.generator.variables[0].numpy(), second.generator.variables[0].numpy())


def test_a_source_that_is_no_run_is_refused_before_anything_is_written(source, tmp_path):
    with pytest.raises(ValueError, match="nowhere holds no run.*Train first"):
        runner.train(small(source, transfer=str(tmp_path / "nowhere")), str(tmp_path / "run"), data_dir=str(tmp_path))
    assert not (tmp_path / "run").exists()
