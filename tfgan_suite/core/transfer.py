"""Transfer: a run that begins with the networks of another one, and a discriminator whose first blocks stay as they were.

FreezeD, Mo, Cho, Shin 2020, arXiv:2002.10964, section 3: fine-tune both players on the new data from pretrained weights, with the discriminator's
lower layers, which hold generic features, left as they are.
"""

import keras

from tfgan_suite.core import gan


def blocks(network: keras.Model) -> list[list[keras.layers.Layer]]:
    """The network's layers with weights, a list per height and width of the maps that they read, from the largest to the smallest.

    That is a resolution of a residual or convolutional discriminator; blocks that keep the size of the map count as one with those beside them,
    and a batch norm behind a strided convolution with the next size. Layers that read vectors (the heads) are in no block.
    """
    found: dict[tuple[int, int], list[keras.layers.Layer]] = {}
    for layer in network.layers:
        inputs = layer.input if isinstance(layer.input, list) else [layer.input]
        if layer.weights and len(inputs[0].shape) == 4:
            found.setdefault(tuple(inputs[0].shape[1:3]), []).append(layer)
    return [found[size] for size in sorted(found, reverse=True)]


def freeze(network: keras.Model, count: int) -> None:
    """Takes the first `count` blocks of the network from training, before its optimizer is made. The vectors of spectral normalisation stop too."""
    if not count:
        return
    there = blocks(network)
    if count > len(there):
        raise ValueError(
            f"frozen_blocks={count} is more than the resolutions of the discriminator, {len(there)}. Set it to {len(there)} or less; 0 freezes none."
        )
    for layer in (layer for block in there[:count] for layer in block):
        layer.trainable = False


def initialize_from(model: gan.Gan, source: gan.Gan) -> list[str]:
    """Gives every network of `model`, averages included, the values that the same network has in `source`. Optimizers and counters stay new.

    The two may differ in their number of classes alone: what has an axis of classes then keeps its initial values, and is returned as
    `network.position`. Raises a ValueError if the networks are not the same otherwise; `model` is unchanged then.
    """
    pairs, kept = [], []
    given = source.networks()
    for name, network in model.networks().items():
        if name not in given or len(given[name].variables) != len(network.variables):
            what = f"has no network {name!r}" if name not in given else f"has a {name!r} of {len(given[name].variables)} variables"
            raise ValueError(
                f"The source of the transfer {what}; this model's has {len(network.variables)}. Train with the source's body, conditioning and "
                "normalisation, or choose another transfer.source."
            )
        for i, (here, there) in enumerate(zip(network.variables, given[name].variables, strict=True)):
            if tuple(here.shape) == tuple(there.shape):
                pairs.append((here, there))
            elif _differ_in_classes(here.shape, there.shape, model.data.num_classes, source.data.num_classes):
                kept.append(f"{name}.{i}")
            else:
                raise ValueError(
                    f"Variable {i} of {name!r}, {here.path}, has the shape {tuple(here.shape)}, and in the source of the transfer "
                    f"{tuple(there.shape)}. Use the widths, the latent size and the image size of the source."
                )
    for here, there in pairs:
        here.assign(there.numpy())
    return kept


def _differ_in_classes(here, there, classes: int, source_classes: int) -> bool:
    axes = list(zip(here, there, strict=True)) if len(here) == len(there) else [(0, 1)]
    return all(a == b or (a, b) == (classes, source_classes) for a, b in axes)
