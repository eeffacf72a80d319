"""A Grafana dashboard of the server: requests, errors, latency and where it comes from, queueing, batches."""

import json
from typing import Any

from export.kit import containers, prometheus, resources, served

_WIDTH, _HEIGHT = 12, 8
_SOURCE = {"type": "prometheus", "uid": "${source}"}
_SELECTOR = '{model_name=~"$model"}'


def dashboard(of: served.Served) -> str:
    """The dashboard, for Grafana's import."""
    panels = _panels(of)
    data = {
        "uid": containers.NAME,
        "title": "Generators behind TensorFlow Serving",
        "tags": ["tensorflow-serving", "tfgan-suite"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": _variables()},
        "panels": [
            panel | {"id": i + 1, "gridPos": {"x": i % 2 * _WIDTH, "y": i // 2 * _HEIGHT, "w": _WIDTH, "h": _HEIGHT}}
            for i, panel in enumerate(panels)
        ],
    }
    return json.dumps(data, indent=2) + "\n"


def _variables() -> list[dict[str, Any]]:
    names = f"label_values({prometheus.REQUESTS}, model_name)"
    return [
        {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        {
            "name": "model",
            "label": "Model",
            "type": "query",
            "datasource": _SOURCE,
            "query": {"query": names, "refId": "model"},
            "definition": names,
            "refresh": 2,
            "includeAll": True,
            "multi": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        },
    ]


def _panels(of: served.Served) -> list[dict[str, Any]]:
    requests, latency, runtime, queueing = prometheus.REQUESTS, prometheus.LATENCY, prometheus.RUNTIME, prometheus.QUEUEING
    failed = f'{requests}{{model_name=~"$model",{prometheus.SERVERS_FAULT}}}'
    slow = max((resources.slow_seconds(model.cost, of.batch_timeout_seconds) for model in of.models), default=0.0)
    return [
        _panel("Requests", "reqps", {"{{model_name}} {{status}}": f"sum by (model_name, status) (rate({requests}{_SELECTOR}[5m]))"}),
        _panel(
            "Share of requests that fail, clients' mistakes left out",
            "percentunit",
            {"{{model_name}}": f"sum by (model_name) (rate({failed}[5m])) / sum by (model_name) (rate({requests}{_SELECTOR}[5m]))"},
            limit=prometheus.ERROR_RATIO,
        ),
        _panel(
            "Latency of requests",
            "µs",
            {f"{{{{model_name}}}} {100 * share:g} %": prometheus.quantile(share, latency, _SELECTOR) for share in (0.5, 0.95, 0.99)},
            limit=1e6 * slow,
        ),
        _panel(
            "Of that in TensorFlow: waiting for a batch and computing it, mean",
            "µs",
            {"{{model_name}}": prometheus.mean(runtime, _SELECTOR, "model_name")},
        ),
        _panel(
            "Waiting for a batch, all models",
            "µs",
            {
                "mean": prometheus.mean(queueing),
                "99 %": prometheus.quantile(0.99, queueing, by="le"),
            },
            limit=1e6 * resources.queueing_seconds(of),
        ),
        _panel("Requests per batch, all models", "short", {"mean": f"sum(rate({queueing}_count[5m])) / sum(rate({prometheus.BATCHES}[5m]))"}),
        _panel("Servers that answer", "short", {"servers": f'sum(up{{job="{containers.NAME}"}})'}),
        _panel("Attempts to load a version", "short", {"{{model_path}} {{status}}": f"sum by (model_path, status) ({prometheus.LOADS})"}),
    ]


def _panel(title: str, unit: str, expressions: dict[str, str], limit: float | None = None) -> dict[str, Any]:
    steps = [{"color": "green", "value": None}] + ([] if limit is None else [{"color": "red", "value": limit}])
    return {
        "title": title,
        "type": "timeseries",
        "datasource": _SOURCE,
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
                "custom": {"thresholdsStyle": {"mode": "off" if limit is None else "line"}},
            },
            "overrides": [],
        },
        "options": {"tooltip": {"mode": "multi"}, "legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {"refId": chr(ord("A") + i), "datasource": _SOURCE, "expr": expression, "legendFormat": legend}
            for i, (legend, expression) in enumerate(expressions.items())
        ],
    }
