"""Which pods stand behind a Service? EndpointSlices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rollouts.devcluster.api import INTERNAL
from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.deletion import DeleteOptions, delete
from rollouts.devcluster.objects import Owner, is_terminating, is_true, key_of, labels_of, value_at
from rollouts.devcluster.work import Worker

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api
    from rollouts.devcluster.objects import Key, Object
    from rollouts.devcluster.store import Change

_OWNER = Owner("v1", "Service")
_LABELS = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
_SERVICE_NAME = "kubernetes.io/service-name"


class Services:
    """Keeps one EndpointSlice for each Service that has a selector."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kind, self._slice, self._pod = builtin("Service"), builtin("EndpointSlice"), builtin("Pod")
        self._services, self._pods = api.collection(self._kind), api.collection(self._pod)
        # one pair of each selector, so that a pod finds its services without asking them all
        self._by_pair: dict[tuple[str, str, str], set[str]] = {}
        self.worker = Worker(self.sync)
        self._services.subscribe(self._service_changed)
        self._pods.subscribe(self._pod_changed)

    def _service_changed(self, change: Change) -> None:
        namespace, name = key_of(change.object)
        if change.before and (pair := _first_pair(change.before)):
            self._by_pair.get((namespace, *pair), set()).discard(name)
        if change.kind != "DELETED" and (pair := _first_pair(change.object)):
            self._by_pair.setdefault((namespace, *pair), set()).add(name)
        self.worker.add((namespace, name))

    def _pod_changed(self, change: Change) -> None:
        namespace = change.object["metadata"]["namespace"]
        for obj in (change.object, change.before):
            for pair in labels_of(obj).items() if obj else ():
                for name in self._by_pair.get((namespace, *pair), ()):
                    self.worker.add((namespace, name))

    def sync(self, key: Key) -> None:
        """Write a Service's EndpointSlice."""
        service = self._services.get(key)
        if service is None or is_terminating(service):
            return
        uid, selector = service["metadata"]["uid"], service["spec"].get("selector")
        slices = [each for _, each in self._api.store.dependents(uid, self._slice.resource)]
        if not selector:
            for each in slices:
                delete(self._api, self._slice, each, DeleteOptions())
            return
        pods = sorted(self._pods.labelled(key[0], selector), key=key_of)
        behind = [pod for pod in pods if value_at(pod, ("status", "podIP")) and not _is_finished(pod)]
        content = {
            "addressType": "IPv4",
            "endpoints": [_endpoint(service, pod) for pod in behind],
            "ports": _ports(service, behind),
        }
        if slices:
            self._api.put(self._slice, slices[0], {**slices[0], **content})
        else:
            labels = {**labels_of(service), **_LABELS, _SERVICE_NAME: key[1]}
            meta = {"generateName": f"{key[1]}-", "labels": labels, "ownerReferences": [_OWNER.reference(service)]}
            self._api.create(self._slice, key[0], {"metadata": meta, **content}, INTERNAL)


def _first_pair(service: Object) -> tuple[str, str] | None:
    selector = service["spec"].get("selector")
    return min(selector.items()) if selector else None


def _is_finished(pod: Object) -> bool:
    return value_at(pod, ("status", "phase")) in {"Succeeded", "Failed"}


def _endpoint(service: Object, pod: Object) -> Object:
    meta = pod["metadata"]
    serving = is_true(pod, "Ready") or bool(service["spec"].get("publishNotReadyAddresses"))
    leaving = is_terminating(pod)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": serving and not leaving, "serving": serving, "terminating": leaving},
        "nodeName": pod["spec"].get("nodeName"),
        "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]},
    }


def _ports(service: Object, pods: list[Object]) -> list[Object]:
    ports = []
    for port in service["spec"].get("ports") or []:
        number = _number(port.get("targetPort", port["port"]), pods)
        if number is not None:
            ports.append({"name": port.get("name", ""), "port": number, "protocol": port.get("protocol", "TCP")})
    return ports


def _number(target: Any, pods: list[Object]) -> int | None:
    if isinstance(target, int):
        return target
    named = (
        port["containerPort"]
        for pod in pods
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
        if port.get("name") == target
    )
    return next(named, None)
