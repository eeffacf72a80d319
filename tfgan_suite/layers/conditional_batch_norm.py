"""Batch normalisation whose gain and offset depend on a condition. Dumoulin et al. 2017; de Vries et al. 2017; Brock et al. 2019 (form "linear")."""

import keras
import tensorflow as tf

from tfgan_suite.layers import batch_norm, dense


class ConditionalBatchNorm(batch_norm.BatchNorm):
    """(x [b, ..., c], condition) -> x normalised with the statistics of the whole batch, then gained and offset per example.

    `form="table"`: the condition is a label, integers [b] in [0, num_classes), and looks gain (from 1) and offset (from 0) up, as SN-GAN.
    `form="linear"`: the condition is a vector [b, d]; gain 1 + condition W_g and offset condition W_o without biases, as BigGAN.
    `form="one_hot"`: the same for the label in one-hot form, [num_classes, c] each, as StudioGAN and BigGAN without a shared embedding.
    W_g and W_o begin as `kernel_initializer` says, and are spectrally normalised on demand. Moving statistics are shared by all conditions.
    """

    def __init__(
        self, *, form: str = "table", num_classes: int = 0, spectral_norm: bool = False, kernel_initializer="glorot_uniform", **kwargs,
    ):  # fmt: skip
        super().__init__(center=False, scale=False, **kwargs)
        if form not in FORMS:
            raise ValueError(f"ConditionalBatchNorm: form={form!r} is unknown. It is one of {', '.join(FORMS)}.")
        if (form != "linear") != (num_classes > 0) or (form == "table" and spectral_norm):
            raise ValueError(
                "ConditionalBatchNorm: the forms table and one_hot take num_classes > 0, linear takes none; table takes no spectral_norm. "
                f"Received: form={form!r}, num_classes={num_classes}, spectral_norm={spectral_norm}."
            )
        self.form, self.num_classes, self.spectral_norm = form, num_classes, spectral_norm
        self.kernel_initializer = keras.initializers.get(kernel_initializer)

    def build(self, x_shape, condition_shape):
        super().build(x_shape)
        self.condition_gain, self.condition_offset = FORMS[self.form](self, x_shape[-1])
        self.condition_gain.build(condition_shape)
        self.condition_offset.build(condition_shape)

    def call(self, x, condition, training=False):
        gain = tf.cast(self.condition_gain(condition), self.variable_dtype)
        offset = tf.cast(self.condition_offset(condition), self.variable_dtype)
        return self.normalize(x, gain if self.form == "table" else gain + 1.0, offset, training)

    def compute_output_shape(self, x_shape, condition_shape):
        return x_shape

    def get_config(self):
        config = {name: value for name, value in super().get_config().items() if name not in ("center", "scale", "gain_initializer")}
        config |= {name: getattr(self, name) for name in ("form", "num_classes", "spectral_norm")}
        return config | {"kernel_initializer": keras.initializers.serialize(self.kernel_initializer)}


def _table(layer, channels):
    return tuple(
        dense.Embedding(layer.num_classes, channels, kernel_initializer=initializer, dtype=layer.variable_dtype, name=name)
        for name, initializer in (("gain", "ones"), ("offset", "zeros"))
    )


def _one_hot(layer, channels):
    return tuple(dense.Embedding(layer.num_classes, channels, name=name, **_options(layer)) for name in ("gain", "offset"))


def _linear(layer, channels):
    return tuple(dense.Dense(channels, use_bias=False, name=name, **_options(layer)) for name in ("gain", "offset"))


def _options(layer):
    return {"spectral_norm": layer.spectral_norm, "kernel_initializer": layer.kernel_initializer, "dtype": layer.variable_dtype}


FORMS = {"table": _table, "one_hot": _one_hot, "linear": _linear}
