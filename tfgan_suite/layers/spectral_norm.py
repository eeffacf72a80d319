"""Spectral normalisation as a reparametrisation: W / sigma(W), with the gradient through sigma. Miyato et al. 2018, Algorithm 1 and eq. 12.

The vectors u and v move in one place, `power_iterations`, called once per update and never by a forward pass: then the number of passes, of views
and of penalties in an update changes nothing, and passes can be compared. (`keras.layers.SpectralNormalization` overwrites the kernel in every
training call and passes no gradient through sigma.)
"""

import keras
import tensorflow as tf

from tfgan_suite.layers import initializers

EPSILON = 1e-12
"""Floor of the norms that u and v are divided by."""


def normalize(x: tf.Tensor) -> tf.Tensor:
    """x / max(|x|, EPSILON) for a vector x."""
    return x / tf.maximum(tf.norm(x), EPSILON)


def power_iteration(matrix: tf.Tensor, u: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """One step towards the leading singular vectors of `matrix` [n, m]: u [m] -> (new u [m], v [n]), both of unit length."""
    v = normalize(tf.linalg.matvec(matrix, u))
    return normalize(tf.linalg.matvec(matrix, v, transpose_a=True)), v


def sigma(matrix: tf.Tensor, u: tf.Tensor, v: tf.Tensor) -> tf.Tensor:
    """The estimate v^T W u of the largest singular value of `matrix` [n, m], differentiable in the matrix alone."""
    return tf.tensordot(tf.stop_gradient(v), tf.linalg.matvec(matrix, tf.stop_gradient(u)), 1)


def power_iterations(network: keras.layers.Layer, iterations: int = 1) -> None:
    """Moves u and v of every spectrally normalised layer in `network`, at any depth, but for frozen ones. Call it once before each update.

    It depends on the weights alone, so every replica computes the same values.
    """
    for layer in network._flatten_layers():
        if isinstance(layer, WeightLayer) and layer.spectral_norm and layer.trainable:
            layer.power_iterations(iterations)


class WeightLayer(keras.layers.Layer):
    """Base of the layers with one kernel, spectrally normalised on demand: a subclass calls `add_kernel` in `build` and `weight()` in `call`.

    With `spectral_norm` the kernel in use is gain * W / sigma(W); `gain` 1 is the paper's. The kernel is kept and normalised in the variable's
    precision and cast to the layer's compute precision after that.
    """

    def __init__(self, *, spectral_norm: bool = False, gain: float = 1.0, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        if gain != 1.0 and not spectral_norm:
            raise ValueError(f"{type(self).__name__}: gain={gain} scales the normalised kernel. Set spectral_norm=True, or leave gain at 1.")
        self.spectral_norm = spectral_norm
        self.gain = gain
        self.kernel_initializer = initializers.fresh(kernel_initializer)

    def add_kernel(self, shape: tuple[int, ...], output_axis: int = -1) -> None:
        """Creates `kernel` of this shape, and u and v. The matrix that is normalised has the kernel's `output_axis` as columns, all else as rows."""
        self.output_axis = output_axis
        self.kernel = self.add_weight(name="kernel", shape=shape, initializer=self.kernel_initializer, autocast=False)
        if self.spectral_norm:
            columns = shape[output_axis]
            self.u = self._add_vector("u", columns, lambda s, dtype=None: normalize(keras.initializers.RandomNormal(stddev=1.0)(s, dtype)))
            rows = self.kernel.value.shape.num_elements() // columns
            self.v = self._add_vector("v", rows, lambda s, dtype=None: normalize(tf.linalg.matvec(self.matrix(), tf.convert_to_tensor(self.u))))

    def weight(self) -> tf.Tensor:
        """The kernel to compute with, in the layer's compute dtype."""
        kernel = tf.convert_to_tensor(self.kernel)
        if self.spectral_norm:
            kernel *= self.gain / self.sigma()
        return tf.cast(kernel, self.compute_dtype)

    def sigma(self) -> tf.Tensor:
        """The present estimate of the kernel's largest singular value, a scalar."""
        return sigma(self.matrix(), tf.convert_to_tensor(self.u), tf.convert_to_tensor(self.v))

    def power_iterations(self, iterations: int) -> None:
        matrix, u = self.matrix(), tf.convert_to_tensor(self.u)
        for _ in range(iterations):
            u, v = power_iteration(matrix, u)
        self.u.assign(u)
        self.v.assign(v)

    def matrix(self) -> tf.Tensor:
        """The kernel as the matrix [everything else, output channels]."""
        kernel = tf.convert_to_tensor(self.kernel)
        axis = self.output_axis % len(kernel.shape)
        order = [i for i in range(len(kernel.shape)) if i != axis] + [axis]
        return tf.reshape(tf.transpose(kernel, order), (-1, kernel.shape[axis]))

    def _add_vector(self, name, size, initializer):
        return self.add_weight(name=name, shape=(size,), initializer=initializer, trainable=False, autocast=False, aggregation="only_first_replica")

    def get_config(self):
        initializer = keras.initializers.serialize(self.kernel_initializer)
        return super().get_config() | {"spectral_norm": self.spectral_norm, "gain": self.gain, "kernel_initializer": initializer}
