"""Is a built-in object valid? The rules whose breach a user of workloads meets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollouts.devcluster.errors import (
    Cause,
    duplicate_value,
    forbidden_value,
    missing_value,
    shown,
    unsupported_value,
    wrong_value,
)
from rollouts.devcluster.names import LABEL_TEXT, is_label, label_causes
from rollouts.devcluster.objects import labels_of, value_at
from rollouts.devcluster.selectors import selects

if TYPE_CHECKING:
    from collections.abc import Callable

    from rollouts.devcluster.objects import Object

_AT_LEAST_0 = "must be greater than or equal to 0"
_MISMATCH = "`selector` does not match template `labels`"
_IMMUTABLE = "field is immutable"


def not_negative(field: str, spec: Object, *names: str) -> list[Cause]:
    """Check that counts are not negative."""
    return [
        wrong_value(f"{field}.{name}", spec[name], _AT_LEAST_0)
        for name in names
        if isinstance(spec.get(name), int) and spec[name] < 0
    ]


def _container_causes(field: str, container: Object, *, volumes: set[str]) -> list[Cause]:
    causes = _container_name_causes(f"{field}.name", container.get("name") or "")
    image = container.get("image") or ""
    if not image:
        causes.append(missing_value(f"{field}.image"))
    elif image != image.strip():
        causes.append(wrong_value(f"{field}.image", image, "must not have leading or trailing whitespace"))
    policies = ["Always", "IfNotPresent", "Never"]
    if container.get("imagePullPolicy") not in policies:
        causes.append(unsupported_value(f"{field}.imagePullPolicy", container.get("imagePullPolicy"), policies))
    for index, port in enumerate(container.get("ports") or []):
        causes += _port_causes(f"{field}.ports[{index}]", port)
    nameless = [index for index, each in enumerate(container.get("env") or []) if not each.get("name")]
    causes += [missing_value(f"{field}.env[{index}].name") for index in nameless]
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount.get("name") not in volumes:
            where = f"{field}.volumeMounts[{index}].name"
            causes.append(Cause(where, "FieldValueNotFound", f"Not found: {shown(mount.get('name', ''))}"))
    return causes


def _container_name_causes(field: str, name: str) -> list[Cause]:
    if not name:
        return [missing_value(field)]
    if is_label(name):
        return []
    return [wrong_value(field, name, LABEL_TEXT if len(name) <= 63 else "must be no more than 63 characters")]


def _port_causes(field: str, port: Object) -> list[Cause]:
    number = port.get("containerPort")
    causes = []
    if not number:
        causes.append(missing_value(f"{field}.containerPort"))
    elif not 1 <= number <= 65535:
        causes.append(wrong_value(f"{field}.containerPort", number, "must be between 1 and 65535, inclusive"))
    if port.get("protocol") not in {"TCP", "UDP", "SCTP"}:
        causes.append(unsupported_value(f"{field}.protocol", port.get("protocol"), ["SCTP", "TCP", "UDP"]))
    return causes


def pod_spec_causes(field: str, spec: Object) -> list[Cause]:
    """Check a pod's spec."""
    causes: list[Cause] = []
    volumes = {volume.get("name", "") for volume in spec.get("volumes") or []}
    if not spec.get("containers"):
        causes.append(missing_value(f"{field}.containers"))
    names = [volume.get("name") for volume in spec.get("volumes") or []]
    repeated = [index for index, name in enumerate(names) if name in names[:index]]
    causes += [duplicate_value(f"{field}.volumes[{index}].name", names[index]) for index in repeated]
    seen: set[str] = set()
    for group in ("containers", "initContainers"):
        for index, container in enumerate(spec.get(group) or []):
            where = f"{field}.{group}[{index}]"
            causes += _container_causes(where, container, volumes=volumes)
            name = container.get("name")
            if name and name in seen:
                causes.append(duplicate_value(f"{where}.name", name))
            seen.add(name or "")
    if spec.get("restartPolicy") not in {"Always", "OnFailure", "Never"}:
        policies = ["Always", "OnFailure", "Never"]
        causes.append(unsupported_value(f"{field}.restartPolicy", spec.get("restartPolicy"), policies))
    return causes + not_negative(field, spec, "terminationGracePeriodSeconds")


def _template_causes(spec: Object, policies: list[str]) -> list[Cause]:
    template = spec.get("template") or {}
    causes = label_causes("spec.template.labels", labels_of(template))
    pod = template.get("spec") or {}
    causes += pod_spec_causes("spec.template.spec", pod)
    if pod.get("restartPolicy", policies[0]) not in policies:
        causes.append(unsupported_value("spec.template.spec.restartPolicy", pod["restartPolicy"], policies))
    return list(dict.fromkeys(causes))


def _selector_causes(spec: Object) -> list[Cause]:
    selector = spec.get("selector")
    if selector is None:
        return [missing_value("spec.selector")]
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        return [wrong_value("spec.selector", selector, "empty selector is invalid for deployment")]
    causes = label_causes("spec.selector.matchLabels", selector.get("matchLabels"))
    for index, each in enumerate(selector.get("matchExpressions") or []):
        causes += _expression_causes(f"spec.selector.matchExpressions[{index}]", each)
    if causes:
        return causes
    labels = labels_of(spec.get("template") or {})
    if not selects(selector, labels):
        return [wrong_value("spec.template.metadata.labels", labels, _MISMATCH)]
    return []


def _expression_causes(field: str, expression: Object) -> list[Cause]:
    operator, values = expression.get("operator"), expression.get("values")
    if operator in {"In", "NotIn"}:
        text = "must be specified when `operator` is 'In' or 'NotIn'"
        return [] if values else [missing_value(f"{field}.values", text)]
    if operator in {"Exists", "DoesNotExist"}:
        text = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
        return [forbidden_value(f"{field}.values", text)] if values else []
    return [wrong_value(f"{field}.operator", operator, "not a valid selector operator")]


def _replica_set(obj: Object, before: Object | None) -> list[Cause]:
    spec = obj["spec"]
    causes = not_negative("spec", spec, "replicas", "minReadySeconds")
    causes += _selector_causes(spec)
    causes += _template_causes(spec, ["Always"])
    return causes + _immutable_selector(obj, before)


def _immutable_selector(obj: Object, before: Object | None) -> list[Cause]:
    if before is None or obj["spec"].get("selector") == before["spec"].get("selector"):
        return []
    return [wrong_value("spec.selector", obj["spec"].get("selector"), _IMMUTABLE)]


def _int_or_percent_causes(field: str, value: Any) -> list[Cause]:
    if isinstance(value, int):
        return [wrong_value(field, value, _AT_LEAST_0)] if value < 0 else []
    if isinstance(value, str) and value.endswith("%") and value[:-1].isascii() and value[:-1].isdigit():
        return []
    text = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', "
    return [wrong_value(field, value, text + "regex used for validation is '[0-9]+%')")]


def _deployment(obj: Object, before: Object | None) -> list[Cause]:
    spec = obj["spec"]
    causes = not_negative(
        "spec", spec, "replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"
    )
    causes += _selector_causes(spec)
    kind = spec["strategy"].get("type")
    if kind not in {"Recreate", "RollingUpdate"}:
        causes.append(unsupported_value("spec.strategy.type", kind, ["Recreate", "RollingUpdate"]))
    rolling = spec["strategy"].get("rollingUpdate")
    if kind == "Recreate" and rolling is not None:
        text = "may not be specified when strategy `type` is 'Recreate'"
        causes.append(forbidden_value("spec.strategy.rollingUpdate", text))
    if kind == "RollingUpdate" and rolling:
        for name in ("maxUnavailable", "maxSurge"):
            causes += _int_or_percent_causes(f"spec.strategy.rollingUpdate.{name}", rolling.get(name))
        if all(rolling.get(name) in {0, "0%"} for name in ("maxUnavailable", "maxSurge")):
            text = "may not be 0 when `maxSurge` is 0"
            where = "spec.strategy.rollingUpdate.maxUnavailable"
            causes.append(wrong_value(where, rolling.get("maxUnavailable"), text))
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        text = "must be greater than minReadySeconds"
        causes.append(wrong_value("spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"], text))
    causes += _template_causes(spec, ["Always"])
    return causes + _immutable_selector(obj, before)


def _job(obj: Object, before: Object | None) -> list[Cause]:
    spec = obj["spec"]
    counts = ("completions", "parallelism", "backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished")
    causes = not_negative("spec", spec, *counts)
    causes += _template_causes(spec, ["OnFailure", "Never"])
    if before is not None:
        fields = [
            name for name in ("selector", "template", "completionMode") if spec.get(name) != before["spec"].get(name)
        ]
        causes += [wrong_value(f"spec.{name}", spec.get(name), _IMMUTABLE) for name in fields]
    return causes


def _pod(obj: Object, before: Object | None) -> list[Cause]:
    causes = pod_spec_causes("spec", obj["spec"])
    if before is not None and _frozen_pod_spec(obj["spec"]) != _frozen_pod_spec(before["spec"]):
        text = (
            "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
        )
        causes.append(forbidden_value("spec", text))
    return causes


def _frozen_pod_spec(spec: Object) -> Object:
    frozen = {name: value for name, value in spec.items() if name not in {"activeDeadlineSeconds", "tolerations"}}
    for group in ("containers", "initContainers"):
        frozen[group] = [{**each, "image": ""} for each in spec.get(group) or []]
    return frozen


def _service(obj: Object, before: Object | None) -> list[Cause]:
    spec = obj["spec"]
    causes = label_causes("spec.selector", spec.get("selector"))
    kinds = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"]
    if spec["type"] not in kinds:
        causes.append(unsupported_value("spec.type", spec["type"], kinds))
    ports = spec.get("ports") or []
    if not ports and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        causes.append(missing_value("spec.ports"))
    for index, port in enumerate(ports):
        where = f"spec.ports[{index}]"
        if len(ports) > 1 and not port.get("name"):
            causes.append(missing_value(f"{where}.name"))
        if not 1 <= port.get("port", 0) <= 65535:
            causes.append(wrong_value(f"{where}.port", port.get("port", 0), "must be between 1 and 65535, inclusive"))
    address = value_at(before, ("spec", "clusterIP")) if before else None
    if address and spec.get("clusterIP") != address:
        causes.append(wrong_value("spec.clusterIPs[0]", [spec.get("clusterIP")], "may not change once set"))
    return causes


def _disruption_budget(obj: Object, _before: Object | None) -> list[Cause]:
    spec = obj.get("spec") or {}
    causes: list[Cause] = []
    if "minAvailable" in spec and "maxUnavailable" in spec:
        causes.append(wrong_value("spec", spec, "minAvailable and maxUnavailable cannot be both set"))
    for name in ("minAvailable", "maxUnavailable"):
        if name in spec:
            causes += _int_or_percent_causes(f"spec.{name}", spec[name])
    return causes


def _event(obj: Object, _before: Object | None) -> list[Cause]:
    about = value_at(obj, ("involvedObject", "namespace")) or "default"
    if about == obj["metadata"].get("namespace"):
        return []
    return [wrong_value("involvedObject.namespace", about, "does not match event.namespace")]


def _lease(obj: Object, _before: Object | None) -> list[Cause]:
    seconds = value_at(obj, ("spec", "leaseDurationSeconds"))
    if seconds is None or seconds > 0:
        return []
    return [wrong_value("spec.leaseDurationSeconds", seconds, "must be greater than 0")]


VALIDATE: dict[str, Callable[[Object, Object | None], list[Cause]]] = {
    "Pod": _pod,
    "ReplicaSet": _replica_set,
    "Deployment": _deployment,
    "Job": _job,
    "Service": _service,
    "PodDisruptionBudget": _disruption_budget,
    "Event": _event,
    "Lease": _lease,
}
