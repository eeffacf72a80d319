import numpy as np
import pytest

from tfgan_suite.networks import toy
from tfgan_suite.studies import depth

POINTS = np.random.RandomState(0).uniform(0.1, 1.0, (9, 1, 2, 1))


def critic(gain, layers=3):
    """f(x) = sum of gain^layers x, for points with positive coordinates."""
    network = toy.discriminator(width=2, depth=layers)
    network.set_weights([w for _ in range(layers) for w in (gain * np.eye(2), np.zeros(2))] + [np.ones((2, 1)), np.zeros(1)])
    return network


@pytest.mark.parametrize("gain", [0.1, 1.0, 4.0])
def test_the_gradient_by_a_layer_has_a_factor_gain_for_each_layer_above_it(gain):
    norms = depth.gradient_norms(critic(gain), POINTS)
    np.testing.assert_allclose(norms, np.sqrt(2.0) * np.array([gain**2, gain, 1.0]), rtol=1e-5)
    assert depth.factor(norms) == pytest.approx(gain, rel=1e-5)


def test_a_dead_unit_passes_no_gradient():
    network = critic(1.0)
    weights = network.get_weights()
    weights[5][:] = -1e3  # the biases of the last hidden layer
    network.set_weights(weights)
    np.testing.assert_allclose(depth.gradient_norms(network, POINTS), [0.0, 0.0, np.sqrt(2.0)], rtol=1e-6)


def test_the_factor_is_over_the_layers_above_zero():
    assert depth.factor(np.array([0.0, 0.0, 1e-4, 1e-2, 1.0])) == pytest.approx(0.01)
    assert np.isnan(depth.factor(np.array([0.0, 0.0, 1.0])))


def test_the_figure_is_a_png():
    assert depth.draw({"clipping": np.array([0.0, 1e-3, 1.0]), "penalty": np.ones(3)})[:4] == b"\x89PNG"
