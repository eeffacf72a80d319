"""What one server of an export folder serves: the models of `models.config` that lie in the folder, and the settings beside them."""

import dataclasses
import os
import posixpath

from export import serving_config, versions
from export.kit import cost


@dataclasses.dataclass(frozen=True, kw_only=True)
class Model:
    """A model of the folder."""

    name: str
    newest: int
    """Its newest version; 0 if there is none yet."""
    loaded: int
    """How many versions the policy loads."""
    bytes: int
    """Of the largest version on disk."""
    cost: cost.Cost | None
    """Of the newest version that was measured."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Served:
    """A folder of models and one server of it."""

    base_path: str
    """The folder as the server sees it."""
    metrics_path: str
    """Where the server has its Prometheus metrics, on the REST port."""
    batch_timeout_seconds: float
    batch_threads: int
    """0 where `batching.config` does not say: the server takes one per core."""
    models: tuple[Model, ...]
    elsewhere: tuple[str, ...]
    """Models of the configuration that do not lie in the folder."""


def read(output: str, base_path: str) -> Served:
    """Of the folder `output`, which the server sees as `base_path`. ValueError for a configuration that a server would refuse."""
    base_path = base_path.rstrip("/")
    entries = serving_config.parse_models(serving_config.read(output, serving_config.MODELS)).model_config_list.config
    batching = serving_config.parse_batching(serving_config.read(output, serving_config.BATCHING))
    monitoring = serving_config.parse_monitoring(serving_config.read(output, serving_config.MONITORING))
    inside = [
        entry for entry in entries if entry.base_path == posixpath.join(base_path, entry.name) and os.path.isdir(os.path.join(output, entry.name))
    ]
    return Served(
        base_path=base_path,
        metrics_path=monitoring.prometheus_config.path or serving_config.METRICS_PATH,
        batch_timeout_seconds=batching.batch_timeout_micros.value / 1e6,
        batch_threads=batching.num_batch_threads.value,
        models=tuple(_model(os.path.join(output, entry.name), entry) for entry in inside),
        elsewhere=tuple(entry.name for entry in entries if entry not in inside),
    )


def _model(directory: str, entry) -> Model:
    numbers = versions.numbers(directory)
    paths = [os.path.join(directory, str(number)) for number in reversed(numbers)]
    return Model(
        name=entry.name,
        newest=max(numbers, default=0),
        loaded=len(serving_config.loaded(entry.model_version_policy, numbers)),
        bytes=max(map(cost.size, paths), default=0),
        cost=next(filter(None, map(cost.read, paths)), None),
    )
