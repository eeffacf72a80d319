import types

import commands
import pytest

from tfgan_suite import registry, runner
from tfgan_suite.callbacks import health
from tfgan_suite.cli import train


def test_print_config_prints_the_resolved_experiment_as_json_that_loads(command, tmp_path):
    code, output, _ = command(
        train,
        "--experiment=sngan/cifar10",
        "--experiment.seed=3",
        "--experiment.model.terms[0].loss=wasserstein",
        "--experiment.model.generator_optimizer.learning_rate=1",
        "--experiment.data.image_size=(16,16)",
        "--experiment.evaluation.truncation=0.5",
        f"--workdir={tmp_path / 'run'}",
        "--print_config",
    )
    expected = registry.experiment("sngan/cifar10")
    expected.seed, expected.data.image_size, expected.evaluation.truncation = 3, (16, 16), 0.5
    expected.model.terms[0].loss, expected.model.generator_optimizer.learning_rate = "wasserstein", 1.0
    assert code == 0
    assert registry.load(output) == expected
    assert not (tmp_path / "run").exists()


def test_the_experiment_and_the_other_flags_reach_the_runner(command, monkeypatch, tmp_path):
    asked = []

    def trained(experiment, workdir, **options):
        asked.append((experiment, workdir, options))
        return runner.Result(types.SimpleNamespace(step=types.SimpleNamespace(numpy=lambda: 7)), True)

    monkeypatch.setattr(runner, "train", trained)
    code, output, _ = command(train, "--experiment=gan/debug", "--workdir=w", f"--data_dir={tmp_path}", "--strategy=one_device:CPU:0")
    assert asked == [(registry.experiment("gan/debug"), "w", {"data_dir": str(tmp_path), "strategy": "one_device:CPU:0"})]
    assert code == 0
    assert output.endswith("Finished at step 7. Next: tfgan-evaluate --workdir=w\n")


def test_training_that_went_wrong_ends_with_one_line_and_exit_code_1(command, monkeypatch):
    def sick(*arguments, **options):
        raise health.Unhealthy("At step 3 it went wrong.")

    monkeypatch.setattr(runner, "train", sick)
    code, _, errors = command(train, "--experiment=gan/debug", "--workdir=w")
    assert (code, errors) == (1, "error: At step 3 it went wrong.\n")


def test_a_run_that_was_told_to_stop_does_not_claim_to_have_finished(command, monkeypatch):
    monkeypatch.setattr(runner, "train", lambda *arguments, **options: runner.Result(None, False))
    code, output, _ = command(train, "--experiment=gan/debug", "--workdir=w")
    assert code == 0 and "Finished" not in output


SNGAN = "--experiment=sngan/debug"


@pytest.mark.parametrize(
    "arguments, message",
    [
        ([], "--experiment=<variant>/<preset> is missing. tfgan-list shows them all."),
        (["--experiment=sgan/demo"], "Unknown variant 'sgan'. Did you mean"),
        (["--experiment=sngan/dmo"], "Unknown preset 'sngan/dmo'. Did you mean sngan/demo"),
        (["--experiment=sngan"], "Unknown preset 'sngan'. "),
        ([SNGAN], "--workdir is missing: the folder that checkpoints, logs and samples go to."),
        ([SNGAN, "--experiment.sed=1"], "--experiment.sed: Experiment has no field 'sed'. Did you mean seed? Allowed: variant, model"),
        ([SNGAN, "--experiment.model.latent=1"], "--experiment.model.latent: Config has no field 'latent'. Did you mean latent_size?"),
        ([SNGAN, "--experiment.model.terms[0].los=hinge"], "--experiment.model.terms[0].los: Adversarial has no field 'los'. Did you mean loss?"),
        ([SNGAN, "--experiment.model.terms[1].loss=hinge"], "--experiment.model.terms[1].loss: there are 1 items, counted from 0."),
        ([SNGAN, "--experiment.seed.x=1"], "--experiment.seed.x: int has no field 'x'."),
        ([SNGAN, "--experiment.model.latent_size[0]=1"], "--experiment.model.latent_size[0]: int has no items."),
        (["--experiment", "sngan/debug", "--experiment.sed=1"], "--experiment.sed: Experiment has no field 'sed'."),
        ([SNGAN, "--experiment.model..sed=1"], "--experiment.model..sed: Config has no field 'sed'."),
        (["--experiment.sed=1", "--experiment=sgan/demo"], "Unknown variant 'sgan'. Did you mean"),
        ([SNGAN, "--experiment.sed", "1"], "--experiment.sed: Experiment has no field 'sed'."),
        ([SNGAN, "--experiment.model.latent_size=big"], "latent_size"),
        ([SNGAN, "--experiment.training.jit_compile=maybe"], "jit_compile"),
        ([SNGAN, "--experiment.model.terms[0].loss=hing"], "Adversarial: loss='hing' is unknown. It is one of"),
        ([SNGAN, "--experiment.model.latent_size=0"], "latent_size must be at least 1. Received: 0."),
        ([SNGAN, "--experiment.training.steps_per_execution=3"], "training.steps must be a multiple of training.steps_per_execution=3"),
        ([SNGAN, "--logical_cpus=0"], "logical_cpus"),
        ([SNGAN, "--workdirr=x"], "Did you mean: workdir"),
        ([SNGAN, "resume"], "Unexpected argument 'resume'"),
    ],
)
def test_a_mistake_is_answered_with_what_was_wrong_and_what_is_allowed(command, monkeypatch, arguments, message):
    monkeypatch.setattr(runner, "train", None)
    code, output, errors = command(train, *arguments)
    assert code in (1, 2)
    assert message in output + errors
    assert "Traceback" not in errors


def test_a_mistake_in_a_process_of_its_own_ends_with_one_line_and_exit_code_2():
    code, output = commands.run("tfgan_suite.cli.train", SNGAN, "--experiment.model.latent=1")
    assert code == 2
    assert "error: --experiment.model.latent: Config has no field 'latent'. Did you mean latent_size?" in output
    assert "Traceback" not in output
