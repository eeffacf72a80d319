import pathlib

import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import feature_matching

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "semi_supervised.npz")
REAL, FAKE = (tf.constant(GOLDEN[f"features_{name}"]) for name in ("unlabelled", "generated"))


@pytest.mark.parametrize(
    ("kind", "key"), [("l2_sum", "fm_l2_sum_paper"), ("l2_mean", "fm_l2_mean_official_mnist"), ("l1_mean", "fm_l1_mean_official_cifar_svhn")]
)
def test_the_three_published_forms_equal_the_golden_values(kind, key):
    np.testing.assert_allclose(feature_matching.feature_matching(REAL, FAKE, kind), GOLDEN[key], rtol=1e-5)


@pytest.mark.parametrize(("kind", "value"), [("l2_sum", 1.0), ("l2_mean", 0.5), ("l1_mean", 0.5)])
def test_means_of_one_and_zero_are_so_far_apart(kind, value):
    real, fake = tf.constant([[2.0, 1.0], [0.0, -1.0]]), tf.constant([[5.0, -3.0], [-5.0, 3.0]])
    np.testing.assert_allclose(feature_matching.feature_matching(real, fake, kind), value, rtol=1e-6)


@pytest.mark.parametrize("kind", feature_matching.KINDS)
def test_equal_means_are_a_fixed_point_whatever_the_samples(kind):
    fake = tf.reverse(REAL, [0]) * 1.0
    with tf.GradientTape() as tape:
        tape.watch(fake)
        loss = feature_matching.feature_matching(REAL, fake, kind)
    np.testing.assert_allclose(loss, 0.0, atol=1e-6)
    np.testing.assert_allclose(tape.gradient(loss, fake), np.zeros(fake.shape), atol=1e-2 if kind == "l1_mean" else 1e-6)


def test_real_features_are_constants():
    with tf.GradientTape() as tape:
        tape.watch(REAL)
        loss = feature_matching.feature_matching(REAL, FAKE)
    assert tape.gradient(loss, REAL) is None


def test_the_means_are_those_of_the_global_batch(mirrored):
    real, fake = ([part.numpy() for part in tf.split(features, 2)] for features in (REAL, FAKE))

    def step(real, fake):
        with tf.GradientTape() as tape:
            tape.watch(fake)
            loss = feature_matching.feature_matching(real, fake, "l2_sum")
        return loss, tape.gradient(loss, fake, output_gradients=tf.constant(0.5))  # each replica computes the whole loss

    parts = mirrored.experimental_distribute_values_from_function(lambda context: tuple(x[context.replica_id_in_sync_group] for x in (real, fake)))
    losses, gradients = (
        [x.numpy() for x in mirrored.experimental_local_results(v)] for v in mirrored.run(tf.function(lambda pair: step(*pair)), (parts,))
    )
    np.testing.assert_allclose(losses, [GOLDEN["fm_l2_sum_paper"]] * 2, rtol=1e-5)
    expected = 2.0 * (FAKE.numpy().mean(0) - REAL.numpy().mean(0)) / 14.0
    np.testing.assert_allclose(np.concatenate(gradients), np.tile(expected, (14, 1)), rtol=1e-4, atol=1e-6)


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind='l2' is unknown. It is one of l2_sum, l2_mean, l1_mean"):
        feature_matching.FeatureMatching(kind="l2")
