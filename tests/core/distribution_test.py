import json
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
    one = distribution.strategy(f"one_device:{device}")
    with one.scope():
        assert tf.Variable(0.0).device.endswith("CPU:1")
    assert one.num_replicas_in_sync == 1


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


def strategy(task_type="", task_id=0, *, tasks=(), replicas=1, monkeypatch=None):
    """What is read of a strategy: a real resolver's view of a cluster of these tasks, or no cluster."""
    resolver = None
    if tasks:
        hosts = {kind: [f"{kind}{i}:1" for i in range(tasks.count(kind))] for kind in tasks}
        monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": hosts, "task": {"type": task_type, "index": task_id}}))
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
    workers = max(len(tasks), 1)
    return types.SimpleNamespace(cluster_resolver=resolver, num_replicas_in_sync=replicas, extended=types.SimpleNamespace(_num_workers=workers))


@pytest.mark.parametrize("tasks", [("worker", "worker", "worker"), ("chief", "worker", "worker")], ids=["workers", "a chief and workers"])
def test_one_host_of_a_cluster_writes_and_each_reads_a_share_of_its_own(monkeypatch, tasks):
    found = []
    for i, kind in enumerate(tasks):
        host = strategy(kind, tasks[:i].count(kind), tasks=tasks, replicas=6, monkeypatch=monkeypatch)
        found.append((distribution.is_chief(host), distribution.hosts(host), distribution.local_replicas(host)))
    assert found == [(True, (0, 3), 2), (False, (1, 3), 2), (False, (2, 3), 2)]


def test_an_evaluator_beside_the_cluster_writes_nothing(monkeypatch):
    assert not distribution.is_chief(strategy("evaluator", 0, tasks=("worker", "evaluator"), monkeypatch=monkeypatch))


def test_one_process_reads_everything(mirrored):
    assert distribution.hosts(mirrored) == distribution.hosts(tf.distribute.get_strategy()) == (0, 1)
    assert (distribution.local_replicas(mirrored), distribution.is_chief(mirrored)) == (2, True)


def test_a_batch_must_divide_over_replicas_and_micro_batches():
    distribution.check_batch(24, 3, strategy(replicas=4))
    with pytest.raises(ValueError, match="data.batch_size=16 must be a multiple of 12: 4 replicas, 3 micro-batches each. Change batch_size or accum"):
        distribution.check_batch(16, 3, strategy(replicas=4))
