"""A run to analyse: the tiny class-conditional GAN, noise as its data, and a judge that only averages pixels."""

import numpy as np
import tensorflow as tf
import tiny

from tfgan_suite.analysis import subject
from tfgan_suite.metrics import evaluation, extractor, protocol, reference


class Means(extractor.Extractor):
    """Features [b, 12]: the mean of each quarter in each channel, in [0, 1]."""

    name, fingerprint, resizer, classes, accuracy, batch_size = "means", "f00d", "half_pixel", "none", {}, 32

    def __init__(self, standard: bool = False):
        self.standard = standard
        self.classes = "other" if standard else "none"

    def network(self, pixels):
        quarters = tf.nn.avg_pool2d(tf.cast(pixels, tf.float32) / 255.0, 4, 4, "VALID")
        features = tf.reshape(quarters, (pixels.shape[0], 12))
        return features, features[:, :3] if self.standard else features[:, :0]


class Noise:
    """As `metrics.examples.Data`: 40 training and 24 test images of three classes."""

    fingerprint = "noise"

    def __init__(self):
        self.spec = tiny.data_spec()
        object.__setattr__(self.spec, "size", 40)
        object.__setattr__(self.spec, "test_size", 24)
        self.splits = {
            "train": {key: value.numpy() for key, value in tiny.batch(40, seed=1).items()},
            "test": {key: value.numpy() for key, value in tiny.batch(24, seed=2).items()},
        }

    def examples(self, split, *, batch_size, limit=-1):
        count = len(self.splits[split]["label"]) if limit < 0 else limit
        for start in range(0, count, 16):
            yield {key: value[start : min(start + 16, count)] for key, value in self.splits[split].items()}


def judge(folder, metrics=("fid",), *, data=None, standard=False) -> evaluation.Evaluator:
    data, means = data or Noise(), Means(standard)
    real = reference.build(means, data, cache_dir=folder, split="test")
    record = protocol.Protocol(batch_size=8)
    return evaluation.Evaluator(extractor=means, reference=real, metrics=metrics, data=data, record=record, splits=2)


def run(folder, *, model=None, steps=(1,), restore=None, **of_judge) -> subject.Subject:
    model = model or tiny.build()
    return subject.Subject(
        model=model, steps=steps, restore=restore or (lambda step: model), judge=lambda metrics: judge(folder, metrics, **of_judge)
    )


def options(**given) -> subject.Options:
    return subject.Options(**({"rows": 3, "columns": 4, "samples": 16} | given))


def values(network) -> list[np.ndarray]:
    return [v.numpy() for v in network.variables]
