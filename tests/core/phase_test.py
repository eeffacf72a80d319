import numpy as np
import pytest
import tiny

from tfgan_suite.core import optimizers, phase


def adam(**options):
    return optimizers.Adam(learning_rate=1e-2, **options)


def values(model, names):
    return {name: value for name, value in tiny.weights(model).items() if name.partition(".")[0] in names}


@pytest.mark.parametrize("schedule", [optimizers.Constant(), optimizers.LinearDecay()])
def test_networks_averages_and_slots_go_over_to_the_next_phase_and_counters_do_not(schedule):
    config = tiny.Config(discriminator_optimizer=adam(schedule=schedule), generator_optimizer=adam(schedule=schedule))
    first, second = tiny.build(config, seed=1), tiny.build(config, seed=2)
    tiny.train(first, [tiny.batch(8), tiny.batch(8, seed=1)])
    phase.carry_over(second, first)
    networks = set(first.networks())
    assert networks == {"generator", "averaged_generator", "discriminator"}
    assert tiny.largest_difference(values(second, networks), values(first, networks)) == 0.0
    for name in ("generator", "discriminator"):
        here, there = (m.optimizers_by_name[name] for m in (second, first))
        slots = [(v.numpy(), w.numpy()) for v, w in zip(here.variables, there.variables, strict=True) if v.shape.rank]
        assert slots and all(np.array_equal(a, b) for a, b in slots) and any(np.abs(a).max() > 0 for a, _ in slots)
        assert int(here.iterations.numpy()) == 0
        np.testing.assert_allclose(here.learning_rate, 1e-2, rtol=1e-6)
    assert int(second.step.numpy()) == 0
