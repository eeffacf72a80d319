"""How a run is spread over devices. Chosen at every start and free to change on resume."""

import tensorflow as tf

STRATEGIES = ("default", "mirrored", "multi_worker_mirrored", "tpu", "one_device:<device>")


def strategy(name: str) -> tf.distribute.Strategy:
    """The `tf.distribute` strategy called `name`; raises a ValueError with the alternatives."""
    if name == "default":
        return tf.distribute.get_strategy()
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([d.name for d in devices])
    if name == "multi_worker_mirrored":
        return tf.distribute.MultiWorkerMirroredStrategy()
    if name == "tpu":
        return _tpu()
    kind, _, device = name.partition(":")
    if kind == "one_device" and device:
        known = [d.name.removeprefix("/device:") for d in tf.config.list_logical_devices()]
        if device.upper().removeprefix("/").removeprefix("DEVICE:") not in known:
            raise ValueError(f"There is no device {device!r}. This machine has: {', '.join(known)}.")
        return tf.distribute.OneDeviceStrategy(device)
    raise ValueError(f"Unknown strategy {name!r}. Allowed: {', '.join(STRATEGIES)}.")


def _tpu() -> tf.distribute.Strategy:
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver()
        tf.config.experimental_connect_to_cluster(resolver)
        tf.tpu.experimental.initialize_tpu_system(resolver)
    except (ValueError, tf.errors.OpError) as error:
        raise ValueError(f"No TPU was found ({str(error).splitlines()[0]}). Set TPU_NAME, or choose another --strategy.") from error
    return tf.distribute.TPUStrategy(resolver)


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Whether this process writes checkpoints, logs and samples."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    return resolver.task_type in ("worker", "chief") and resolver.task_id == 0 and not _has_chief_beside(resolver)


def hosts(strategy: tf.distribute.Strategy) -> tuple[int, int]:
    """(index of this host, number of hosts) for sharding the input."""
    workers = strategy.extended._num_workers if hasattr(strategy.extended, "_num_workers") else 1
    resolver = strategy.cluster_resolver
    return ((resolver.task_id or 0) + _has_chief_beside(resolver), workers) if workers > 1 and resolver is not None else (0, 1)


def _has_chief_beside(resolver) -> bool:
    """Whether this is a worker in a cluster with a task of its own for the chief, which then counts as the first host."""
    return resolver.task_type == "worker" and "chief" in resolver.cluster_spec().jobs


def local_replicas(strategy: tf.distribute.Strategy) -> int:
    """Replicas that this host feeds."""
    return strategy.num_replicas_in_sync // hosts(strategy)[1]


def check_batch(batch_size: int, parts: int, strategy: tf.distribute.Strategy) -> None:
    """Raises a ValueError unless a batch splits evenly over replicas and micro-batches."""
    n = strategy.num_replicas_in_sync
    if batch_size % (n * parts):
        raise ValueError(
            f"data.batch_size={batch_size} must be a multiple of {n * parts}: {n} replicas, {parts} micro-batches each. "
            "Change batch_size or accumulation."
        )
