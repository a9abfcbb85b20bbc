"""Which columns do the built-in kinds have, and what stands in them?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollouts.api.selectors import format_selector
from rollouts.api.timestamps import parse_time
from rollouts.devcluster.objects import is_terminating, is_true, metadata, value_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from rollouts.devcluster.objects import Object

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def elapsed(then: datetime, now: datetime) -> str:
    """Write an age as kubectl does: two units while young, one when old."""
    seconds = int((now - then).total_seconds())
    if seconds < 0:
        return "0s"
    for limit, text in (
        (2 * _MINUTE, f"{seconds}s"),
        (10 * _MINUTE, _two(seconds, _MINUTE, "m", 1, "s")),
        (3 * _HOUR, f"{seconds // _MINUTE}m"),
        (8 * _HOUR, _two(seconds, _HOUR, "h", _MINUTE, "m")),
        (2 * _DAY, f"{seconds // _HOUR}h"),
        (8 * _DAY, _two(seconds, _DAY, "d", _HOUR, "h")),
    ):
        if seconds < limit:
            return text
    return f"{seconds // _DAY}d"


def _two(seconds: int, large: int, letter: str, small: int, second_letter: str) -> str:
    rest = seconds % large // small
    return f"{seconds // large}{letter}" + (f"{rest}{second_letter}" if rest else "")


def age(obj: Object, now: datetime) -> str:
    """Return the age of an object."""
    created = metadata(obj).get("creationTimestamp")
    return elapsed(parse_time(created), now) if created else "<unknown>"


def _at(*path: str, absent: Any = "<none>") -> Callable[[Object, datetime], Any]:
    def read(obj: Object, _now: datetime) -> Any:
        value = value_at(obj, path)
        return absent if value in (None, "") else value

    return read


def _count(*path: str) -> Callable[[Object, datetime], Any]:
    return _at(*path, absent=0)


def _containers(what: str) -> Callable[[Object, datetime], Any]:
    def read(obj: Object, _now: datetime) -> str:
        spec = value_at(obj, ("spec", "template", "spec")) or {}
        return ",".join(each.get(what, "") for each in spec.get("containers") or [])

    return read


def _selector(obj: Object, _now: datetime) -> str:
    selector = obj["spec"].get("selector")
    return format_selector(selector) if selector else "<none>"


def _pod_ready(obj: Object, _now: datetime) -> str:
    statuses = value_at(obj, ("status", "containerStatuses")) or []
    ready = sum(bool(each.get("ready")) for each in statuses)
    return f"{ready}/{len(obj['spec'].get('containers') or [])}"


def pod_summary(obj: Object) -> str:
    """Return the one word that kubectl shows as a pod's status."""
    status = obj.get("status") or {}
    if is_terminating(obj):
        return "Terminating"
    for each in status.get("initContainerStatuses") or []:
        reason = _stopped(each)
        if reason and reason != "Completed":
            return f"Init:{reason}"
    reasons = [reason for each in reversed(status.get("containerStatuses") or []) if (reason := _stopped(each))]
    return str(reasons[-1] if reasons else status.get("reason") or status.get("phase", "Unknown"))


def _stopped(status: Object) -> str:
    state = status.get("state") or {}
    waiting, terminated = state.get("waiting") or {}, state.get("terminated") or {}
    if waiting.get("reason"):
        return str(waiting["reason"])
    return str(terminated.get("reason") or "")


def _pod_status(obj: Object, _now: datetime) -> str:
    return pod_summary(obj)


def _pod_restarts(obj: Object, now: datetime) -> str:
    statuses = value_at(obj, ("status", "containerStatuses")) or []
    count = sum(each.get("restartCount", 0) for each in statuses)
    ended = [value_at(each, ("lastState", "terminated", "finishedAt")) for each in statuses]
    times = sorted(each for each in ended if each)
    return f"{count} ({elapsed(parse_time(times[-1]), now)} ago)" if count and times else str(count)


def _readiness_gates(obj: Object, _now: datetime) -> str:
    gates = obj["spec"].get("readinessGates") or []
    met = sum(is_true(obj, gate["conditionType"]) for gate in gates)
    return f"{met}/{len(gates)}" if gates else "<none>"


def _deployment_ready(obj: Object, _now: datetime) -> str:
    return f"{value_at(obj, ('status', 'readyReplicas')) or 0}/{obj['spec'].get('replicas', 1)}"


def _job_status(obj: Object, _now: datetime) -> str:
    for kind, shown in (("Complete", "Complete"), ("Failed", "Failed"), ("Suspended", "Suspended")):
        if is_true(obj, kind):
            return shown
    return "Terminating" if is_terminating(obj) else "Running"


def _completions(obj: Object, _now: datetime) -> str:
    wanted = obj["spec"].get("completions")
    return f"{value_at(obj, ('status', 'succeeded')) or 0}/{wanted if wanted is not None else '1 of many'}"


def _duration(obj: Object, now: datetime) -> str:
    status = obj.get("status") or {}
    if not status.get("startTime"):
        return ""
    end = parse_time(status["completionTime"]) if status.get("completionTime") else now
    return elapsed(parse_time(status["startTime"]), end)


def _ports(obj: Object, _now: datetime) -> str:
    shown = [f"{port['port']}/{port.get('protocol', 'TCP')}" for port in obj["spec"].get("ports") or []]
    return ",".join(shown) or "<none>"


def _service_selector(obj: Object, _now: datetime) -> str:
    pairs = sorted((obj["spec"].get("selector") or {}).items())
    return ",".join(f"{name}={value}" for name, value in pairs) or "<none>"


def _slice_ports(obj: Object, _now: datetime) -> str:
    return ",".join(str(port.get("port")) for port in obj.get("ports") or []) or "<unset>"


def _slice_endpoints(obj: Object, _now: datetime) -> str:
    addresses = [address for each in obj.get("endpoints") or [] for address in each["addresses"]]
    more = f" + {len(addresses) - 3} more..." if len(addresses) > 3 else ""
    return ",".join(addresses[:3]) + more if addresses else "<unset>"


def _keys(*fields: str) -> Callable[[Object, datetime], Any]:
    return lambda obj, _now: sum(len(obj.get(name) or {}) for name in fields)


def _last_seen(obj: Object, now: datetime) -> str:
    seen = obj.get("lastTimestamp") or obj.get("eventTime") or metadata(obj).get("creationTimestamp")
    return elapsed(parse_time(seen), now) if seen else "<unknown>"


def _involved(obj: Object, _now: datetime) -> str:
    about = obj.get("involvedObject") or {}
    return f"{about.get('kind', '').lower()}/{about.get('name', '')}"


def _created(obj: Object, _now: datetime) -> str:
    return str(metadata(obj).get("creationTimestamp", ""))


def _node_status(obj: Object, _now: datetime) -> str:
    ready = "Ready" if is_true(obj, "Ready") else "NotReady"
    return f"{ready},SchedulingDisabled" if obj.get("spec", {}).get("unschedulable") else ready


def _scale_target(obj: Object, _now: datetime) -> str:
    target = obj["spec"].get("scaleTargetRef") or {}
    return f"{target.get('kind', '')}/{target.get('name', '')}"


_AGE = ("Age", 0, age)
_TEMPLATE = [("Containers", 1, _containers("name")), ("Images", 1, _containers("image")), ("Selector", 1, _selector)]

BUILTIN: dict[str, list[tuple[str, int, Callable[[Object, datetime], Any]]]] = {
    "Namespace": [("Status", 0, _at("status", "phase")), _AGE],
    "Node": [("Status", 0, _node_status), _AGE],
    "Pod": [
        ("Ready", 0, _pod_ready),
        ("Status", 0, _pod_status),
        ("Restarts", 0, _pod_restarts),
        _AGE,
        ("IP", 1, _at("status", "podIP")),
        ("Node", 1, _at("spec", "nodeName")),
        ("Nominated Node", 1, _at("status", "nominatedNodeName")),
        ("Readiness Gates", 1, _readiness_gates),
    ],
    "ReplicaSet": [
        ("Desired", 0, _count("spec", "replicas")),
        ("Current", 0, _count("status", "replicas")),
        ("Ready", 0, _count("status", "readyReplicas")),
        _AGE,
        *_TEMPLATE,
    ],
    "Deployment": [
        ("Ready", 0, _deployment_ready),
        ("Up-to-date", 0, _count("status", "updatedReplicas")),
        ("Available", 0, _count("status", "availableReplicas")),
        _AGE,
        *_TEMPLATE,
    ],
    "Job": [
        ("Status", 0, _job_status),
        ("Completions", 0, _completions),
        ("Duration", 0, _duration),
        _AGE,
        *_TEMPLATE,
    ],
    "Service": [
        ("Type", 0, _at("spec", "type")),
        ("Cluster-IP", 0, _at("spec", "clusterIP")),
        ("External-IP", 0, _at("spec", "externalName")),
        ("Port(s)", 0, _ports),
        _AGE,
        ("Selector", 1, _service_selector),
    ],
    "EndpointSlice": [
        ("AddressType", 0, _at("addressType")),
        ("Ports", 0, _slice_ports),
        ("Endpoints", 0, _slice_endpoints),
        _AGE,
    ],
    "Event": [
        ("Last Seen", 0, _last_seen),
        ("Type", 0, _at("type", absent="")),
        ("Reason", 0, _at("reason", absent="")),
        ("Object", 0, _involved),
        ("Message", 0, _at("message", absent="")),
    ],
    "ConfigMap": [("Data", 0, _keys("data", "binaryData")), _AGE],
    "Secret": [("Type", 0, _at("type")), ("Data", 0, _keys("data")), _AGE],
    "Lease": [("Holder", 0, _at("spec", "holderIdentity", absent="")), _AGE],
    "HorizontalPodAutoscaler": [
        ("Reference", 0, _scale_target),
        ("MinPods", 0, _at("spec", "minReplicas")),
        ("MaxPods", 0, _at("spec", "maxReplicas")),
        ("Replicas", 0, _count("status", "currentReplicas")),
        _AGE,
    ],
    "PodDisruptionBudget": [
        ("Min Available", 0, _at("spec", "minAvailable", absent="N/A")),
        ("Max Unavailable", 0, _at("spec", "maxUnavailable", absent="N/A")),
        ("Allowed Disruptions", 0, _count("status", "disruptionsAllowed")),
        _AGE,
    ],
    "CustomResourceDefinition": [("Created At", 0, _created)],
    "Role": [("Created At", 0, _created)],
    "ClusterRole": [("Created At", 0, _created)],
}
