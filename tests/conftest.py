"""Process settings and shared fixtures. Environment and devices are set before any test imports TensorFlow."""

import os
import random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import pytest
import tensorflow as tf

tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2)


@pytest.fixture(scope="session")
def mirrored() -> tf.distribute.MirroredStrategy:
    """Two replicas on two logical CPUs. One for the whole session: two MirroredStrategy objects in one process clash."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture(autouse=True)
def _seeded():
    """Every test begins with the same numbers: Keras draws the seeds of initial weights from Python's generator."""
    random.seed(0)
    np.random.seed(0)
    tf.random.set_seed(0)
