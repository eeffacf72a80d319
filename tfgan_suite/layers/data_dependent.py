"""Initial values taken from data: one pass in which each layer sets itself up by what reaches it. Salimans and Kingma 2016, section 3."""

import keras
import tensorflow as tf


class DataDependent:
    """Mixed into a layer: where `initializing` is set, its `call` first assigns its weights from what it was given."""

    initializing = False


def initialize(network: keras.Model, inputs: dict[str, tf.Tensor]) -> None:
    """Sets every data-dependent layer of `network` from one batch of inputs [b, ...], in the order in which it flows; the others just compute.

    Runs eagerly, before training, outside of replicas, with the same batch in every process.
    """
    layers = [layer for layer in network._flatten_layers() if isinstance(layer, DataDependent)]
    try:
        for layer in layers:
            layer.initializing = True
        if layers:
            network(inputs, training=True)
    finally:
        for layer in layers:
            layer.initializing = False
