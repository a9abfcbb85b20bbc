"""What do the subresources scale, eviction, binding and log answer?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollouts.api.selectors import format_selector
from rollouts.devcluster.budgets import check_budgets
from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.deletion import delete, read_options
from rollouts.devcluster.errors import ApiError, bad_request, invalid, not_served, wrong_value
from rollouts.devcluster.objects import is_terminating, value_at, with_value_at

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api, Write
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Object


def scale_of(kind: Kind, obj: Object) -> Object:
    """Return the Scale of an object."""
    paths = kind.scale
    if paths is None:
        raise not_served(f"the scale subresource of {kind.resource}")
    meta = obj["metadata"]
    replicas = value_at(obj, paths.spec)
    if replicas is None and kind.custom:
        text = f'the spec replicas field "{".".join(paths.spec)}" does not exist'
        raise ApiError(500, "InternalError", f"Internal error occurred: {text}")
    selector = value_at(obj, paths.selector) if paths.selector else None
    status: Object = {"replicas": value_at(obj, paths.status) or 0}
    if selector:
        status["selector"] = selector if isinstance(selector, str) else format_selector(selector)
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {name: meta[name] for name in kept if name in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": status,
    }


def write_scale(api: Api, kind: Kind, namespace: str, name: str, scale: Object, write: Write) -> Object:
    """Set an object's replicas from a Scale."""
    live = kind.present(api.get(kind, namespace, name))
    if kind.scale is None:
        raise not_served(f"the scale subresource of {kind.resource}")
    if scale.get("kind", "Scale") != "Scale":
        raise bad_request(f'{scale["kind"]} in version "v1" cannot be handled as a Scale')
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if isinstance(replicas, bool) or not isinstance(replicas, int):
        text = 'Scale in version "v1" cannot be handled as a Scale: json: cannot unmarshal string into Go struct field '
        raise bad_request(f"{text}ScaleSpec.spec.replicas of type int32")
    if replicas < 0:
        cause = wrong_value("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid("Scale", "autoscaling", name, [cause])
    asked = scale.get("metadata") or {}
    new = with_value_at(live, kind.scale.spec, replicas)
    meta = dict(new["metadata"])
    for field in ("resourceVersion", "uid"):
        if asked.get(field):
            meta[field] = asked[field]
    return scale_of(kind, api.update(kind, namespace, name, {**new, "metadata": meta}, write))


def evict(api: Api, pod: Object, eviction: Object) -> Object:
    """Delete a pod, unless a PodDisruptionBudget forbids it for now."""
    kind = builtin("Pod")
    options = read_options(eviction.get("deleteOptions") or {}, {})
    exempt = is_terminating(pod) or (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed", "Pending"}
    if not exempt:
        check_budgets(api, pod)
    delete(api, kind, pod, options)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def bind(api: Api, pod: Object, binding: Object) -> Object:
    """Put a pod on a node."""
    if pod["spec"].get("nodeName"):
        name = pod["metadata"]["name"]
        text = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        details = {"name": name, "kind": "pods/binding"}
        raise ApiError(409, "Conflict", f'Operation cannot be fulfilled on pods/binding "{name}": {text}', details)
    node = (binding.get("target") or {}).get("name", "")
    api.store.put("pods", {**pod, "spec": {**pod["spec"], "nodeName": node}})
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def no_logs(pod: Object) -> ApiError:
    """Say that the pods of this cluster run no programs."""
    name = pod["metadata"]["name"]
    text = f"pod {name} has no logs: the dev cluster's pods act out their containers and run no programs"
    return ApiError(501, "NotImplemented", text, {"name": name, "kind": "pods"})
