"""Prometheus metrics under TensorFlow Serving's names, those of docs/serving.md that can be told from outside of the batching kernel."""

import collections
import threading

import prometheus_client
from prometheus_client import metrics_core, registry

_LATENCY_BUCKETS = tuple(10 * 1.8**i for i in range(33))
"""Microseconds, 10 to about 20 minutes: tensorflow_serving/servables/tensorflow/util.cc."""
_SIZE_BUCKETS = tuple(2.0**i for i in range(11))


class Metrics:
    """The counts of one server."""

    def __init__(self):
        self._registry = prometheus_client.CollectorRegistry()
        self._requests = _Count(":tensorflow:serving:request_count", "The total number of requests.", ("model_name", "status"))
        self._registry.register(self._requests)
        self._latency = prometheus_client.Histogram(
            ":tensorflow:serving:request_latency",
            "Wall time of a request, in microseconds.",
            ("model_name", "API", "entrypoint", "status"),
            buckets=_LATENCY_BUCKETS,
            registry=self._registry,
        )
        self._runtime = prometheus_client.Histogram(
            ":tensorflow:serving:runtime_latency",
            "Wall time in TensorFlow, waiting for a batch included, in microseconds.",
            ("model_name", "API", "runtime"),
            buckets=_LATENCY_BUCKETS,
            registry=self._registry,
        )
        self._sizes = prometheus_client.Histogram(
            ":tensorflow:serving:batching_session:input_batch_size",
            "Rows of a request.",
            ("model_name",),
            buckets=_SIZE_BUCKETS,
            registry=self._registry,
        )

    def request(self, model: str, api: str, entrypoint: str, status: str, seconds: float) -> None:
        """Counts a request. `model`: a configured one, or "": names from requests would grow without bound."""
        self._requests.add(model, status)
        self._latency.labels(model, api, entrypoint, status).observe(1e6 * seconds)

    def run(self, model: str, rows: int, seconds: float) -> None:
        """Counts a call of TensorFlow."""
        self._runtime.labels(model, "Predict", "TF1").observe(1e6 * seconds)
        self._sizes.labels(model).observe(rows)

    def text(self) -> bytes:
        """What Prometheus reads."""
        return prometheus_client.generate_latest(self._registry)


class _Count(registry.Collector):
    """A counter without the suffix `_total` that prometheus_client gives every other: TF Serving's has none."""

    def __init__(self, name: str, text: str, labels: tuple[str, ...]):
        self._name, self._text, self._labels = name, text, labels
        self._lock = threading.Lock()
        self._counts: collections.Counter[tuple[str, ...]] = collections.Counter()

    def add(self, *values: str) -> None:
        with self._lock:
            self._counts[values] += 1

    def collect(self):
        with self._lock:
            counts = dict(self._counts)
        metric = metrics_core.Metric(self._name, self._text, "unknown")
        for values, count in counts.items():
            metric.add_sample(self._name, dict(zip(self._labels, values, strict=True)), count)
        yield metric
