import numpy as np

from pipelines import spec
from tfgan_suite import registry
from tfgan_suite.core import run


def test_the_mnist_players_have_one_hidden_layer_of_128_as_in_the_notebook():
    image = spec.Feature(shape=(28, 28, 1), dtype="float32", low=-1.0, high=1.0)
    data = spec.DataSpec(name="mnist", features={"image": image}, size=60_000)
    model = registry.model_class("dragan")(registry.experiment("dragan/mnist").model, data, run.Run(seed=0, phase="train", steps=4))
    counts = [sum(int(np.prod(v.shape)) for v in network.trainable_variables) for network in (model.generator, model.discriminator)]
    assert counts == [101 * 128 + 129 * 784, 785 * 128 + 129]
