import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.core import optimizers


def rates(config, iterations, *, steps, updates_per_step=1):
    optimizer = config.build(steps=steps, updates_per_step=updates_per_step)
    found = []
    for i in iterations:
        optimizer.iterations.assign(i)
        found.append(float(optimizer.learning_rate))
    return found


def test_a_constant_rate_stays():
    assert rates(optimizers.Adam(learning_rate=2e-4), [0, 500, 1000], steps=1000) == pytest.approx([2e-4] * 3)


def test_linear_decay_is_whole_at_the_start_half_in_the_middle_and_zero_at_the_end_and_beyond():
    config = optimizers.Adam(learning_rate=2e-4, schedule=optimizers.LinearDecay())
    assert rates(config, [0, 250, 500, 1000, 1200], steps=1000) == pytest.approx([2e-4, 1.5e-4, 1e-4, 0.0, 0.0], abs=1e-11)


def test_linear_decay_may_begin_later_and_end_above_zero():
    config = optimizers.Adam(learning_rate=1.0, schedule=optimizers.LinearDecay(start=0.5, end_factor=0.2))
    assert rates(config, [0, 50, 75, 100, 150], steps=100) == pytest.approx([1.0, 1.0, 0.6, 0.2, 0.2])


def test_exponential_decay_divides_at_every_step_down_to_its_floor():
    """Goodfellow et al. 2014: 0.1 / 1.000004^n, not below 1e-6, which it reaches after log(1e5) / log(1.000004) = 2.88 million steps."""
    config = optimizers.SGD(learning_rate=0.1, schedule=optimizers.ExponentialDecay(divisor=1.000004, minimum=1e-5))
    steps = [0, 1, 75_000, 150_000, 2_878_000, 2_880_000, 10_000_000]
    expected = [0.1 / 1.000004**n for n in steps[:5]] + [1e-6, 1e-6]
    assert expected[3] == pytest.approx(0.0548811, rel=1e-5)
    assert rates(config, steps, steps=150_000) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("schedule", [optimizers.LinearDecay(), optimizers.ExponentialDecay(divisor=1.01, minimum=0.0)])
def test_a_player_that_moves_k_times_keeps_one_rate_for_each_generator_step(schedule):
    config = optimizers.Adam(learning_rate=1.0, schedule=schedule)
    once = rates(config, range(10), steps=10)
    five_times = rates(config, range(50), steps=10, updates_per_step=5)
    assert five_times == [rate for rate in once for _ in range(5)]
    assert len(set(once)) == 10


def momentum_by_hand(gradients, *, rate, start, end, updates):
    weight = velocity = 0.0
    for i, gradient in enumerate(gradients):
        momentum = start + min(i / updates, 1.0) * (end - start)
        velocity = momentum * velocity - rate * gradient
        weight += velocity
    return weight


@pytest.mark.parametrize("start, updates_per_step", [(0.5, 1), (0.5, 2), (0.0, 1)])
@pytest.mark.parametrize("graph", [False, True])
def test_scheduled_momentum_equals_the_recursion_and_stays_at_its_end(start, updates_per_step, graph):
    config = optimizers.SGD(learning_rate=0.1, momentum=start, final_momentum=0.7)
    optimizer = config.build(steps=4, updates_per_step=updates_per_step)
    weight = keras.Variable([0.0])
    optimizer.build([weight])
    apply = tf.function(lambda g: optimizer.apply([g], [weight]), autograph=False) if graph else lambda g: optimizer.apply([g], [weight])
    gradients = np.random.default_rng(0).normal(size=12).astype(np.float32)
    for g in gradients:
        apply(tf.constant([g]))
    expected = momentum_by_hand(gradients, rate=0.1, start=start, end=0.7, updates=4 * updates_per_step)
    assert float(weight[0]) == pytest.approx(expected, rel=1e-5)


def test_scheduled_momentum_has_one_slot_per_weight_in_the_checkpointed_variables():
    optimizer = optimizers.SGD(momentum=0.5, final_momentum=0.7).build(steps=4)
    optimizer.build([keras.Variable([0.0]), keras.Variable([[0.0]])])
    assert [tuple(v.shape) for v in optimizer.variables] == [(), (), (1,), (1, 1)]  # iteration, rate, two momenta


def test_numbers_reach_the_keras_optimizers():
    adam = optimizers.Adam(learning_rate=1e-3, beta_1=0.0, beta_2=0.9, epsilon=1e-6).build(steps=1)
    assert (adam.beta_1, adam.beta_2, adam.epsilon) == (0.0, 0.9, 1e-6)
    assert optimizers.RMSprop(rho=0.9).build(steps=1).rho == 0.9
    assert optimizers.SGD(momentum=0.9, final_momentum=0.9).build(steps=1).momentum == 0.9


def test_float16_gets_a_loss_scale_around_the_same_optimizer():
    wrapped = optimizers.Adam(learning_rate=0.5).build(steps=1, float16=True)
    assert isinstance(wrapped, keras.optimizers.LossScaleOptimizer)
    assert float(wrapped.inner_optimizer.learning_rate) == 0.5
    assert not isinstance(optimizers.Adam().build(steps=1), keras.optimizers.LossScaleOptimizer)


@pytest.mark.parametrize(
    "kind, values, message",
    [
        (optimizers.Adam, {"learning_rate": -1e-4}, "Adam needs a finite learning_rate >= 0 and clip_norm > 0. Received: learning_rate=-0.0001"),
        (optimizers.Adam, {"learning_rate": math.nan}, "learning_rate=nan"),
        (optimizers.RMSprop, {"learning_rate": math.inf}, "RMSprop needs a finite learning_rate"),
        (optimizers.SGD, {"clip_norm": 0.0}, "clip_norm=0.0"),
        (optimizers.SGD, {"clip_norm": math.nan}, "clip_norm=nan"),
        (optimizers.Adam, {"beta_1": 1.0}, r"Adam.beta_1 must be in \[0, 1\). Received: 1.0"),
        (optimizers.Adam, {"beta_2": -0.1}, "Adam.beta_2"),
        (optimizers.RMSprop, {"rho": 1.5}, "RMSprop.rho"),
        (optimizers.SGD, {"final_momentum": 1.0}, "SGD.final_momentum"),
        (optimizers.LinearDecay, {"start": 1.0}, r"LinearDecay.start .* in \[0, 1\). Received: 1.0"),
        (optimizers.LinearDecay, {"end_factor": -1.0}, "LinearDecay.end_factor"),
        (optimizers.ExponentialDecay, {"divisor": 0.0}, "ExponentialDecay needs divisor >= 1 and minimum"),
        (optimizers.ExponentialDecay, {"minimum": 2.0}, "minimum=2.0"),
    ],
)
def test_impossible_numbers_are_refused(kind, values, message):
    with pytest.raises(ValueError, match=message):
        kind(**values)
