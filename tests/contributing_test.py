"""The walk-through of CONTRIBUTING.md for a new objective, run as a newcomer would type it."""

import ast
import re
import types

import import_graph
import numpy as np
import pytest
import tensorflow as tf
import tiny

from tfgan_suite import registry
from tfgan_suite.core import optimizers

PAGE = (import_graph.ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Add an objective")[2].partition("\n## ")[0]
FILE, ROW, TEST, USE = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)


def module(source):
    """The names that a block of code defines."""
    made = types.ModuleType("walked_through")
    exec(compile(source, "CONTRIBUTING.md", "exec"), made.__dict__)
    return made


def test_the_file_and_the_test_that_it_shows_are_the_projects():
    assert (import_graph.ROOT / "tfgan_suite/losses/least_squares.py").read_text(encoding="utf-8").strip() == FILE.strip()
    ours = (import_graph.ROOT / "tests/losses/least_squares_test.py").read_text(encoding="utf-8")
    functions = re.findall(r"^def .*?(?=\n\n\n|\Z)", TEST.rstrip(), re.DOTALL | re.MULTILINE)
    assert len(functions) == 2 and all(function in ours for function in functions)


def test_the_row_that_it_shows_is_in_the_table():
    assert ast.literal_eval("{" + ROW + "}").items() <= registry.TYPES.items()


def test_the_test_that_it_shows_passes():
    tests = [value for name, value in vars(module(TEST)).items() if name.startswith("test_")]
    for test in tests:
        test()
    assert len(tests) == 2


def test_its_functions_give_the_papers_losses():
    """Mao et al. 2017, eq. 2 and 5: at scores of 0 the discriminator pays (a^2 + b^2) / 2, and least at (b p + a q) / (p + q); a = -1, b = 2."""
    losses = module(FILE)
    zeros = tf.zeros([4])
    np.testing.assert_allclose(losses.discriminator(zeros, zeros, fake_target=-1.0, real_target=2.0), 2.5)
    np.testing.assert_allclose(losses.generator(zeros, target=3.0), 4.5)
    p, q = 0.75, 0.25

    def risk(score):
        at, perfect = tf.constant([score]), {"fake": tf.constant([-1.0]), "real": tf.constant([2.0])}
        targets = {"fake_target": -1.0, "real_target": 2.0}
        return p * losses.discriminator(at, perfect["fake"], **targets) + q * losses.discriminator(perfect["real"], at, **targets)

    best = 2.0 * p - 1.0 * q
    assert risk(best) < min(risk(best - 0.05), risk(best + 0.05))


def test_its_term_trains_a_gan_and_is_logged_for_both_players():
    """A discriminator of zeros scores 0, and under a learning rate of 0 goes on doing so: (a^2 + b^2) / 2 and c^2 / 2."""
    term = module(FILE).LeastSquares(fake_target=-1.0, real_target=2.0, generator_target=0.5)
    still = optimizers.SGD(learning_rate=0.0)
    model = tiny.build(tiny.Config(terms=(term,), spectral_norm=False, discriminator_optimizer=still, generator_optimizer=still))
    for v in model.discriminator.trainable_variables:
        v.assign(tf.zeros_like(v))
    logs = tiny.train(model, [tiny.batch(8)])[0]
    assert logs["discriminator/least_squares"] == pytest.approx(2.5)
    assert logs["generator/least_squares"] == pytest.approx(0.125)


def test_the_experiment_that_it_makes_is_one_and_the_flag_that_it_sets_exists():
    made = module(USE).experiment
    assert registry.checked(made) == made
    name, index, field = re.search(r"--experiment=(\S+) --experiment\.model\.terms\[(\d)\]\.(\w+)=", SECTION).groups()
    assert field in vars(registry.experiment(name).model.terms[int(index)])
