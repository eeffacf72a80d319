import logging
import math
import types

import pytest

from tfgan_suite import experiment
from tfgan_suite.callbacks import health

WELL = {
    "discriminator/loss": 1.0,
    "discriminator/real_logits": 1.0,
    "discriminator/fake_logits": -1.0,
    "discriminator/gradient_norm": 2.0,
    "generator/loss": 1.0,
    "generator/diversity": 0.5,
}
SICK = WELL | {"generator/loss": math.nan}


def guard(*, precision="float32", checkpoint_every=1000, **config):
    callback = health.Health(experiment.Health(**config), checkpoint_every)
    callback.set_model(types.SimpleNamespace(run=types.SimpleNamespace(precision=precision)))
    callback.on_train_begin()
    return callback


def test_a_healthy_step_draws_no_complaint():
    assert guard().complaint(WELL) == ""


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_are_named(value):
    broken = WELL | {"discriminator/r1": value, "generator/loss": value}
    assert guard().complaint(broken) == "these were not finite: generator/loss, discriminator/r1"


def test_a_gradient_that_is_not_finite_is_a_complaint_except_where_the_loss_scale_skips_the_update():
    broken = WELL | {"discriminator/gradient_norm": math.inf}
    assert guard().complaint(broken) == guard(precision="mixed_bfloat16").complaint(broken) == "these were not finite: discriminator/gradient_norm"
    assert guard(precision="mixed_float16").complaint(broken) == ""
    assert "discriminator/loss" in guard(precision="mixed_float16").complaint(broken | {"discriminator/loss": math.nan})


def test_a_discriminator_is_saturated_beyond_the_configured_gap():
    at_limit = WELL | {"discriminator/real_logits": 30.0, "discriminator/fake_logits": -20.0}
    assert guard().complaint(at_limit) == ""
    complaint = guard().complaint(at_limit | {"discriminator/real_logits": 30.5})
    assert complaint == "the discriminator was saturated: real and fake logits 50.5 apart in the mean (health.saturation=50)"
    assert guard(saturation=math.inf).complaint(WELL | {"discriminator/real_logits": 1e9}) == ""


def test_samples_have_collapsed_below_the_configured_diversity():
    assert guard(min_diversity=0.5).complaint(WELL) == ""
    complaint = guard().complaint(WELL | {"generator/diversity": 0.0099})
    assert complaint == "the samples had collapsed: two of them differ by 0.0099 in the mean (health.min_diversity=0.01)"


def test_a_variant_that_logs_neither_is_judged_by_its_losses_alone():
    assert guard().complaint({"encoder/loss": 1.0}) == ""


@pytest.mark.parametrize("action", ["stop", "roll_back"])
def test_a_complaint_stops_the_loop_with_its_step(action):
    with pytest.raises(health.Unhealthy, match="^At step 100 these were not finite: generator/loss.$"):
        guard(action=action).on_train_batch_end(99, SICK)


def test_a_warning_goes_on(caplog):
    guard(action="warn").on_train_batch_end(99, SICK)
    assert [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING] == ["At step 100 these were not finite: generator/loss."]


def looks(callback, steps) -> list[int]:
    """The steps after which the callback complains of a sick state."""
    found = []
    for step in range(1, steps + 1):
        try:
            callback.on_train_batch_end(step - 1, SICK)
        except health.Unhealthy:
            found.append(step)
    return found


def test_it_looks_every_so_often_and_before_every_checkpoint():
    assert looks(guard(check_every_steps=4, checkpoint_every=6), 13) == [4, 6, 8, 12]
    assert looks(guard(check_every_steps=0, checkpoint_every=5), 13) == [5, 10]


def test_it_looks_at_the_last_step_too_which_is_saved_wherever_training_ends():
    callback = guard(check_every_steps=4)
    callback.on_train_batch_end(4, SICK)
    with pytest.raises(health.Unhealthy, match="At step 5 "):
        callback.on_train_end()
    callback.on_train_begin()  # rolled back, and stopped at once by a signal
    callback.on_train_end()
