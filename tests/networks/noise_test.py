import keras

from tfgan_suite.networks import noise


def test_each_noisy_layer_has_an_input_of_its_own_named_after_its_numbers():
    source, x = noise.Noise(), keras.Input((4, 3), name="x")
    y = source.dropout(source.gaussian(x, 0.5), 0.2)
    assert {name: tuple(i.shape) for name, i in source.inputs.items()} == {"normal_noise_0": (None, 4, 3), "uniform_noise_1": (None, 4, 3)}
    network = keras.Model({"x": x} | source.inputs, y)
    assert [layer.keep for layer in network.layers if hasattr(layer, "keep")] == [0.8]


def test_switched_off_it_adds_nothing():
    source, x = noise.Noise(False), keras.Input((4,))
    assert source.dropout(x, 0.5) is x and source.gaussian(x, 0.5) is x and not source.inputs
