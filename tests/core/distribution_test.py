import types

import pytest
import tensorflow as tf

from tfgan_suite.core import distribution


def test_default_is_one_device_with_nothing_around_it():
    assert distribution.strategy("default") is tf.distribute.get_strategy()


def test_mirrored_takes_every_device(monkeypatch):
    monkeypatch.setattr(tf.distribute, "MirroredStrategy", lambda devices: devices)  # a second real one would clash with the session's
    assert distribution.strategy("mirrored") == ["/device:CPU:0", "/device:CPU:1"]


@pytest.mark.parametrize("device", ["CPU:1", "cpu:1", "/cpu:1", "/device:CPU:1"])
def test_one_device_may_be_written_as_tensorflow_writes_it(device):
    strategy = distribution.strategy(f"one_device:{device}")
    with strategy.scope():
        assert tf.Variable(0.0).device.endswith("CPU:1")
    assert strategy.num_replicas_in_sync == 1


@pytest.mark.parametrize("name", ["mirorred", "one_device", "one_device:", "Default", ""])
def test_an_unknown_strategy_is_refused_with_the_alternatives(name):
    with pytest.raises(ValueError, match=f"Unknown strategy '{name}'. Allowed: default, mirrored, multi_worker_mirrored, tpu, one_device:<device>"):
        distribution.strategy(name)


def test_a_missing_device_is_refused_with_those_of_the_machine():
    with pytest.raises(ValueError, match="There is no device 'GPU:7'. This machine has: CPU:0, CPU:1"):
        distribution.strategy("one_device:GPU:7")


def test_a_missing_tpu_is_refused_with_a_remedy(monkeypatch):
    def nowhere():
        raise ValueError("Please provide a TPU Name to connect to.\nmore")

    monkeypatch.setattr(tf.distribute.cluster_resolver, "TPUClusterResolver", nowhere)
    with pytest.raises(
        ValueError, match=r"No TPU was found \(Please provide a TPU Name to connect to.\). Set TPU_NAME, or choose another --strategy"
    ):
        distribution.strategy("tpu")


def cluster(task_type=None, task_id=None, *, workers=1, replicas=1, resolver=True):
    """What is read of a strategy."""
    found = types.SimpleNamespace(task_type=task_type, task_id=task_id) if resolver else None
    return types.SimpleNamespace(cluster_resolver=found, num_replicas_in_sync=replicas, extended=types.SimpleNamespace(_num_workers=workers))


@pytest.mark.parametrize(
    "strategy, chief",
    [
        (cluster(resolver=False), True),
        (cluster(None), True),
        (cluster("", None), True),
        (cluster("worker", 0, workers=2), True),
        (cluster("worker", 1, workers=2), False),
        (cluster("chief", 0, workers=2), True),
        (cluster("evaluator", 0, workers=2), False),
    ],
)
def test_only_the_first_worker_writes(strategy, chief):
    assert distribution.is_chief(strategy) is chief


def test_every_host_reads_its_own_share():
    assert distribution.hosts(cluster("worker", 2, workers=4, replicas=8)) == (2, 4)
    assert distribution.local_replicas(cluster("worker", 2, workers=4, replicas=8)) == 2


def test_one_process_reads_everything(mirrored):
    assert distribution.hosts(mirrored) == distribution.hosts(tf.distribute.get_strategy()) == (0, 1)
    assert (distribution.local_replicas(mirrored), distribution.is_chief(mirrored)) == (2, True)


def test_a_batch_must_divide_over_replicas_and_micro_batches():
    distribution.check_batch(24, 3, cluster(replicas=4))
    with pytest.raises(ValueError, match="data.batch_size=16 must be a multiple of 12: 4 replicas, 3 micro-batches each. Change batch_size or accum"):
        distribution.check_batch(16, 3, cluster(replicas=4))
