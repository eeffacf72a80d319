"""Factor-two resampling of feature maps [b, h, w, c], and its fusion with a convolution.

Nearest upsampling followed by a convolution is one transposed convolution of stride 2, and a convolution followed by 2x2 average pooling is one
convolution of stride 2: with a kernel one tap larger that is collapsed from the original. The variable keeps its shape; only the forward
pass collapses it. The results differ from the two-step form by rounding. All ops have a second derivative, also under XLA.
"""

import tensorflow as tf


def nearest_up(x: tf.Tensor) -> tf.Tensor:
    """[b, h, w, c] -> [b, 2h, 2w, c], each pixel repeated. (`tf.image.resize` has no second derivative.)"""
    return tf.repeat(tf.repeat(x, 2, axis=1), 2, axis=2)


def average_down(x: tf.Tensor) -> tf.Tensor:
    """[b, h, w, c] with even h, w -> [b, h/2, w/2, c], the mean of each 2x2 block."""
    return tf.nn.avg_pool2d(x, 2, 2, "VALID")


def max_down(x: tf.Tensor) -> tf.Tensor:
    """[b, h, w, c] with even h, w -> [b, h/2, w/2, c], the largest of each 2x2 block. (XLA has `tf.nn.max_pool2d` wrong in the second derivative.)"""
    _, height, width, channels = x.shape
    x = tf.reshape(x, (-1, height // 2, 2, width * channels))
    x = tf.reshape(tf.maximum(x[:, :, 0], x[:, :, 1]), (-1, height // 2, width // 2, 2, channels))
    return tf.maximum(x[..., 0, :], x[..., 1, :])


def collapse_up(kernel: tf.Tensor) -> tf.Tensor:
    """The transposed-convolution kernel of nearest upsampling, then `kernel` [k, k, in, out] with odd k and padding "same": [k+1, k+1, out, in].

    In one dimension y[2i] = w0 x[i-1] + (w1 + w2) x[i] and y[2i+1] = (w0 + w1) x[i] + w2 x[i+1]: the flipped taps, convolved with (1, 1).
    """
    return _with_box(tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2)))


def collapse_down(kernel: tf.Tensor) -> tf.Tensor:
    """The stride-2 kernel of `kernel` [k, k, in, out] with odd k and padding "same", then 2x2 average pooling: [k+1, k+1, in, out].

    In one dimension y[i] = (w0 x[2i-1] + (w0 + w1) x[2i] + (w1 + w2) x[2i+1] + w2 x[2i+2]) / 2.
    """
    return _with_box(kernel) / 4


def up_convolution(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """Convolution of `nearest_up(x)` with `kernel` [k, k, in, out], odd k, padding "same", as one op: [b, h, w, in] -> [b, 2h, 2w, out]."""
    if kernel.shape[0] == kernel.shape[1] == 1:
        return nearest_up(tf.nn.conv2d(x, kernel, 1, "SAME"))  # they commute, and this order convolves a quarter of the pixels
    shape = tf.shape(x)[0], 2 * x.shape[1], 2 * x.shape[2], kernel.shape[3]
    return tf.nn.conv2d_transpose(x, collapse_up(kernel), shape, 2, "SAME")


def convolution_down(x: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    """`average_down` of the convolution of x with `kernel` [k, k, in, out], odd k, padding "same", as one op: [b, h, w, in] -> [b, h/2, w/2, out]."""
    if kernel.shape[0] == kernel.shape[1] == 1:
        return tf.nn.conv2d(average_down(x), kernel, 1, "SAME")  # they commute
    return tf.nn.conv2d(x, collapse_down(kernel), 2, "SAME")


def _with_box(kernel: tf.Tensor) -> tf.Tensor:
    """Full convolution of the two spatial axes with (1, 1): one tap more on each."""
    rows = tf.pad(kernel, ((1, 0), (0, 0), (0, 0), (0, 0))) + tf.pad(kernel, ((0, 1), (0, 0), (0, 0), (0, 0)))
    return tf.pad(rows, ((0, 0), (1, 0), (0, 0), (0, 0))) + tf.pad(rows, ((0, 0), (0, 1), (0, 0), (0, 0)))
