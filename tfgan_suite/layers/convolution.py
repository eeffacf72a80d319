"""Two-dimensional convolutions, spectrally normalised on demand, with factor-two resampling fused in."""

import tensorflow as tf

from tfgan_suite.layers import spectral_norm
from tfgan_suite.ops import resample as resample_ops

RESAMPLES = ("none", "up", "down")
PADDINGS = ("same", "valid")


class Convolution(spectral_norm.WeightLayer):
    """x [b, h, w, c] -> [b, h', w', filters], kernel [k, k, c, filters].

    `resample="up"` convolves the nearest-upsampled x, `"down"` averages 2x2 blocks of the result; both in one op when `fused` (equal to rounding,
    about twice as fast). Padding "same" pads as TensorFlow does: for an even kernel of stride 2 that is symmetric, for an odd one it is not.
    """

    def __init__(
        self, filters: int, kernel_size: int, *, strides: int = 1, padding: str = "same", use_bias: bool = True, resample: str = "none",
        fused: bool = True, **kwargs,
    ):  # fmt: skip
        super().__init__(**kwargs)
        _check(self, padding, resample)
        if resample != "none" and (strides != 1 or padding != "same" or kernel_size % 2 == 0):
            raise ValueError(
                f"Convolution: resample={resample!r} needs an odd kernel_size, strides=1 and padding='same'; received kernel_size={kernel_size}, "
                f"strides={strides}, padding={padding!r}. Use resample='none' for this kernel."
            )
        self.filters, self.kernel_size, self.strides, self.padding = filters, kernel_size, strides, padding
        self.use_bias, self.resample, self.fused = use_bias, resample, fused

    def build(self, input_shape):
        if self.resample == "down" and (input_shape[1] % 2 or input_shape[2] % 2):
            raise ValueError(f"Convolution: resample='down' halves height and width, which must be even; the input is {tuple(input_shape)}.")
        self.add_kernel((self.kernel_size, self.kernel_size, input_shape[-1], self.filters))
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, x):
        y = self._convolve(x, self.weight())
        return tf.nn.bias_add(y, tf.convert_to_tensor(self.bias)) if self.use_bias else y

    def _convolve(self, x, kernel):
        if self.resample == "none":
            return tf.nn.conv2d(x, kernel, self.strides, self.padding.upper())
        if self.fused:
            return {"up": resample_ops.up_convolution, "down": resample_ops.convolution_down}[self.resample](x, kernel)
        if self.resample == "up":
            return tf.nn.conv2d(resample_ops.nearest_up(x), kernel, 1, "SAME")
        return resample_ops.average_down(tf.nn.conv2d(x, kernel, 1, "SAME"))

    def get_config(self):
        names = ("filters", "kernel_size", "strides", "padding", "use_bias", "resample", "fused")
        return super().get_config() | {name: getattr(self, name) for name in names}


class TransposedConvolution(spectral_norm.WeightLayer):
    """x [b, h, w, c] -> [b, h', w', filters], kernel [k, k, filters, c]; h' = h * strides with padding "same", (h - 1) * strides + k with "valid".

    Spectral normalisation takes the output channels as columns, as for every other layer (compare_gan groups by input channels here).
    """

    def __init__(self, filters: int, kernel_size: int, *, strides: int = 1, padding: str = "same", use_bias: bool = True, **kwargs):
        super().__init__(**kwargs)
        _check(self, padding, "none")
        self.filters, self.kernel_size, self.strides, self.padding, self.use_bias = filters, kernel_size, strides, padding, use_bias

    def build(self, input_shape):
        self.add_kernel((self.kernel_size, self.kernel_size, self.filters, input_shape[-1]), output_axis=2)
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def call(self, x):
        size = [n * self.strides if self.padding == "same" else (n - 1) * self.strides + self.kernel_size for n in x.shape[1:3]]
        y = tf.nn.conv2d_transpose(x, self.weight(), (tf.shape(x)[0], *size, self.filters), self.strides, self.padding.upper())
        return tf.nn.bias_add(y, tf.convert_to_tensor(self.bias)) if self.use_bias else y

    def get_config(self):
        names = ("filters", "kernel_size", "strides", "padding", "use_bias")
        return super().get_config() | {name: getattr(self, name) for name in names}


def _check(layer, padding, resample):
    for name, value, allowed in (("padding", padding, PADDINGS), ("resample", resample, RESAMPLES)):
        if value not in allowed:
            raise ValueError(f"{type(layer).__name__}: {name}={value!r} is unknown. It is one of {', '.join(allowed)}.")
