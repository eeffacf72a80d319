"""Prometheus: where to read the server's metrics, and when to call someone."""

from typing import Any

from export.kit import containers, resources, served

REQUESTS = ":tensorflow:serving:request_count"
"""Requests by `model_name` and `status`, a status code's name."""
LATENCY = ":tensorflow:serving:request_latency"
"""Histogram of microseconds by `model_name`, `API` and `entrypoint`: the whole request."""
RUNTIME = ":tensorflow:serving:runtime_latency"
"""Histogram of microseconds by `model_name`, `API` and `runtime`: waiting for a batch and computing it."""
QUEUEING = ":tensorflow:serving:batching_session:queuing_latency"
"""Histogram of microseconds by `thread_pool_name`: waiting for a batch alone."""
BATCHES = ":tensorflow:serving:batching_session:wrapped_run_count"
"""Batches that were computed. (The sizes of batches are percentiles, which the server's Prometheus page does not carry.)"""
LOADS = ":tensorflow:cc:saved_model:load_attempt_count"
"""Attempts to load a version by `model_path` and `status`, `success` or `fail`."""

SERVERS_FAULT = 'status!~"OK|INVALID_ARGUMENT|NOT_FOUND|CANCELLED|FAILED_PRECONDITION|UNIMPLEMENTED|OUT_OF_RANGE"'
"""Selects the requests that failed though the client made no mistake. An unknown signature is FAILED_PRECONDITION."""
ERROR_RATIO = 0.01
"""Of the requests, from which on failures are worth a call."""
_MISSING_RATIO = 0.5
_HOLD = "5m"


def scrape_kubernetes(of: served.Served) -> str:
    """The scrape configuration for a Prometheus inside the cluster."""
    meta = "__meta_kubernetes_pod_"
    job = _job(of) | {
        "kubernetes_sd_configs": [{"role": "pod"}],
        "relabel_configs": [
            {"source_labels": [f"{meta}label_app_kubernetes_io_name"], "action": "keep", "regex": containers.NAME},
            {"source_labels": [f"{meta}container_port_name"], "action": "keep", "regex": "rest"},
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": [f"{meta}name"], "target_label": "pod"},
        ],
    }
    return _text("For a Prometheus inside the cluster: name this file in scrape_config_files.", {"scrape_configs": [job]})


def scrape_static(of: served.Served) -> str:
    """The scrape configuration for servers at known addresses."""
    job = _job(of) | {"static_configs": [{"targets": [f"localhost:{containers.REST_PORT}"]}]}
    return _text("For servers at known addresses, such as that of compose.yaml: name this file in scrape_config_files.", {"scrape_configs": [job]})


def alerts(of: served.Served) -> str:
    """The alerting rules."""
    missing = f'model_name=~"{"|".join(model.name for model in of.models)}",status="NOT_FOUND"'
    queueing = resources.queueing_seconds(of)
    rules = [
        _rule(
            "TfganServingDown",
            f'absent(up{{job="{containers.NAME}"}} == 1)',
            "critical",
            "No server answers: no model has an available version.",
            "The ports open when the models are loaded, so this is also what a server that cannot load them looks like: read its log. Or its REST "
            "threads are all busy with requests, and metrics wait behind them: look at the latency, and add replicas.",
        ),
        _rule(
            "TfganServingNoVersion",
            f"{_share(missing)} > {_MISSING_RATIO}",
            "critical",
            "{{ $labels.model_name }}: most requests ask for a version or a label that is not there.",
            "tfgan-serving status --output=FOLDER --server=URL shows which versions are available, and where the labels point.",
        ),
        _rule(
            "TfganServingLoadFails",
            f'sum by (model_path) (increase({LOADS}{{status="fail"}}[15m])) > 0',
            "warning",
            "{{ $labels.model_path }} cannot be loaded.",
            "The server tries a few times and then gives up; the version before stays. tfgan-export --verify_only=VERSION says what is wrong.",
        ),
        _rule(
            "TfganServingErrors",
            f"{_share(SERVERS_FAULT)} > {ERROR_RATIO}",
            "critical",
            "{{ $labels.model_name }}: {{ $value | humanizePercentage }} of the requests fail.",
            "Requests that the client got wrong do not count. UNAVAILABLE: the batching queue is full, add replicas.",
        ),
        _rule(
            "TfganServingQueueing",
            f"{mean(QUEUEING, by='instance')} > {1e6 * queueing:.0f}",
            "warning",
            f"{{{{ $labels.instance }}}}: requests wait longer than {queueing:g} s for a batch.",
            "Twice the time of the largest batch: requests come faster than they are served. Add replicas.",
        ),
        *(_slow(model, of.batch_timeout_seconds) for model in of.models),
    ]
    return _text(
        "Alerting rules: name this file in rule_files. The limits of latency follow from the largest batch, measured at export.",
        {"groups": [{"name": containers.NAME, "rules": rules}]},
    )


def quantile(share: float, histogram: str, selector: str = "", by: str = "le, model_name") -> str:
    """The expression for a quantile of a histogram over five minutes."""
    return f"histogram_quantile({share}, sum by ({by}) (rate({histogram}_bucket{selector}[5m])))"


def mean(histogram: str, selector: str = "", by: str = "") -> str:
    """The expression for the mean of a histogram over five minutes."""
    grouped = f"sum by ({by}) " if by else "sum"
    return f"{grouped}(rate({histogram}_sum{selector}[5m])) / {grouped}(rate({histogram}_count{selector}[5m]))"


def _share(selector: str) -> str:
    """The expression for the share of a model's requests."""
    return f"sum by (model_name) (rate({REQUESTS}{{{selector}}}[5m])) / sum by (model_name) (rate({REQUESTS}[5m]))"


def _slow(model: served.Model, batch_timeout_seconds: float) -> dict[str, Any]:
    limit = resources.slow_seconds(model.cost, batch_timeout_seconds)
    expression = quantile(0.99, LATENCY, f'{{model_name="{model.name}"}}')
    return _rule(
        "TfganServingSlow",
        f"{expression} > {1e6 * limit:.0f}",
        "warning",
        f"{model.name}: one request in a hundred takes longer than {limit:g} s.",
        "Four times the largest batch. Compare with the queueing latency: if that is high, add replicas; if not, others use the processors.",
    )


def _rule(name: str, expression: str, severity: str, summary: str, description: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expression,
        "for": _HOLD,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "description": description},
    }


def _job(of: served.Served) -> dict[str, Any]:
    return {"job_name": containers.NAME, "metrics_path": of.metrics_path, "scrape_interval": "15s"}


def _text(header: str, data: dict[str, Any]) -> str:
    return f"# {header}\n" + containers.dump(data)
