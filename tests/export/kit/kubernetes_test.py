import kubernetes_validate
import pytest
import yaml

from export.kit import containers, kubernetes, resources

MANIFESTS = (kubernetes.deployment, kubernetes.service, kubernetes.autoscaler, kubernetes.disruption_budget)


def documents(manifest, folder):
    return list(yaml.safe_load_all(manifest(folder.served)))


def pod(folder):
    (deployment,) = documents(kubernetes.deployment, folder)
    return deployment["spec"]["template"]["spec"]


@pytest.mark.parametrize("manifest", MANIFESTS)
@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
def test_every_manifest_is_strictly_valid(folder, manifest, version):
    for document in documents(manifest, folder):
        kubernetes_validate.validate(document, version, strict=True)


def test_the_validator_would_find_a_wrong_field(folder):
    (document,) = documents(kubernetes.deployment, folder)
    document["spec"]["template"]["spec"]["containers"][0]["readinesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, "1.30", strict=True)


def test_the_kinds_are_those_of_a_service_in_production(folder):
    kinds = [(document["apiVersion"], document["kind"]) for manifest in MANIFESTS for document in documents(manifest, folder)]
    assert kinds == [
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
        ("v1", "Service"),
        ("autoscaling/v2", "HorizontalPodAutoscaler"),
        ("policy/v1", "PodDisruptionBudget"),
    ]


def test_every_selector_selects_the_pods(folder):
    deployment, service, pods, scaler, budget = (document for manifest in MANIFESTS for document in documents(manifest, folder))
    labels = deployment["spec"]["template"]["metadata"]["labels"].items()
    assert deployment["spec"]["selector"]["matchLabels"].items() <= labels
    assert service["spec"]["selector"].items() <= labels and pods["spec"]["selector"].items() <= labels
    assert budget["spec"]["selector"]["matchLabels"].items() <= labels
    assert scaler["spec"]["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert pods["spec"]["clusterIP"] == "None"


def test_the_number_of_replicas_is_left_to_the_autoscaler_and_more_than_one(folder):
    deployment, *_ = documents(kubernetes.deployment, folder)
    (scaler,) = documents(kubernetes.autoscaler, folder)
    assert "replicas" not in deployment["spec"]
    assert 2 <= scaler["spec"]["minReplicas"] <= scaler["spec"]["maxReplicas"]


def test_probes_ask_for_the_models_state_and_leave_time_to_load(folder):
    (server,) = pod(folder)["containers"]
    for probe in ("startupProbe", "readinessProbe"):
        assert server[probe]["httpGet"] == {"path": "/v1/models/toy", "port": "rest"}
    assert (server["readinessProbe"]["timeoutSeconds"], server["readinessProbe"]["failureThreshold"]) == (10, 6)  # it waits behind requests
    assert server["livenessProbe"]["tcpSocket"] == {"port": "grpc"}
    ports = {port["name"]: port["containerPort"] for port in server["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    startup = server["startupProbe"]
    assert startup["failureThreshold"] * startup["periodSeconds"] >= resources.needs(folder.served).start_seconds


def test_a_pod_ends_only_after_its_requests_are_answered(folder):
    (server,) = pod(folder)["containers"]
    slept = int(server["lifecycle"]["preStop"]["exec"]["command"][1])
    assert slept == resources.needs(folder.served).drain_seconds
    assert pod(folder)["terminationGracePeriodSeconds"] > slept


def test_the_pod_is_not_root_cannot_write_and_has_no_privileges(folder):
    (server,) = pod(folder)["containers"]
    assert pod(folder)["securityContext"]["runAsNonRoot"] and pod(folder)["securityContext"]["runAsUser"] > 0
    assert pod(folder)["automountServiceAccountToken"] is False
    assert server["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}


def test_the_resources_are_the_derived_ones_and_memory_is_limited(folder):
    (server,) = pod(folder)["containers"]
    need = resources.needs(folder.served)
    memory = f"{need.memory_bytes // 2**20}Mi"
    assert server["resources"] == {"requests": {"cpu": str(need.cores), "memory": memory}, "limits": {"memory": memory}}
    assert server["image"] == containers.image(folder.served)


def test_the_manifest_says_how_its_numbers_came_about(folder):
    text = kubernetes.deployment(folder.served)
    for line in resources.needs(folder.served).explained:
        assert f"# {line}\n" in text
