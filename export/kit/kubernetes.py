"""Kubernetes manifests for the image of `containers.dockerfile`: Deployment, Services, HorizontalPodAutoscaler, PodDisruptionBudget."""

import math
from typing import Any

from export.kit import containers, resources, served

_LABELS = {"app.kubernetes.io/name": containers.NAME}
_PROBE_SECONDS = 5
_LEAST_REPLICAS, _MOST_REPLICAS = 2, 10
_BUSY_PERCENT = 70
"""Of the cores asked for; above it replicas are added."""


def deployment(of: served.Served) -> str:
    """The servers."""
    need = resources.needs(of)
    pod = {
        "automountServiceAccountToken": False,
        "shareProcessNamespace": True,
        "terminationGracePeriodSeconds": need.drain_seconds + 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": containers.USER,
            "runAsGroup": containers.USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": _LABELS},
            }
        ],
        "containers": [_container(of, need)],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}],
    }
    spec = {
        "selector": {"matchLabels": _LABELS},
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "template": {"metadata": {"labels": _LABELS}, "spec": pod},
    }
    return _text(
        f"""\
The image holds the models. From the folder above deploy/:
  docker build -f deploy/Dockerfile -t REGISTRY/{containers.image(of)} . && docker push REGISTRY/{containers.image(of)}
and put its name below. To promote or roll back: tfgan-serving, build, push, kubectl set image; the old pods answer until the new ones do.
The number of replicas is the autoscaler's, so it is not stated here.
A pod is ready when {_path(of)} answers: the ports open when every model is loaded and warm.
shareProcessNamespace: the server is then not the first process, which ignores signals that it does not handle.
There is no cpu limit: throttling in the middle of a batch is latency, and unused cores are free. Batches run on as many threads as the node has
cores; on large nodes set num_batch_threads {{ value: {need.cores} }} in batching.config, or the memory below is too little.
""",
        (*need.explained,),
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": _metadata(), "spec": spec},
    )


def service(of: served.Served) -> str:
    """The address of the servers, and one that lists them all."""
    ports = [
        {"name": "grpc", "port": containers.GRPC_PORT, "targetPort": "grpc", "appProtocol": "grpc"},
        {"name": "rest", "port": containers.REST_PORT, "targetPort": "rest", "appProtocol": "http"},
    ]
    return _text(
        f"""\
REST clients ask {containers.NAME}:{containers.REST_PORT}.
A gRPC client keeps one connection, so behind {containers.NAME} it stays with one pod. Let it ask
dns:///{containers.NAME}-pods:{containers.GRPC_PORT} with the policy round_robin instead: that name lists all pods.
tfgan-client takes such an address. The server ends connections after a while (grpc.max_connection_age_ms), so that clients look the name up again
and find new pods.
""",
        (),
        {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(), "spec": {"selector": _LABELS, "ports": ports}},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _metadata("-pods"),
            "spec": {"clusterIP": "None", "selector": _LABELS, "ports": ports[:1]},
        },
    )


def autoscaler(of: served.Served) -> str:
    """More servers under load."""
    del of
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": containers.NAME},
        "minReplicas": _LEAST_REPLICAS,
        "maxReplicas": _MOST_REPLICAS,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": _BUSY_PERCENT}}}],
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 300, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}},
    }
    return _text(
        "A generator computes as long as it has requests, so its processor says when it is busy. Needs the cluster's metrics server.\n",
        (),
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": _metadata(), "spec": spec},
    )


def disruption_budget(of: served.Served) -> str:
    """Nodes are emptied one server at a time."""
    del of
    spec = {"maxUnavailable": 1, "unhealthyPodEvictionPolicy": "AlwaysAllow", "selector": {"matchLabels": _LABELS}}
    return _text(
        "Nodes are emptied one pod at a time; a pod that does not answer anyway holds nobody up.\n",
        (),
        {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": _metadata(), "spec": spec},
    )


def _container(of: served.Served, need: resources.Needs) -> dict[str, Any]:
    memory = f"{need.memory_bytes // 2**20}Mi"
    state = {"httpGet": {"path": _path(of), "port": "rest"}, "periodSeconds": _PROBE_SECONDS, "timeoutSeconds": containers.CHECK_SECONDS}
    return {
        "name": "server",
        "image": containers.image(of),
        "ports": [{"name": "grpc", "containerPort": containers.GRPC_PORT}, {"name": "rest", "containerPort": containers.REST_PORT}],
        "startupProbe": state | {"failureThreshold": math.ceil(need.start_seconds / _PROBE_SECONDS)},
        "readinessProbe": state | {"failureThreshold": containers.CHECKS},
        "livenessProbe": {"tcpSocket": {"port": "grpc"}, "periodSeconds": 10, "timeoutSeconds": 5, "failureThreshold": 6},
        "lifecycle": {"preStop": {"exec": {"command": ["sleep", str(need.drain_seconds)]}}},
        "resources": {"requests": {"cpu": str(need.cores), "memory": memory}, "limits": {"memory": memory}},
        "securityContext": {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
    }


def _path(of: served.Served) -> str:
    return f"/v1/models/{of.models[0].name}"


def _metadata(suffix: str = "") -> dict[str, Any]:
    return {"name": containers.NAME + suffix, "labels": _LABELS}


def _text(header: str, explained: tuple[str, ...], *documents: dict[str, Any]) -> str:
    comment = "".join(f"# {line}\n" for line in (*header.splitlines(), *explained))
    return comment + "---\n".join(containers.dump(document) for document in documents)
