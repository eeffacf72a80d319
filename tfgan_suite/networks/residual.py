"""Residual blocks of the ResNet GANs. Gulrajani et al. 2017, appendix F; Miyato et al. 2018, appendix B.4; Brock et al. 2019, appendix B.

Upsampling and pooling are fused with the neighbouring convolution, and 1x1 shortcuts work on the smaller map. `options` go to every convolution
(`spectral_norm`, `gain`, `fused`).
"""

import keras

from tfgan_suite.layers import attention, convolution
from tfgan_suite.networks import parts

INITIALIZERS = {
    "glorot": (lambda: keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform"), lambda: keras.initializers.GlorotUniform()),
    "normal": (parts.normal, parts.normal),
    "orthogonal": (lambda: keras.initializers.Orthogonal(), lambda: keras.initializers.Orthogonal()),
    "xavier": (lambda: keras.initializers.GlorotUniform(), lambda: keras.initializers.GlorotUniform()),
}
"""{name: makers of the initial values of 3x3 convolutions inside residual branches, and of everything else}. "glorot" is SN-GAN's and WGAN-GP's,
with gain sqrt(2) inside and 1 elsewhere; "xavier" is SAGAN's, the same with gain 1 throughout."""


def initializers(name: str) -> tuple[keras.Initializer, keras.Initializer]:
    """(for 3x3 convolutions inside residual branches, for everything else) by a name in `INITIALIZERS`."""
    if name not in INITIALIZERS:
        raise ValueError(f"initializer={name!r} is unknown. It is one of {', '.join(INITIALIZERS)}.")
    inside, outside = INITIALIZERS[name]
    return inside(), outside()


def attend(x, sides: tuple[int, ...], *, form: str = "pooled", initializer: str = "glorot", spectral_norm: bool = False, gain: float = 1.0):
    """x [b, h, w, c], under self-attention where its height is among `sides`."""
    if x.shape[1] not in sides:
        return x
    _, outside = initializers(initializer)
    return attention.SelfAttention(form=form, spectral_norm=spectral_norm, gain=gain, kernel_initializer=outside)(x)


def up_block(x, filters: int, norm: parts.Norm, *, initializer: str = "glorot", **options):
    """[b, h, w, c] -> [b, 2h, 2w, filters]: norm, ReLU, up, conv, norm, ReLU, conv, plus the shortcut up, 1x1 conv."""
    inside, outside = initializers(initializer)
    y = keras.layers.ReLU()(norm(x))
    y = convolution.Convolution(filters, 3, resample="up", kernel_initializer=inside, **options)(y)
    y = keras.layers.ReLU()(norm(y))
    y = convolution.Convolution(filters, 3, kernel_initializer=inside, **options)(y)
    return y + convolution.Convolution(filters, 1, resample="up", kernel_initializer=outside, **options)(x)


def down_block(x, filters: int, norm: parts.Norm, *, down: bool = True, norm_shortcut: bool = False, initializer: str = "glorot", **options):
    """[b, h, w, c] -> [b, h/2, w/2, filters] (`down`) or [b, h, w, filters]: norm, ReLU, conv, norm, ReLU, conv, pool, plus the shortcut.

    The shortcut is a 1x1 convolution and pool of x itself, before any ReLU, or x where neither size nor channels change; `norm_shortcut`: of norm(x).
    """
    inside, outside = initializers(initializer)
    resample = "down" if down else "none"
    y = keras.layers.ReLU()(norm(x))
    y = convolution.Convolution(filters, 3, kernel_initializer=inside, **options)(y)
    y = keras.layers.ReLU()(norm(y))
    y = convolution.Convolution(filters, 3, resample=resample, kernel_initializer=inside, **options)(y)
    if not down and x.shape[-1] == filters:
        return y + x
    shortcut = norm(x) if norm_shortcut else x
    return y + convolution.Convolution(filters, 1, resample=resample, kernel_initializer=outside, **options)(shortcut)


def first_block(x, filters: int, *, norm: parts.Norm | None = None, initializer: str = "glorot", **options):
    """Image [b, h, w, c] -> [b, h/2, w/2, filters]: conv, ReLU, conv, pool, plus the shortcut pool, 1x1 conv; no activation on the image.

    `norm` enters before the ReLU, and in the shortcut between pool and conv.
    """
    inside, outside = initializers(initializer)
    y = convolution.Convolution(filters, 3, kernel_initializer=inside, **options)(x)
    y = keras.layers.ReLU()(norm(y) if norm else y)
    y = convolution.Convolution(filters, 3, resample="down", kernel_initializer=inside, **options)(y)
    if norm:
        shortcut = norm(keras.layers.AveragePooling2D(2)(x))
        return y + convolution.Convolution(filters, 1, kernel_initializer=outside, **options)(shortcut)
    return y + convolution.Convolution(filters, 1, resample="down", kernel_initializer=outside, **options)(x)
