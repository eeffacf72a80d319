import numpy as np
import pytest
import tensorflow as tf

from tfgan_suite.losses import historical_averaging


def test_weights_that_never_moved_cost_nothing():
    weights = [tf.constant([1.0, 2.0]), tf.constant([[3.0]])]
    assert float(historical_averaging.historical_averaging(list(zip(weights, weights, strict=True)))) == 0.0


def test_a_weight_that_went_from_0_to_2_is_1_from_its_mean_and_pulled_back_by_2():
    average, weight = tf.constant(1.0), tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch((average, weight))
        penalty = historical_averaging.historical_averaging([(average, weight)])
    assert float(penalty) == 1.0
    gradients = tape.gradient(penalty, (average, weight))
    assert gradients[0] is None and float(gradients[1]) == 2.0


def test_distances_are_summed_over_all_weights():
    pairs = [(tf.zeros([2, 2]), tf.ones([2, 2])), (tf.zeros([3]), tf.constant([1.0, 2.0, 3.0]))]
    assert float(historical_averaging.historical_averaging(pairs)) == 4.0 + 14.0


def play(coefficient, steps=4000, rate=0.02):
    """The game (f(x) - 1)(y - 1) with f(x) = x below 0 and x^2 above: x descends, y ascends. Returns x and y after each step."""
    x, y = tf.Variable(0.5), tf.Variable(2.0)
    mean_x, mean_y = tf.Variable(0.5), tf.Variable(2.0)

    @tf.function(autograph=False)
    def step(count):
        with tf.GradientTape(persistent=True) as tape:
            f = tf.where(x < 0.0, x, tf.square(x))
            value = (f - 1.0) * (y - 1.0)
            losses = [sign * value + coefficient * historical_averaging.historical_averaging([(a, v)]) for sign, a, v in players]
        for loss, (_, _, v) in zip(losses, players, strict=True):
            v.assign_sub(rate * tape.gradient(loss, v))
        for _, a, v in players:
            a.assign_add((v - a) / count)
        return tf.stack([x, y])

    players = [(1.0, mean_x, x), (-1.0, mean_y, y)]
    return np.stack([step(tf.constant(i + 2.0)).numpy() for i in range(steps)])


@pytest.mark.parametrize(("coefficient", "converges"), [(0.5, True), (0.0, False)])
def test_the_papers_toy_game_is_solved_with_it_and_never_without(coefficient, converges):
    """Section 3.3's example. The equilibrium is x = y = 1; plain descent circles it further and further away."""
    distance = np.linalg.norm(play(coefficient)[-1000:] - 1.0, axis=1)
    assert (distance.max() < 0.1) if converges else (distance.min() > 0.9)
