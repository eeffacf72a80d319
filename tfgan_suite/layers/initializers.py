"""How layers take an initializer."""

import keras


def fresh(initializer):
    """A Keras initializer from a name, a config or an object.

    One initializer object draws the same numbers each time it is called; a copy without a seed of its own lets a network share one object
    among its layers. Its seed comes from Python's generator, which `core.gan` sets from the run's.
    """
    initializer = keras.initializers.get(initializer)
    return initializer.clone() if isinstance(initializer, keras.Initializer) else initializer
