import numpy as np
import pytest
import tiny

from tfgan_suite import registry
from tfgan_suite.core import run


@pytest.mark.parametrize("preset, classes, parameters", [("cifar10_conditional", 10, 1_055_104), ("cifar10", 10, 1_055_104 - 10 * 128)])
def test_the_discriminator_has_the_parameters_of_the_authors_code(preset, classes, parameters):
    """No bias of the logits, and for each class a vector of 128 numbers."""
    experiment = registry.experiment(f"sngan/{preset}")
    experiment.model.generator_width = 4
    data = tiny.data_spec(classes=classes, side=32)
    model = registry.model_class("sngan")(experiment.model, data, run.Run(seed=0, phase="train", steps=1))
    assert sum(int(np.prod(v.shape)) for v in model.discriminator.trainable_variables) == parameters
