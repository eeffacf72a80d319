"""Process settings and shared fixtures. Environment and devices are set before any test imports TensorFlow."""

import os
import random
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

import numpy as np
import pytest
import tensorflow as tf
from absl import app, flags, logging

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


@pytest.fixture
def command(monkeypatch, capsys):
    """Runs a command's `main` in this process with its real flags, which are taken back afterwards: (exit code, output, errors)."""
    for name in ("TF_ENABLE_ONEDNN_OPTS", "TF_CPP_MIN_LOG_LEVEL", "KERAS_BACKEND"):
        monkeypatch.setenv(name, "")  # puts back what the command sets
    monkeypatch.delenv("KERAS_BACKEND")
    app.define_help_flags()
    before, verbosity = set(flags.FLAGS), logging.get_verbosity()

    def run(module, *arguments):
        monkeypatch.setattr(sys, "argv", [module.__name__, *arguments])
        try:
            module.main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        finally:
            for name in set(flags.FLAGS) - before:
                delattr(flags.FLAGS, name)
            flags.FLAGS.unparse_flags()
            logging.set_verbosity(verbosity)
        return code, *capsys.readouterr()

    return run
