"""The manifests fit the worker: its settings, ports, paths, and the time that it needs to end."""

from typing import Any

import pytest

from agent.aftercare import afterwards
from agent.settings import load_settings
from agent.worker import drain, worker
from tests.deploy.files import DEPLOY, documents, is_setting, series

ROOT_FILE = "kubernetes/kustomization.yaml"
FILES = [f"kubernetes/{name}" for name in documents(ROOT_FILE)[0]["resources"]]
# Passwords and keys, also of providers.
SECRET_ENDINGS = ("_KEY", "_SECRET", "_TOKEN", "_HEADERS")


def only(path: str) -> dict[str, Any]:
    (document,) = documents(f"kubernetes/{path}")
    return document


@pytest.fixture(scope="module")
def pod() -> dict[str, Any]:
    spec: dict[str, Any] = only("deployment.yaml")["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    (made,) = pod["containers"]
    return dict(made)


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    """What the ConfigMap sets."""
    return dict(only("configmap.yaml")["data"])


def test_every_manifest_is_applied() -> None:
    """A file that the kustomization forgets would be applied by nobody."""
    there = {f"kubernetes/{file.name}" for file in (DEPLOY / "kubernetes").glob("*.yaml")}
    assert there == {ROOT_FILE, *FILES}


def test_the_variables_are_settings_and_their_values_can_be_used(
    container: dict[str, Any], settings: dict[str, str]
) -> None:
    """A variable that the worker does not read, or a value that it refuses, is found before a deploy."""
    secret = {entry["name"]: "whsec_" + "A" * 32 for entry in container["env"]}
    secret["JOURNAL_URL"] = "rediss://me:secret@redis.example.com:6379/0"
    assert [name for name in (*settings, *secret) if not is_setting(name)] == []
    load_settings({**secret, **settings}, None)


def test_no_secret_is_in_a_manifest(container: dict[str, Any], settings: dict[str, str]) -> None:
    """Keys come from a Secret, which is made elsewhere, by their own names."""
    for entry in container["env"]:
        assert entry["valueFrom"]["secretKeyRef"]["key"] == entry["name"]
    assert [name for name in settings if name.endswith(SECRET_ENDINGS)] == []
    assert "Secret" not in {document["kind"] for file in FILES for document in documents(file)}


def test_a_pod_is_given_the_time_to_drain(pod: dict[str, Any], settings: dict[str, str]) -> None:
    """Calls, their last words, deliveries and notices: nothing of it is cut off by a SIGKILL."""
    after = worker.JOB_SHUTDOWN_TIMEOUT_S + drain.LAST_DELIVERY_S + 2 * afterwards.FINISH_S
    assert pod["terminationGracePeriodSeconds"] > float(settings["DRAIN_SECONDS"]) + after


def test_the_probes_ask_what_the_worker_answers(container: dict[str, Any]) -> None:
    """Whether it lives decides about a kill, whether it is ready about a deploy; the port is the image's."""
    (port,) = container["ports"]
    assert port["containerPort"] == load_settings({}, None).worker_port
    paths = {name: container[name]["httpGet"]["path"] for name in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
    assert {container[name]["httpGet"]["port"] for name in paths} == {port["name"]}


def test_the_pod_is_confined(pod: dict[str, Any], container: dict[str, Any]) -> None:
    """The image's user, nothing to write but its data and /tmp, no privileges, no token of the cluster."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    user = next(line for line in (DEPLOY.parent / "Dockerfile").read_text().splitlines() if line.startswith("USER "))
    assert user == f"USER {pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}"
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    written = {mount["mountPath"] for mount in container["volumeMounts"] if not mount.get("readOnly")}
    assert written == {"/data", "/tmp"}
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


def test_a_deploy_takes_no_worker_away_before_its_successor_is_ready() -> None:
    """There is always room for a call."""
    assert only("deployment.yaml")["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert only("disruption-budget.yaml")["spec"]["maxUnavailable"] == 1


def test_the_autoscaler_follows_the_load_that_livekit_is_told(settings: dict[str, str]) -> None:
    """It adds workers before those that are there take no more calls."""
    spec = only("autoscaler.yaml")["spec"]
    (metric,) = spec["metrics"]
    assert metric["pods"]["metric"]["name"] in series()
    assert metric["pods"]["metric"]["name"] == "voice_agent_load"
    milli = metric["pods"]["target"]["averageValue"]
    assert milli.endswith("m")
    assert int(milli[:-1]) / 1000 < float(settings["WORKER_MAX_LOAD"])
    assert spec["minReplicas"] >= 2
    assert spec["scaleTargetRef"]["name"] == only("deployment.yaml")["metadata"]["name"]


def test_all_speak_of_the_same_pods() -> None:
    """The budget and the policy select what the deployment makes."""
    labels = only("deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    assert only("deployment.yaml")["spec"]["selector"]["matchLabels"] == labels
    assert only("disruption-budget.yaml")["spec"]["selector"]["matchLabels"] == labels
    assert only("network-policy.yaml")["spec"]["podSelector"]["matchLabels"] == labels


def test_only_the_metrics_can_be_reached_and_the_clouds_credentials_cannot(container: dict[str, Any]) -> None:
    """Nobody needs to connect to a worker; it never asks the address where clouds hand out keys of the node."""
    spec = only("network-policy.yaml")["spec"]
    assert sorted(spec["policyTypes"]) == ["Egress", "Ingress"]
    ports = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
    assert ports == [container["ports"][0]["containerPort"]]
    blocks = [to["ipBlock"] for rule in spec["egress"] for to in rule["to"] if "ipBlock" in to]
    assert [block["except"] for block in blocks if block["cidr"] == "0.0.0.0/0"] == [["169.254.0.0/16"]]
