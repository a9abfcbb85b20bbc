"""Which pods does a ReplicaSet have, and which should it create or delete?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from rollouts.api.timestamps import parse_time
from rollouts.devcluster.api import INTERNAL
from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.deletion import DeleteOptions, delete
from rollouts.devcluster.errors import ApiError
from rollouts.devcluster.objects import (
    Owner,
    annotations_of,
    condition,
    controller_of,
    is_terminating,
    is_true,
    key_of,
    labels_of,
    metadata,
    owners_of,
    with_metadata,
)
from rollouts.devcluster.selectors import selects
from rollouts.devcluster.work import Worker

if TYPE_CHECKING:
    from datetime import datetime

    from rollouts.devcluster.api import Api
    from rollouts.devcluster.objects import Key, Object
    from rollouts.devcluster.store import Change

_OWNER = Owner("apps/v1", "ReplicaSet")
_RETRY = 5.0  # seconds after a pod was refused
_COST = "controller.kubernetes.io/pod-deletion-cost"
_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def is_active(pod: Object) -> bool:
    """Say whether a pod counts: neither finished nor on its way out."""
    return (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed"} and not is_terminating(pod)


def available_at(pod: Object, min_ready_seconds: int) -> datetime | None:
    """Return when a pod is available, or None while it is not ready."""
    found = condition(pod.get("status") or {}, "Ready")
    if found is None or found["status"] != "True":
        return None
    return parse_time(found["lastTransitionTime"]) + timedelta(seconds=min_ready_seconds)


def deletion_rank(pod: Object) -> tuple[object, ...]:
    """Order pods for scaling down: what is lost least goes first."""
    status = pod.get("status") or {}
    ready = condition(status, "Ready") or {}
    is_ready = ready.get("status") == "True"
    cost = annotations_of(pod).get(_COST, "0")
    restarts = max((each.get("restartCount", 0) for each in status.get("containerStatuses") or []), default=0)
    return (
        bool(pod["spec"].get("nodeName")),
        _PHASES.get(status.get("phase", ""), 0),
        is_ready,
        int(cost) if cost.lstrip("-").isdecimal() else 0,
        _later_first(ready.get("lastTransitionTime", "")) if is_ready else "",
        -restarts,
        _later_first(metadata(pod)["creationTimestamp"]),
        -int(metadata(pod)["resourceVersion"]),
    )


def _later_first(stamp: str) -> float:
    return -parse_time(stamp).timestamp() if stamp else 0.0


class ReplicaSets:
    """Keeps the pods of all ReplicaSets."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kind, self._pod = builtin("ReplicaSet"), builtin("Pod")
        self._sets, self._pods = api.collection(self._kind), api.collection(self._pod)
        self.worker = Worker(self.sync)
        self._sets.subscribe(lambda change: self.worker.add(key_of(change.object)))
        self._pods.subscribe(self._pod_changed)

    def _pod_changed(self, change: Change) -> None:
        owners = {ref["uid"] for obj in (change.object, change.before) if obj and (ref := controller_of(obj))}
        for uid in owners:
            found = self._api.store.by_uid(uid)
            if found and found[0] == self._kind.resource:
                self.worker.add(key_of(found[1]))
        if controller_of(change.object) is None and change.kind != "DELETED":
            for each in self._sets.objects(change.object["metadata"]["namespace"]):
                if selects(each["spec"].get("selector"), labels_of(change.object)):
                    self.worker.add(key_of(each))

    def sync(self, key: Key) -> float | None:
        """Create or delete pods, then write the status."""
        live = self._sets.get(key)
        if live is None:
            return None
        pods = self._claimed(live)
        active = [pod for pod in pods if is_active(pod)]
        refused = None if is_terminating(live) else self._scale(live, active)
        status, again = self._status(live, active, refused)
        self._api.put_status(self._kind, live, status)
        return _RETRY if refused else again

    def _claimed(self, live: Object) -> list[Object]:
        uid, selector = live["metadata"]["uid"], live["spec"]["selector"]
        claimed = []
        for _, pod in self._api.store.dependents(uid, "pods"):
            if (controller_of(pod) or {}).get("uid") != uid:
                continue
            if selects(selector, labels_of(pod)) or is_terminating(live):
                claimed.append(pod)
            else:
                left = [ref for ref in owners_of(pod) if ref["uid"] != uid]
                self._api.put(self._pod, pod, with_metadata(pod, ownerReferences=left or None))
        if not is_terminating(live):
            claimed += [self._adopted(live, pod) for pod in self._orphans(live, selector)]
        return claimed

    def _orphans(self, live: Object, selector: Object) -> list[Object]:
        namespace, labels = live["metadata"]["namespace"], selector.get("matchLabels")
        found = self._pods.labelled(namespace, labels) if labels else self._pods.objects(namespace)
        return [
            pod for pod in found if controller_of(pod) is None and is_active(pod) and selects(selector, labels_of(pod))
        ]

    def _adopted(self, live: Object, pod: Object) -> Object:
        refs = [*(ref for ref in owners_of(pod) if ref["uid"] != live["metadata"]["uid"]), _OWNER.reference(live)]
        return self._api.put(self._pod, pod, with_metadata(pod, ownerReferences=refs))

    def _scale(self, live: Object, active: list[Object]) -> ApiError | None:
        missing = live["spec"].get("replicas", 1) - len(active)
        for pod in sorted(active, key=deletion_rank)[: max(0, -missing)]:
            delete(self._api, self._pod, pod, DeleteOptions())
        try:
            for _ in range(missing):
                self._api.create(self._pod, live["metadata"]["namespace"], self._new_pod(live), INTERNAL)
        except ApiError as error:
            return error
        return None

    @staticmethod
    def _new_pod(live: Object) -> Object:
        template = live["spec"]["template"]
        source = metadata(template)
        kept: Object = {name: source[name] for name in ("labels", "annotations", "finalizers") if name in source}
        meta = {**kept, "generateName": f"{live['metadata']['name']}-", "ownerReferences": [_OWNER.reference(live)]}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": dict(template["spec"])}

    def _status(self, live: Object, active: list[Object], refused: ApiError | None) -> tuple[Object, float | None]:
        now = self._api.clock.now()
        wanted = labels_of(live["spec"]["template"]).items()
        times = [when for pod in active if (when := available_at(pod, live["spec"].get("minReadySeconds", 0)))]
        waiting = [(when - now).total_seconds() for when in times if when > now]
        counts = {
            "fullyLabeledReplicas": sum(wanted <= labels_of(pod).items() for pod in active),
            "readyReplicas": sum(is_true(pod, "Ready") for pod in active),
            "availableReplicas": len(times) - len(waiting),
            "observedGeneration": live["metadata"].get("generation", 0),
        }
        status: Object = {"replicas": len(active), **{name: count for name, count in counts.items() if count}}
        conditions = self._conditions(live, refused)
        if conditions:
            status["conditions"] = conditions
        return status, min(waiting, default=None)

    def _conditions(self, live: Object, refused: ApiError | None) -> list[Object]:
        old = (live.get("status") or {}).get("conditions") or []
        others = [each for each in old if each["type"] != "ReplicaFailure"]
        if refused is None:
            return others
        known = condition(live.get("status") or {}, "ReplicaFailure")
        since = known["lastTransitionTime"] if known else self._api.clock.stamp()
        failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
        return [*others, {**failure, "lastTransitionTime": since, "message": refused.message}]
