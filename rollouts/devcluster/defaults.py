"""Which values does the API server fill in for built-in kinds?"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from rollouts.devcluster.objects import labels_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollouts.devcluster.objects import Object


def _fill(obj: Object, **values: Any) -> None:
    for name, value in values.items():
        obj.setdefault(name, value)


def _probe(probe: Object) -> None:
    _fill(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if isinstance(probe.get("httpGet"), dict):
        _fill(probe["httpGet"], scheme="HTTP", path="/")


def _container(container: Object) -> None:
    image = container.get("image", "")
    tag = image.rpartition("/")[2].partition(":")[2]
    untagged = not tag and "@" not in image
    _fill(
        container,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy="Always" if untagged or tag == "latest" else "IfNotPresent",
        resources={},
    )
    for port in container.get("ports") or []:
        _fill(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(container.get(name), dict):
            _probe(container[name])
    for variable in container.get("env") or []:
        source = (variable.get("valueFrom") or {}).get("fieldRef")
        if isinstance(source, dict):
            _fill(source, apiVersion="v1")
    limits = container["resources"].get("limits")
    if limits:
        container["resources"]["requests"] = {**limits, **(container["resources"].get("requests") or {})}


def _volume(volume: Object) -> None:
    if volume.keys() == {"name"}:
        volume["emptyDir"] = {}
    for source in ("configMap", "secret", "downwardAPI", "projected"):
        if isinstance(volume.get(source), dict):
            _fill(volume[source], defaultMode=420)
    if isinstance(volume.get("hostPath"), dict):
        _fill(volume["hostPath"], type="")


def fill_pod_spec(spec: Object) -> None:
    """Fill in a pod's spec."""
    _fill(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    if spec.get("serviceAccountName"):
        _fill(spec, serviceAccount=spec["serviceAccountName"])
    for name in ("containers", "initContainers"):
        for container in spec.get(name) or []:
            _container(container)
    for volume in spec.get("volumes") or []:
        _volume(volume)


def _template(spec: Object) -> None:
    template = spec.get("template")
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        template.setdefault("metadata", {})
        fill_pod_spec(template["spec"])


def _pod(obj: Object) -> None:
    fill_pod_spec(obj.setdefault("spec", {}))
    _fill(obj["spec"], enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority", priority=0)
    _fill(obj["spec"], serviceAccountName="default", serviceAccount="default")
    obj.setdefault("status", {}).setdefault("phase", "Pending")
    obj["status"].setdefault("qosClass", "BestEffort")


def _replica_set(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _fill(spec, replicas=1)
    _template(spec)
    obj.setdefault("status", {}).setdefault("replicas", 0)


def _deployment(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _fill(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _fill(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
        _fill(strategy["rollingUpdate"], maxSurge="25%", maxUnavailable="25%")
    _template(spec)
    obj.setdefault("status", {})


def _job(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    if spec.get("completions") is None and spec.get("parallelism") is None:
        _fill(spec, completions=1)
    _fill(
        spec,
        parallelism=1,
        backoffLimit=6,
        completionMode="NonIndexed",
        suspend=False,
        manualSelector=False,
        podReplacementPolicy="TerminatingOrFailed",
    )
    _template(spec)
    obj.setdefault("status", {})


def select_by_uid(obj: Object) -> None:
    """Give a Job the selector and the pod labels that only it has, as the server does at creation."""
    spec, meta = obj["spec"], obj["metadata"]
    if spec.get("manualSelector") or not isinstance(spec.get("template"), dict):
        return
    unique = {"batch.kubernetes.io/controller-uid": meta["uid"]}
    named = {"batch.kubernetes.io/job-name": meta["name"], "controller-uid": meta["uid"], "job-name": meta["name"]}
    template = spec["template"]
    template.setdefault("metadata", {})
    template["metadata"]["labels"] = {**(labels_of(template)), **unique, **named}
    _fill(spec, selector={"matchLabels": unique})


def _service(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    _fill(spec, type="ClusterIP", sessionAffinity="None")
    if spec["type"] != "ExternalName":
        _fill(spec, ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack", internalTrafficPolicy="Cluster")
    for port in spec.get("ports") or []:
        _fill(port, protocol="TCP")
        if "port" in port and spec["type"] != "ExternalName":
            _fill(port, targetPort=port["port"])
    obj.setdefault("status", {}).setdefault("loadBalancer", {})


def _namespace(obj: Object) -> None:
    name = obj["metadata"].get("name", "")
    obj["metadata"]["labels"] = {**labels_of(obj), "kubernetes.io/metadata.name": name}
    obj.setdefault("spec", {}).setdefault("finalizers", ["kubernetes"])
    obj.setdefault("status", {}).setdefault("phase", "Active")


def _secret(obj: Object) -> None:
    _fill(obj, type="Opaque")
    texts = obj.pop("stringData", None)
    if texts:
        encoded = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


def _autoscaler(obj: Object) -> None:
    _fill(obj.setdefault("spec", {}), minReplicas=1)
    obj.setdefault("status", {})


def _custom_resource_definition(obj: Object) -> None:
    spec = obj.setdefault("spec", {})
    names = spec.setdefault("names", {})
    kind = names.get("kind", "")
    _fill(names, listKind=f"{kind}List", singular=kind.lower())
    _fill(spec, conversion={"strategy": "None"})


def _role_binding(obj: Object) -> None:
    for subject in obj.get("subjects") or []:
        named = subject.get("kind") in {"User", "Group"}
        _fill(subject, **({"apiGroup": "rbac.authorization.k8s.io"} if named else {}))


FILL: dict[str, Callable[[Object], None]] = {
    "Pod": _pod,
    "PodTemplate": _template,
    "ReplicaSet": _replica_set,
    "Deployment": _deployment,
    "Job": _job,
    "Service": _service,
    "Namespace": _namespace,
    "Secret": _secret,
    "HorizontalPodAutoscaler": _autoscaler,
    "CustomResourceDefinition": _custom_resource_definition,
    "RoleBinding": _role_binding,
    "ClusterRoleBinding": _role_binding,
}
