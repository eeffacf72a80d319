import dataclasses
import re

import pytest
import yaml

from export.kit import grafana, prometheus

KNOWN = {
    ":tensorflow:serving:request_count": {"model_name", "status"},
    ":tensorflow:serving:request_latency": {"model_name", "API", "entrypoint"},
    ":tensorflow:serving:runtime_latency": {"model_name", "API", "runtime"},
    ":tensorflow:serving:batching_session:queuing_latency": {"thread_pool_name"},
    ":tensorflow:serving:batching_session:wrapped_run_count": set(),
    ":tensorflow:cc:saved_model:load_attempt_count": {"model_path", "status"},
    "up": set(),
}
"""TF Serving's metrics and their labels, as its sources declare them; `/` becomes `:` on its Prometheus page."""
HISTOGRAMS = {name for name in KNOWN if name.endswith("latency")}
TARGET = {"job", "instance", "le", "pod", "namespace"}
"""Labels that Prometheus itself adds."""
WORDS = {"sum", "by", "rate", "increase", "absent", "histogram_quantile"}


def check(expression):
    """That the expression balances its brackets and names only metrics and labels that there are."""
    bare = re.sub(r'"[^"]*"', "", expression)
    for opened, closed in ("()", "{}", "[]"):
        assert bare.count(opened) == bare.count(closed)
    for name, selector in re.findall(r"(:[a-z_:]+|\bup\b)(\{[^}]*\})?", bare):
        base = re.sub("_(bucket|sum|count)$", "", name) if re.sub("_(bucket|sum|count)$", "", name) in HISTOGRAMS else name
        assert base in KNOWN, name
        assert (name != base) == (base in HISTOGRAMS), f"{name} is of a histogram: _bucket, _sum or _count"
        assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", selector)) <= KNOWN[base] | TARGET
    grouped = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", bare))))
    assert grouped <= set().union(*KNOWN.values()) | TARGET
    functions = set(re.findall(r"\b([a-z_]+)\b ?(?=\()", re.sub(r":[a-z_:]+", "", bare)))
    assert functions <= WORDS, functions


def rules(folder):
    (group,) = yaml.safe_load(prometheus.alerts(folder.served))["groups"]
    return group["rules"]


def test_every_rule_has_the_fields_of_an_alerting_rule_and_an_expression_over_known_metrics(folder):
    for rule in rules(folder):
        assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch("[A-Za-z]+", rule["alert"]) and re.fullmatch(r"\d+m", rule["for"])
        assert set(rule["annotations"]) == {"summary", "description"}
        check(rule["expr"])


@pytest.mark.parametrize(
    "wrong",
    [
        "rate(:tensorflow:serving:requests[5m])",
        "rate(:tensorflow:serving:request_latency[5m])",
        'rate(:tensorflow:serving:request_count{model="toy"}[5m])',
        "sum by (model) (rate(:tensorflow:serving:request_count[5m]))",
        "rate(:tensorflow:serving:request_count[5m]",
        "avarage(:tensorflow:serving:request_count)",
    ],
)
def test_the_check_of_expressions_would_find_a_mistake(wrong):
    with pytest.raises(AssertionError):
        check(wrong)


def test_there_is_an_alert_for_everything_that_users_notice(folder):
    names = [rule["alert"] for rule in rules(folder)]
    assert {"TfganServingDown", "TfganServingNoVersion", "TfganServingLoadFails", "TfganServingErrors", "TfganServingQueueing"} <= set(names)
    assert names.count("TfganServingSlow") == len(folder.served.models)


def test_the_limits_of_latency_are_in_microseconds_as_the_metrics_are(folder):
    slow = {re.search('model_name="([a-z]+)"', rule["expr"]).group(1): rule["expr"] for rule in rules(folder) if rule["alert"] == "TfganServingSlow"}
    assert slow["toy"].endswith("> 1008000")  # 4 x (0.25 s + 2 ms)
    assert slow["other"].endswith("> 250000")


def test_what_clients_get_wrong_is_no_error_of_the_server():
    pattern = re.fullmatch(r'status!~"(.*)"', prometheus.SERVERS_FAULT).group(1)
    clients = ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "CANCELLED", "FAILED_PRECONDITION", "UNIMPLEMENTED", "OUT_OF_RANGE")
    faults = ("UNAVAILABLE", "INTERNAL", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "UNKNOWN", "ABORTED", "DATA_LOSS")
    assert [status for status in clients + faults if not re.fullmatch(pattern, status)] == list(faults)


def test_the_alert_on_servers_that_do_not_answer_names_every_cause(folder):
    (down,) = [rule for rule in rules(folder) if rule["alert"] == "TfganServingDown"]
    assert "cannot load" in down["annotations"]["description"] and "busy with requests" in down["annotations"]["description"]


def test_the_metrics_are_read_where_the_server_has_them(folder):
    of = dataclasses.replace(folder.served, metrics_path="/elsewhere")
    for write in (prometheus.scrape_kubernetes, prometheus.scrape_static):
        (job,) = yaml.safe_load(write(of))["scrape_configs"]
        assert job["metrics_path"] == "/elsewhere" and job["job_name"] == "tfgan-serving"


def test_in_the_cluster_the_rest_port_of_the_deployments_pods_is_scraped(folder):
    (job,) = yaml.safe_load(prometheus.scrape_kubernetes(folder.served))["scrape_configs"]
    kept = {rule["source_labels"][0]: rule["regex"] for rule in job["relabel_configs"] if rule.get("action") == "keep"}
    assert kept == {
        "__meta_kubernetes_pod_label_app_kubernetes_io_name": "tfgan-serving",
        "__meta_kubernetes_pod_container_port_name": "rest",
    }


def test_the_dashboards_expressions_are_over_known_metrics(folder):
    import json

    for panel in json.loads(grafana.dashboard(folder.served))["panels"]:
        for target in panel["targets"]:
            check(target["expr"].replace("$model", "toy"))
