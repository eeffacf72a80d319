"""Self-attention over the positions of a feature map. Zhang, Goodfellow, Metaxas, Odena 2019 (SAGAN), arXiv:1805.08318, section 3."""

import math

import keras
import tensorflow as tf

from tfgan_suite.layers import convolution, initializers
from tfgan_suite.ops import resample

FORMS = ("pooled", "paper")


class SelfAttention(keras.layers.Layer):
    """x [b, h, w, c] -> x + gamma * o [b, h, w, c], with the scalar gamma learned from 0 on: a new layer is the identity.

    Position j takes from every position i the share A_ji = softmax_i(<query_j, key_i>), without a factor 1 / sqrt(d); queries and keys are 1x1
    convolutions to c / 8 channels (at least one), all convolutions are without biases. Logits and softmax are in the variables' precision.

    `form="pooled"` is the authors' code, also BigGAN's: keys, and values of c / 2 channels, are the maxima of 2x2 blocks (h and w are even), and a
    1x1 convolution takes A value back to c channels. `form="paper"` is eq. 1 to 3: every position, and values of c channels that need no way back.
    `spectral_norm`, `gain` and `kernel_initializer` go to the convolutions.
    """

    def __init__(self, *, form: str = "pooled", spectral_norm: bool = False, gain: float = 1.0, kernel_initializer="glorot_uniform", **kwargs):
        super().__init__(**kwargs)
        if form not in FORMS:
            raise ValueError(f"SelfAttention: form={form!r} is unknown. It is one of {', '.join(FORMS)}.")
        self.form, self.spectral_norm, self.gain = form, spectral_norm, gain
        self.kernel_initializer = initializers.fresh(kernel_initializer)

    def build(self, input_shape):
        _, height, width, channels = input_shape
        if self.form == "pooled" and (height % 2 or width % 2):
            raise ValueError(
                f"SelfAttention: form='pooled' halves height and width, which must be even; the input is {tuple(input_shape)}. "
                "Attend at another resolution, or take form='paper'."
            )
        pooled, narrow = self.form == "pooled", max(channels // 8, 1)
        self.query = self._convolution(narrow, channels, "query")
        self.key = self._convolution(narrow, channels, "key")
        self.value = self._convolution(max(channels // 2, 1) if pooled else channels, channels, "value")
        self.back = self._convolution(channels, self.value.filters, "back") if pooled else None
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros", autocast=False)

    def call(self, x):
        values = self._sources(self.value(x))
        o = tf.matmul(tf.cast(self.attention(x), values.dtype), values)
        o = tf.reshape(o, (-1, *x.shape[1:3], self.value.filters))
        o = self.back(o) if self.form == "pooled" else o
        return x + tf.cast(tf.convert_to_tensor(self.gamma), o.dtype) * o

    def attention(self, x):
        """x [b, h, w, c] -> A [b, h w, sources]; its rows are shares and sum to 1."""
        query = _positions(self.query(x))
        logits = tf.matmul(tf.cast(query, self.variable_dtype), tf.cast(self._sources(self.key(x)), self.variable_dtype), transpose_b=True)
        return tf.nn.softmax(logits)

    def _sources(self, x):
        return _positions(resample.max_down(x) if self.form == "pooled" else x)

    def _convolution(self, filters, channels, name):
        options = {"spectral_norm": self.spectral_norm, "gain": self.gain, "kernel_initializer": self.kernel_initializer}
        layer = convolution.Convolution(filters, 1, use_bias=False, dtype=self.dtype_policy, name=name, **options)
        layer.build((None, None, None, channels))
        return layer

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        config = {name: getattr(self, name) for name in ("form", "spectral_norm", "gain")}
        return super().get_config() | config | {"kernel_initializer": keras.initializers.serialize(self.kernel_initializer)}


def _positions(x: tf.Tensor) -> tf.Tensor:
    """[b, h, w, c] -> [b, h w, c]."""
    return tf.reshape(x, (-1, math.prod(x.shape[1:3]), x.shape[3]))
