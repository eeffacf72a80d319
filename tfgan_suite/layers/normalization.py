"""The normalisations a network can be asked for by name."""

import keras

from tfgan_suite.layers import batch_norm, layer_norm

NORMALIZATIONS = {"batch": batch_norm.BatchNorm, "layer": layer_norm.LayerNorm, "none": keras.layers.Identity}


def create(name: str, **options) -> keras.layers.Layer:
    """A new layer of the normalisation `name`; `options` go to its constructor."""
    if name not in NORMALIZATIONS:
        raise ValueError(f"normalization={name!r} is unknown. It is one of {', '.join(NORMALIZATIONS)}.")
    return NORMALIZATIONS[name](**options)
