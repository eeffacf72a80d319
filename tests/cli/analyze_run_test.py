"""Every analysis on a run that was really trained, judged by the embedded extractor."""

import commands
import pytest

from tfgan_suite import registry, runner
from tfgan_suite.cli import analyze


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """(workdir, data folder) of two steps on 16-pixel images of three classes."""
    folder = tmp_path_factory.mktemp("trained")
    experiment = registry.experiment("projection_gan/debug")
    experiment.data.source = commands.image_folder(folder / "set", each=16, side=16)
    experiment.data.batch_size = 4
    experiment.data.split, experiment.data.test_split = "train[:50%]", "train[50%:]"
    experiment.training.steps = 2
    experiment.checkpointing.every_steps = 1
    experiment.logging.samples_every_steps = 0
    runner.train(experiment, str(folder / "run"), data_dir=str(folder))
    return folder / "run", folder


@pytest.mark.slow
@pytest.mark.parametrize("name", analyze.ANALYSES)
def test_an_analysis_writes_the_files_that_it_names(command, trained, tmp_path, name):
    workdir, data_dir = trained
    flags = ["--rows=2", "--columns=3", "--samples=12", "--neighbours=2", "--truncations=0.5"]
    code, output, errors = command(analyze, name, f"--workdir={workdir}", f"--output={tmp_path}", f"--data_dir={data_dir}", *flags)
    assert code == 0, errors
    assert sorted(output.split()) == sorted(map(str, tmp_path.iterdir()))
