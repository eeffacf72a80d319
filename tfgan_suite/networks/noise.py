"""Noise inside a discriminator: an input of random numbers for each noisy layer, which `core.alternating` fills anew for every view and update."""

import keras

from tfgan_suite.layers import dropout, gaussian_noise


class Noise:
    """Adds noisy layers to a network under construction and collects their inputs; when it is off, it adds none: the same weights without noise."""

    def __init__(self, on: bool = True):
        self.on = on
        self.inputs: dict[str, keras.KerasTensor] = {}
        """{"uniform_noise_<i>" or "normal_noise_<i>": [b, ...]}, to go with the network's other inputs."""

    def dropout(self, x: keras.KerasTensor, rate: float) -> keras.KerasTensor:
        """Drops a part `rate` of the elements of x [b, ...]."""
        return dropout.Dropout(1.0 - rate)(x, self._numbers("uniform", x)) if self.on else x

    def gaussian(self, x: keras.KerasTensor, deviation: float) -> keras.KerasTensor:
        """Adds noise of this standard deviation to x [b, ...]."""
        return gaussian_noise.GaussianNoise(deviation)(x, self._numbers("normal", x)) if self.on else x

    def _numbers(self, kind, x):
        name = f"{kind}_noise_{len(self.inputs)}"
        self.inputs[name] = keras.Input(x.shape[1:], name=name)
        return self.inputs[name]
