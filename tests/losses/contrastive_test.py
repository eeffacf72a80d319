import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import contrastive, data_to_data

TESTS = pathlib.Path(__file__).resolve().parents[1]
GOLDEN = np.load(TESTS / "golden" / "contrastive.npz")
VIEWS = np.load(TESTS / "golden" / "nt_xent.npz")
NUMBERS = np.random.default_rng(0)
F, V = NUMBERS.standard_normal((2, 8, 6)).astype(np.float32)
Y = np.array([0, 0, 0, 1, 1, 2, 3, 0], np.int32)


def two_c(f, v, y, t=1.0, **options):
    return contrastive.conditional_contrast(tf.constant(f, tf.float32), tf.constant(v, tf.float32), tf.constant(y), temperature=t, **options)


def gradients(loss, *points):
    points = [tf.constant(p) for p in points]
    with tf.GradientTape() as tape:
        tape.watch(points)
        value = loss(*points)
    return value, [g.numpy() for g in tape.gradient(value, points)]


def close(value, expected):
    """Within the golden tolerance of float32."""
    np.testing.assert_allclose(value, expected, rtol=0, atol=1e-5 * max(1.0, np.abs(expected).max()))


@pytest.mark.parametrize("case", [0, 1])
def test_2c_and_its_gradients_are_the_golden_ones(case):
    case, labels = f"2c.{case}", tf.constant(GOLDEN["labels"])
    loss = lambda f, v: contrastive.conditional_contrast(f, v, labels, temperature=float(GOLDEN[f"{case}.temperature"]))  # noqa: E731
    value, (by_embedding, by_proxy) = gradients(loss, GOLDEN["embed"], GOLDEN["proxy"])
    close(value, GOLDEN[f"{case}.loss"])
    close(by_embedding, GOLDEN[f"{case}.grad_embed"])
    close(by_proxy, GOLDEN[f"{case}.grad_proxy"])


@pytest.mark.parametrize("case", [0, 1, 2])
def test_nt_xent_is_the_golden_mean_over_both_views_which_is_half_of_the_official_sum(case):
    loss = lambda a, b: contrastive.nt_xent(a, b, temperature=float(VIEWS[f"{case}.temperature"]))  # noqa: E731
    value, by_view = gradients(loss, VIEWS["view1"], VIEWS["view2"])
    close(value, VIEWS[f"{case}.loss_mean"])
    np.testing.assert_allclose(2.0 * value, VIEWS[f"{case}.loss_official_sum_of_two_views_f32"], rtol=1e-4)
    for number, gradient in enumerate(by_view, 1):
        close(gradient, VIEWS[f"{case}.grad_view{number}_of_mean"])


def classes(k, each, size=12):
    """(labels, one-hot directions) of `each` rows of k classes."""
    y = np.repeat(np.arange(k), each).astype(np.int32)
    return y, np.eye(size, dtype=np.float32)[y]


def test_2c_of_a_batch_of_one_class_is_zero():
    np.testing.assert_allclose(two_c(F, V, np.zeros(8, np.int32), 0.3), 0.0, atol=1e-6)


@pytest.mark.parametrize("n", [2, 9])
def test_2c_of_equal_vectors_of_n_classes_is_log_n(n):
    same = np.tile(F[:1], (n, 1))
    np.testing.assert_allclose(two_c(same, same, np.arange(n)), np.log(n), rtol=1e-5)


@pytest.mark.parametrize(("k", "each"), [(2, 4), (5, 3)])
def test_2c_of_equal_vectors_of_k_balanced_classes_is_log_k(k, each):
    same = np.tile(F[:1], (k * each, 1))
    np.testing.assert_allclose(two_c(same, same, classes(k, each)[0]), np.log(k), rtol=1e-5)


@pytest.mark.parametrize(("k", "t", "value"), [(10, 1.0, 1.46115), (4, 0.25, np.log(1 + 3 * np.exp(-4.0)))])
def test_2c_of_orthogonal_classes_is_their_closed_form(k, t, value):
    y, x = classes(k, 3)
    np.testing.assert_allclose(two_c(x, x, y, t), value, rtol=1e-5)


@pytest.mark.parametrize(("k", "t", "value"), [(10, 1.0, 1.37693), (2, 0.5, np.log(1 + np.exp(-4.0)))])
def test_2c_of_classes_as_far_apart_as_can_be_is_their_closed_form(k, t, value):
    """A simplex, cosine -1 / (k - 1); two classes are antipodes."""
    y, x = classes(k, 2, size=k)
    x = x - 1.0 / k
    np.testing.assert_allclose(two_c(x, x, y, t), value, rtol=1e-5)


def test_2c_of_a_row_without_partners_compares_it_with_its_proxy():
    """Cosines by hand: rows e1, e2 of two classes, proxies e1 and -e2."""
    value = two_c(np.eye(2), np.diag([1.0, -1.0]), [0, 1])
    np.testing.assert_allclose(value, (np.log(1 + np.exp(-1)) + np.log(1 + np.exp(1))) / 2, rtol=1e-6)


def test_pairs_of_a_class_are_the_others_with_its_label():
    _, same_class, itself = contrastive.pairs(tf.constant(F[:3]), tf.constant([0, 0, 1]))
    np.testing.assert_array_equal(same_class & ~itself, [[False, True, False], [True, False, False], [False, False, False]])


def test_2c_does_not_depend_on_order_length_or_a_common_rotation():
    value, order = two_c(F, V, Y, 0.4), NUMBERS.permutation(8)
    rotation, _ = np.linalg.qr(NUMBERS.standard_normal((6, 6)))
    for other in (two_c(F[order], V[order], Y[order], 0.4), two_c(F * 7.0, V * 0.01, Y, 0.4), two_c(F @ rotation, V @ rotation, Y, 0.4)):
        np.testing.assert_allclose(other, value, rtol=1e-4)


def test_2c_falls_as_a_class_moves_together():
    values = [two_c(np.where((Y == 0)[:, None], (1 - a) * F + a * F[Y == 0].mean(0), F), V, Y) for a in (0.0, 0.4, 0.8)]
    assert values[0] > values[1] > values[2]


def test_nt_xent_of_equal_views_is_log_of_all_others_and_of_one_example_zero():
    same = tf.ones((5, 3))
    np.testing.assert_allclose(contrastive.nt_xent(same, same), np.log(9), rtol=1e-6)
    np.testing.assert_allclose(contrastive.nt_xent(F[:1], V[:1]), 0.0, atol=1e-6)


def test_nt_xent_of_orthogonal_examples_is_its_closed_form():
    x = tf.eye(6)
    np.testing.assert_allclose(contrastive.nt_xent(x, x, temperature=0.7), np.log(1 + 10 * np.exp(-1 / 0.7)), rtol=1e-5)


def test_zero_vectors_and_small_temperatures_stay_finite():
    value, found = gradients(lambda f, v: contrastive.conditional_contrast(f, v, tf.constant(Y), temperature=0.01), F * 0, V)
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in found)


LOSSES = {
    "2c": lambda f, v, y, **options: contrastive.conditional_contrast(f, v, y, temperature=0.3, **options),
    "d2d_ce": lambda f, v, y, **options: data_to_data.data_to_data_cross_entropy(f, v, y, temperature=0.3, **options),
    "nt_xent": lambda f, v, y, **options: contrastive.nt_xent(f, v, temperature=0.3, **options),
}
each_loss = pytest.mark.parametrize("name", LOSSES)


@each_loss
def test_xla_gives_the_eager_value_and_gradients(name):
    @tf.function(jit_compile=True, autograph=False)
    def compiled(f, v):
        with tf.GradientTape() as tape:
            tape.watch((f, v))
            value = LOSSES[name](f, v, tf.constant(Y))
        return value, tape.gradient(value, (f, v))

    value, found = compiled(tf.constant(F), tf.constant(V))
    expected, eager = gradients(lambda f, v: LOSSES[name](f, v, tf.constant(Y)), F, V)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    for a, b in zip(found, eager, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def on_replicas(strategy, loss):
    """(mean of the replicas' losses, gradients of it in F and V), each replica's loss weighing 1 / n and gradients summed by `gather`."""
    n = strategy.num_replicas_in_sync

    def local():
        part = tf.distribute.get_replica_context().replica_id_in_sync_group
        f, v, y = (tf.ensure_shape(tf.gather(tf.split(x, n), part), (8 // n, *x.shape[1:])) for x in (F, V, Y))
        with tf.GradientTape() as tape:
            tape.watch((f, v))
            value = loss(f, v, y)
        return value, *tape.gradient(value, (f, v), output_gradients=tf.constant(1.0 / n))

    value, *found = (np.stack(strategy.experimental_local_results(x)) for x in strategy.run(tf.function(local, autograph=False)))
    return value.mean(), [g.reshape(8, 6) for g in found]


def assert_replicas_equal_one(strategy, name):
    value, found = on_replicas(strategy, LOSSES[name])
    expected, whole = gradients(lambda f, v: LOSSES[name](f, v, tf.constant(Y)), F, V)
    np.testing.assert_allclose(value, expected, rtol=1e-6)
    for a, b in zip(found, whole, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@each_loss
def test_two_replicas_have_the_loss_and_gradients_of_one_with_the_whole_batch(mirrored, name):
    assert_replicas_equal_one(mirrored, name)


@each_loss
def test_without_gathering_a_replica_compares_its_own_rows(mirrored, name):
    value, _ = on_replicas(mirrored, lambda f, v, y: LOSSES[name](f, v, y, gather="none"))
    halves = [LOSSES[name](tf.constant(F[rows]), tf.constant(V[rows]), tf.constant(Y[rows])) for rows in (slice(0, 4), slice(4, 8))]
    np.testing.assert_allclose(value, np.mean(halves), rtol=1e-6)
    assert abs(value - LOSSES[name](tf.constant(F), tf.constant(V), tf.constant(Y))) > 0.01


FOUR = """
import tensorflow as tf
tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 4)
import contrastive_test
strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(4)])
for name in contrastive_test.LOSSES:
    contrastive_test.assert_replicas_equal_one(strategy, name)
print("checked on", strategy.num_replicas_in_sync)
"""


def test_four_replicas_have_the_loss_and_gradients_of_one_with_the_whole_batch():
    """In a process of its own, since this one has two devices."""
    paths = os.pathsep.join([str(TESTS.parent), str(TESTS / "losses"), *sys.path])
    done = subprocess.run([sys.executable, "-c", FOUR], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, timeout=300)
    assert "checked on 4" in done.stdout, done.stderr[-3000:]


def test_a_term_gives_each_player_the_loss_of_its_own_images():
    labels = {"real": tf.constant(Y), "fake": tf.constant(Y[::-1].copy())}
    views = {name: {"label": label} for name, label in labels.items()}
    scores = {"real": {"embedding": tf.constant(F), "proxy": tf.constant(V)}, "fake": {"embedding": tf.constant(V), "proxy": tf.constant(F)}}
    term = contrastive.ConditionalContrast(weight=0.5, temperature=0.2)
    with tf.GradientTape() as tape:
        tape.watch(scores)
        loss = term.discriminator_loss(views, scores, None)
    np.testing.assert_allclose(loss, 0.5 * two_c(F, V, Y, 0.2), rtol=1e-6)
    np.testing.assert_allclose(term.generator_loss(views, scores, None), 0.5 * two_c(V, F, Y[::-1].copy(), 0.2), rtol=1e-6)
    assert tape.gradient(loss, scores["fake"]) == {"embedding": None, "proxy": None}


def test_wrong_settings_are_refused_with_what_is_allowed():
    with pytest.raises(ValueError, match="ConditionalContrast.weight must be at least 0; 0 leaves the part out. Received: -0.5"):
        contrastive.ConditionalContrast(weight=-0.5)
    with pytest.raises(ValueError, match="gather='all' is unknown. It is one of exact, none"):
        contrastive.ConditionalContrast(gather="all")
    with pytest.raises(ValueError, match="temperature must be above 0, cosines are divided by it. Received: 0.0"):
        contrastive.ConditionalContrast(temperature=0.0)


def test_a_mixture_counts_among_the_class_of_which_there_is_more():
    view = {"label": tf.constant([0, 1, 2]), "mixed_label": tf.constant([5, 6, 7]), "mix_weight": tf.constant([0.4, 0.6, 0.5])}
    np.testing.assert_array_equal(contrastive.dominant_label(view), [5, 1, 2])
    np.testing.assert_array_equal(contrastive.dominant_label({"label": view["label"]}), [0, 1, 2])
