import pathlib
import types

import keras
import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.layers import batch_norm, convolution, dense
from tfgan_suite.losses import adversarial, weights

GOLDEN = np.load(pathlib.Path(__file__).resolve().parents[1] / "golden" / "ortho_ema_split.npz")


def critic():
    layers = [convolution.Convolution(4, 3), batch_norm.BatchNorm(), keras.layers.Flatten(), dense.Dense(1)]
    network = keras.Sequential([keras.Input((4, 4, 2)), *layers])
    weights.constrain(network, weights.Clip(0.01))
    return network


def update(network, optimizer, images):
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(network(images, training=True))
    values = [v.value for v in network.trainable_variables]
    optimizer.apply(tape.gradient(loss, values), network.trainable_variables)


def largest(network):
    return max(np.abs(v.numpy()).max() for v in network.trainable_variables)


def test_clip_cuts_both_sides_and_leaves_the_rest():
    np.testing.assert_allclose(weights.Clip(0.5)(tf.constant([-2.0, -0.5, 0.1, 0.7])), [-0.5, -0.5, 0.1, 0.5])


def test_after_a_step_every_weight_is_within_the_limit_gains_and_biases_too():
    network, optimizer = critic(), keras.optimizers.RMSprop(0.05)
    assert largest(network) <= 0.01  # the gain of batch norm starts at 1
    update(network, optimizer, np.random.default_rng(0).standard_normal((8, 4, 4, 2)).astype(np.float32))
    np.testing.assert_allclose(largest(network), 0.01)  # the step was larger than the limit
    assert any(v.name == "gain" for v in network.trainable_variables)


def test_clipping_holds_on_two_replicas(mirrored):
    with mirrored.scope():
        network, optimizer = critic(), keras.optimizers.RMSprop(0.05)
        optimizer.build(network.trainable_variables)
    images = tf.constant(np.random.default_rng(0).standard_normal((8, 4, 4, 2)), tf.float32)
    mirrored.run(tf.function(lambda: update(network, optimizer, images), autograph=False))
    for v in network.trainable_variables:
        first, second = (x.numpy() for x in mirrored.experimental_local_results(v.value))
        np.testing.assert_array_equal(first, second)
        assert np.abs(first).max() <= 0.01


def test_the_clipped_linear_critic_estimates_the_distance_of_two_points_up_to_its_limit():
    """p at 0, q at t, D(x) = w x with |w| <= c: the best objective E D(x) - E D(G(z)) is c |t|, while JSD is log 2 for every t != 0."""
    w = keras.Variable(0.0)
    w.constraint = weights.Clip(0.3)
    optimizer = keras.optimizers.SGD(0.5)
    t = tf.constant([-2.0])
    for _ in range(5):
        with tf.GradientTape() as tape:
            loss = adversarial.LOSSES["wasserstein"].discriminator(w.value * tf.zeros([1]), w.value * t)
        optimizer.apply(tape.gradient(loss, [w.value]), [w])
    np.testing.assert_allclose(-loss, 0.3 * 2.0, rtol=1e-6)


def test_a_limit_of_zero_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        weights.Clip(0.0)


@pytest.mark.parametrize("case", ["conv", "dense"])
def test_orthogonal_penalty_is_the_golden_one(case):
    kernel = tf.Variable(GOLDEN[f"{case}.kernel"].astype(np.float64))
    with tf.GradientTape() as tape:
        value = weights.off_diagonal_gram(tf.reshape(kernel, (-1, kernel.shape[-1])))
    np.testing.assert_allclose(value, GOLDEN[f"{case}.offdiag.value_sumsq"], rtol=1e-9)
    np.testing.assert_allclose(tape.gradient(value, kernel), GOLDEN[f"{case}.offdiag.true_grad_of_sumsq"], atol=1e-9)


def test_the_terms_gradient_is_the_one_of_the_authors_code_at_its_strength():
    network = keras.Sequential([keras.Input((5, 5, 4)), convolution.Convolution(6, 3), keras.layers.Flatten(), dense.Dense(5, name="embedding")])
    layer = network.layers[0]
    layer.kernel.assign(GOLDEN["conv.kernel"])
    with tf.GradientTape() as tape:
        loss = weights.OrthogonalRegularization(generator_weight=1.0).generator_loss({}, {}, types.SimpleNamespace(network=network))
    np.testing.assert_allclose(tape.gradient(loss, layer.kernel.value), GOLDEN["conv.offdiag.official_grad_strength1"], rtol=1e-4, atol=1e-5)


def test_orthogonal_output_channels_cost_nothing_whatever_their_length():
    network = keras.Sequential([keras.Input((3,)), dense.Dense(2)])
    network.layers[0].kernel.assign([[2.0, 0.0], [0.0, 5.0], [0.0, 0.0]])
    assert weights.OrthogonalRegularization().penalty(network) == 0.0


def test_the_hand_worked_example_of_the_authors_gradient():
    """W = [[1, 1], [0, 1]] as [out, in]: W W^T o (1 - I) = [[0, 1], [1, 0]], gradient 2 (..) W = [[0, 2], [2, 2]]."""
    network = keras.Sequential([keras.Input((2,)), dense.Dense(2)])
    network.layers[0].kernel.assign([[1.0, 0.0], [1.0, 1.0]])
    with tf.GradientTape() as tape:
        loss = weights.OrthogonalRegularization(generator_weight=1.0).generator_loss({}, {}, types.SimpleNamespace(network=network))
    np.testing.assert_allclose(np.transpose(tape.gradient(loss, network.layers[0].kernel.value)), [[0.0, 2.0], [2.0, 2.0]])


def test_weight_decay_pulls_every_trained_weight_of_either_player_in_proportion():
    network = keras.Sequential([keras.Input((2,)), dense.Dense(2), batch_norm.BatchNorm()])
    network.layers[0].kernel.assign([[1.0, -2.0], [0.0, 3.0]])
    values = [v.value for v in network.trainable_variables]
    for player in ("discriminator_loss", "generator_loss"):
        with tf.GradientTape() as tape:
            loss = getattr(weights.WeightDecay(weight=0.1), player)({}, {}, types.SimpleNamespace(network=network))
        np.testing.assert_allclose(loss, 0.05 * (1.0 + 4.0 + 9.0 + 2.0), rtol=1e-6)  # the kernel, and two gains of 1
        for v, gradient in zip(values, tape.gradient(loss, values), strict=True):
            np.testing.assert_allclose(gradient, 0.1 * v, rtol=1e-6)
