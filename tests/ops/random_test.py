import math

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.ops import random

SEED = tf.constant([7, 11], tf.int64)
DRAWS = {
    "uniform": lambda stream, rows: stream.uniform((rows, 3), -1.0, 2.0),
    "normal": lambda stream, rows: stream.normal((rows, 3)),
    "truncated_normal": lambda stream, rows: stream.truncated_normal((rows, 3), 0.5),
    "integers": lambda stream, rows: stream.integers((rows,), 10),
}


@pytest.mark.parametrize("name", DRAWS)
def test_two_replicas_draw_the_rows_that_one_replica_draws(mirrored, name):
    draw = DRAWS[name]
    parts = mirrored.run(tf.function(lambda: draw(random.Stream(5, "phase").fold("use"), 4)))
    together = np.concatenate([part.numpy() for part in mirrored.experimental_local_results(parts)])
    np.testing.assert_array_equal(together, draw(random.Stream(5, "phase").fold("use"), 8).numpy())


@pytest.mark.parametrize("name", DRAWS)
def test_the_parts_of_a_batch_draw_its_rows_by_turns(name):
    draw, stream = DRAWS[name], random.Stream(5)
    parts = [draw(stream.part(i, 3).fold("use"), 4).numpy() for i in range(3)]
    np.testing.assert_array_equal(np.stack(parts, axis=1).reshape(12, *parts[0].shape[1:]), draw(stream.fold("use"), 12).numpy())


def test_parts_on_two_replicas_draw_each_replica_s_rows_by_turns(mirrored):
    draw = DRAWS["normal"]
    parts = [mirrored.run(tf.function(lambda i=i: draw(random.Stream(5).part(i, 2), 3))) for i in range(2)]
    first, second = ([part.numpy() for part in mirrored.experimental_local_results(p)] for p in parts)
    whole = draw(random.Stream(5), 12).numpy()
    for replica in range(2):
        rows = whole[6 * replica : 6 * replica + 6]
        np.testing.assert_array_equal(first[replica], rows[0::2])
        np.testing.assert_array_equal(second[replica], rows[1::2])


def test_uniform_is_bitwise_equal_in_eager_graph_and_xla():
    eager = random.uniform01((64, 5), SEED).numpy()
    for compiled in (False, True):
        np.testing.assert_array_equal(tf.function(random.uniform01, jit_compile=compiled)((64, 5), SEED).numpy(), eager)


def test_normal_is_equal_under_xla_to_rounding():
    eager = random.normal01((1000,), SEED).numpy()
    np.testing.assert_allclose(tf.function(random.normal01, jit_compile=True)((1000,), SEED).numpy(), eager, atol=2e-6)


def test_uniform_lies_in_the_half_open_unit_interval_with_the_right_moments():
    u = random.uniform01((200_000,), SEED).numpy()
    assert u.min() >= 0.0 and u.max() < 1.0
    assert abs(u.mean() - 0.5) < 4 * math.sqrt(1 / 12 / u.size)
    assert abs(u.var() - 1 / 12) < 1e-3


def test_normal_has_the_moments_and_the_tail_of_the_standard_normal():
    x = random.normal01((200_000,), SEED).numpy()
    assert abs(x.mean()) < 4 / math.sqrt(x.size)
    assert abs(x.var() - 1.0) < 0.02
    assert abs((np.abs(x) > 2.0).mean() - math.erfc(math.sqrt(2.0))) < 2e-3


def test_truncated_normal_stays_within_the_threshold_and_keeps_its_shape_inside():
    threshold = 0.7
    x = random.truncated_normal01((100_000,), SEED, threshold).numpy()
    assert np.abs(x).max() <= threshold
    inside = math.erf(threshold / math.sqrt(2.0))  # P(|x| <= t); variance of the truncated normal: 1 - 2 t phi(t) / P
    density = math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi)
    assert abs(x.var() - (1 - 2 * threshold * density / inside)) < 2e-3
    assert (np.abs(x) == np.float32(threshold)).mean() < 1e-4  # resampled, not clipped


def test_truncation_may_differ_from_row_to_row():
    x = random.truncated_normal01((2, 5000), SEED, tf.constant([[0.3], [2.0]])).numpy()
    assert np.abs(x[0]).max() <= 0.3 < np.abs(x[1]).max() <= 2.0


def test_integers_cover_their_range_evenly():
    x = random.Stream(1).integers((30_000,), 6).numpy()
    counts = np.bincount(x, minlength=6)
    assert len(counts) == 6 and abs(counts - 5000).max() < 300


def test_a_stream_is_a_function_of_its_seed_and_names_alone():
    def draw(*data):
        return random.Stream(3, *data).uniform((8,)).numpy()

    np.testing.assert_array_equal(draw("phase", 4), draw("phase", 4))
    np.testing.assert_array_equal(draw("phase", 4), random.Stream(3).fold("phase").fold(tf.constant(4)).uniform((8,)).numpy())
    for other in (("phase", 5), ("other", 4), (4, "phase"), ()):
        assert np.abs(draw("phase", 4) - draw(*other)).max() > 1e-3


def test_folding_leaves_the_stream_itself_as_it_was():
    stream = random.Stream(3)
    before = stream.normal((4,)).numpy()
    stream.fold("a")
    np.testing.assert_array_equal(stream.normal((4,)).numpy(), before)


def test_a_step_counter_in_a_graph_gives_other_numbers_each_step():
    step = tf.Variable(0, dtype=tf.int64)

    @tf.function
    def draw():
        return random.Stream(3).fold(step).uniform((4,))

    first = draw().numpy()
    step.assign_add(1)
    assert np.abs(draw().numpy() - first).max() > 1e-3
    step.assign(0)
    np.testing.assert_array_equal(draw().numpy(), first)


@pytest.mark.parametrize(
    "counter, key, expected",
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_threefry_passes_the_known_answers_of_its_authors(counter, key, expected):
    key, counter = ([tf.constant(word, tf.uint32) for word in words] for words in (key, counter))
    assert [int(word) for word in random.threefry(key, counter)] == list(expected)


def test_a_row_is_a_function_of_its_own_seed_alone():
    seeds = tf.constant([5, -1, 2**40, 5], tf.int64)
    for draw in (lambda s: random.row_uniform(s, 7), lambda s: random.row_truncated_normal(s, 7, tf.fill(s.shape, 1.5))):
        rows = draw(seeds).numpy()
        np.testing.assert_array_equal(rows[0], rows[3])
        assert np.abs(rows[0] - rows[1]).max() > 1e-3 and np.abs(rows[0] - rows[2]).max() > 1e-3
        np.testing.assert_array_equal(draw(seeds[2:3]).numpy()[0], rows[2])


def test_row_draws_have_the_right_moments_and_bounds():
    seeds = tf.range(2000, dtype=tf.int64)
    u = random.row_uniform(seeds, 50).numpy()
    assert 0.0 <= u.min() and u.max() < 1.0
    np.testing.assert_allclose([u.mean(), u.var()], [0.5, 1 / 12], atol=3e-3)
    x = random.row_truncated_normal(seeds, 50, tf.fill([2000], 2.0)).numpy()
    assert np.abs(x).max() <= 2.0
    inside, density = math.erf(2.0 / math.sqrt(2.0)), math.exp(-2.0) / math.sqrt(2 * math.pi)
    np.testing.assert_allclose([x.mean(), x.var()], [0.0, 1 - 4 * density / inside], atol=1e-2)
    free = random.row_truncated_normal(seeds, 50, tf.fill([2000], math.inf)).numpy()
    np.testing.assert_allclose([free.mean(), free.var()], [0.0, 1.0], atol=1.5e-2)


def test_the_seed_of_a_row_is_a_function_of_its_numbers_and_their_places():
    rows = np.random.default_rng(0).normal(size=(2000, 3)).astype(np.float32)
    seeds = random.row_seeds(tf.constant(rows)).numpy()
    assert seeds.dtype == np.int64 and len(set(seeds)) == 2000
    np.testing.assert_array_equal(random.row_seeds(tf.constant(rows[[7, 3]])), seeds[[7, 3]])
    assert not set(random.row_seeds(tf.constant(rows[:, ::-1])).numpy()) & set(seeds)
    signed = random.row_seeds(tf.constant([[0.0, 1.0], [-0.0, 1.0], [0.0, np.nextafter(np.float32(1.0), np.float32(2.0))]])).numpy()
    assert signed[0] == signed[1] != signed[2]
