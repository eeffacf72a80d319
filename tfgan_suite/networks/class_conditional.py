"""The pairs of networks on which ways of conditioning are compared. Kang and Park 2020, table 1; their settings are those of StudioGAN.

All generators read the label in their batch norms. How a discriminator reads it is its argument `conditioning`, a name in `parts.CONDITIONINGS`.
"""

import functools

from tfgan_suite.networks import biggan, compact, resnet, sndcgan

_STUDIOGAN = functools.partial(resnet.generator, class_gain="one_hot", initializer="orthogonal", epsilon=1e-4)

BODIES = {
    "biggan": (functools.partial(biggan.generator, epsilon=1e-4), functools.partial(biggan.discriminator, class_bias=False)),
    "resnet": (
        _STUDIOGAN,
        functools.partial(resnet.discriminator, initializer="orthogonal", class_bias=False),
    ),
    "batch_norm_resnet": (
        _STUDIOGAN,
        functools.partial(
            resnet.discriminator, norm="batch", norm_everywhere=True, epsilon=1e-4, spectral_norm=False, initializer="orthogonal", class_bias=False
        ),
    ),
    "sndcgan": (sndcgan.generator, functools.partial(sndcgan.discriminator, pool="sum")),
    "narrow": (
        functools.partial(biggan.generator, multipliers=(8, 4, 2, 1), epsilon=1e-4),
        functools.partial(biggan.discriminator, multipliers=(1, 2, 4, 8)),
    ),
    "compact": (compact.generator, functools.partial(compact.discriminator, gain=1.2)),
    "attentive": (
        functools.partial(compact.generator, attention=(16,)),
        functools.partial(compact.discriminator, attention=(16,), gain=1.2),
    ),
}
"""Body -> (generator, discriminator), which take `image_shape`, `width`, `num_classes`, and `latent_size` or `conditioning`. `biggan`: 32, 64, 128
and 256 pixels. It and `narrow` have spectral norm in both players. In the others D alone has it; in `batch_norm_resnet` batch norm is in its place.
`narrow`: BigGAN's for 32 pixels on a CPU, of our own: channels halve from map to map, as at 64 pixels. `compact`: a smaller one. `attentive`: the
same with self-attention at 16 pixels."""
