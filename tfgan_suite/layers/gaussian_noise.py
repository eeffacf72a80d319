"""Additive noise from given random numbers."""

import keras


class GaussianNoise(keras.layers.Layer):
    """(x, normal), both [b, ...], normal ~ N(0, 1) -> x + deviation * normal. Salimans et al. 2016, the authors' MNIST discriminator.

    The numbers are an input, from the update's stream: `keras.layers.GaussianNoise` keeps a hidden counter and adds the same noise on every replica.
    """

    def __init__(self, deviation: float, **kwargs):
        super().__init__(**kwargs)
        if deviation < 0.0:
            raise ValueError(f"GaussianNoise adds noise of a standard deviation of at least 0; received {deviation}.")
        self.deviation = deviation

    def call(self, x, normal):
        return x + self.deviation * normal

    def compute_output_shape(self, x_shape, normal_shape):
        return x_shape

    def get_config(self):
        return super().get_config() | {"deviation": self.deviation}
