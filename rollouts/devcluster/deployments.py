"""Which ReplicaSets does a Deployment have, and how large should each be? Rolling updates, as far as real use needs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson

from rollouts.api.intorstring import resolve
from rollouts.api.timestamps import parse_time
from rollouts.devcluster.api import INTERNAL, NAME_ALPHABET
from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.deletion import DeleteOptions, delete
from rollouts.devcluster.objects import (
    Owner,
    annotations_of,
    condition,
    controller_of,
    is_terminating,
    key_of,
    labels_of,
    metadata,
    owners_of,
    with_metadata,
)
from rollouts.devcluster.selectors import selects
from rollouts.devcluster.work import Worker

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api
    from rollouts.devcluster.objects import Key, Object
    from rollouts.devcluster.store import Change

HASH = "pod-template-hash"
_OWNER = Owner("apps/v1", "Deployment")
_PREFIX = "deployment.kubernetes.io/"
_REVISION, _DESIRED, _MOST = f"{_PREFIX}revision", f"{_PREFIX}desired-replicas", f"{_PREFIX}max-replicas"
_NOT_COPIED = {"kubectl.kubernetes.io/last-applied-configuration", _REVISION, _DESIRED, _MOST}


def template_hash(template: Object, collisions: int) -> str:
    """Name a pod template by ten characters that spell no word."""
    digest = hashlib.sha256(orjson.dumps([template, collisions], option=orjson.OPT_SORT_KEYS)).digest()
    return "".join(NAME_ALPHABET[byte % len(NAME_ALPHABET)] for byte in digest[:10])


def _without_hash(template: Object) -> Object:
    meta = metadata(template)
    labels = {name: value for name, value in labels_of(template).items() if name != HASH}
    return {**template, "metadata": {**{k: v for k, v in meta.items() if v}, "labels": labels}}


def _wanted(replica_set: Object) -> int:
    return int(replica_set["spec"].get("replicas", 0))


def _count(replica_sets: list[Object], name: str) -> int:
    return sum((each.get("status") or {}).get(name, 0) for each in replica_sets)


def _revision(replica_set: Object) -> int:
    text = annotations_of(replica_set).get(_REVISION, "0")
    return int(text) if text.isdecimal() else 0


def bounds(spec: Object) -> tuple[int, int]:
    """Return how many pods may be too many and too few."""
    rolling = (spec.get("strategy") or {}).get("rollingUpdate") or {}
    surge = resolve(rolling.get("maxSurge", "25%"), spec["replicas"], round_up=True)
    unavailable = resolve(rolling.get("maxUnavailable", "25%"), spec["replicas"], round_up=False)
    return surge, max(unavailable, 1 if surge == 0 else 0)


class Deployments:
    """Keeps the ReplicaSets of all Deployments."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._kind, self._set = builtin("Deployment"), builtin("ReplicaSet")
        self._deployments, self._sets = api.collection(self._kind), api.collection(self._set)
        self.worker = Worker(self.sync)
        self._deployments.subscribe(lambda change: self.worker.add(key_of(change.object)))
        self._sets.subscribe(self._set_changed)

    def _set_changed(self, change: Change) -> None:
        for obj in (change.object, change.before):
            ref = controller_of(obj) if obj else None
            found = self._api.store.by_uid(ref["uid"]) if ref else None
            if found and found[0] == self._kind.resource:
                self.worker.add(key_of(found[1]))
        if controller_of(change.object) is None and change.kind != "DELETED":
            for each in self._deployments.objects(change.object["metadata"]["namespace"]):
                if selects(each["spec"].get("selector"), labels_of(change.object)):
                    self.worker.add(key_of(each))

    def sync(self, key: Key) -> float | None:
        """Move a Deployment's ReplicaSets a step, then write the status."""
        live = self._deployments.get(key)
        if live is None or is_terminating(live):
            return None
        owned = self._claimed(live)
        template = _without_hash(live["spec"]["template"])
        current = next((each for each in owned if _without_hash(each["spec"]["template"]) == template), None)
        others = [each for each in owned if each is not current]
        if live["spec"].get("paused"):
            self._resize(live, current, others)
        else:
            current = self._ensure(live, current, others)
            self._roll(live, current, others)
            self._forget(live, others)
        return self._write_status(live, current, others)

    def _claimed(self, live: Object) -> list[Object]:
        uid, selector = live["metadata"]["uid"], live["spec"]["selector"]
        dependents = self._api.store.dependents(uid, self._set.resource)
        owned = [each for _, each in dependents if (controller_of(each) or {}).get("uid") == uid]
        for each in self._sets.objects(live["metadata"]["namespace"]):
            if controller_of(each) is None and not is_terminating(each) and selects(selector, labels_of(each)):
                refs = [*owners_of(each), _OWNER.reference(live)]
                owned.append(self._api.put(self._set, each, with_metadata(each, ownerReferences=refs)))
        return owned

    def _ensure(self, live: Object, current: Object | None, others: list[Object]) -> Object:
        """Have a ReplicaSet of the present template, with the highest revision."""
        surge, _ = bounds(live["spec"]) if self._rolls(live) else (0, 0)
        desired = live["spec"]["replicas"]
        highest = max((_revision(each) for each in others), default=0)
        notes = {name: value for name, value in annotations_of(live).items() if name not in _NOT_COPIED}
        revision = max(_revision(current) if current else 0, highest + 1)
        notes |= {_REVISION: str(revision), _DESIRED: str(desired), _MOST: str(desired + surge)}
        if current is None:
            current = self._create(live, notes, others)
        else:
            merged = {**annotations_of(current), **notes}
            current = self._api.put(self._set, current, with_metadata(current, annotations=merged))
        if annotations_of(live).get(_REVISION) != str(revision):
            marked = {**annotations_of(live), _REVISION: str(revision)}
            self._api.put(self._kind, live, with_metadata(live, annotations=marked))
        return current

    def _rolls(self, live: Object) -> bool:
        return bool((live["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")

    def _create(self, live: Object, notes: dict[str, str], others: list[Object]) -> Object:
        spec, meta = live["spec"], live["metadata"]
        collisions = 0
        while True:
            name_hash = template_hash(spec["template"], collisions)
            if self._sets.get((meta["namespace"], f"{meta['name']}-{name_hash}")) is None:
                break
            collisions += 1
        hashed = {HASH: name_hash}
        template = spec["template"]
        labels = {**labels_of(template), **hashed}
        selector = {**spec["selector"], "matchLabels": {**(spec["selector"].get("matchLabels") or {}), **hashed}}
        replica_set: Object = {
            "metadata": {
                "name": f"{meta['name']}-{name_hash}",
                "labels": labels,
                "annotations": notes,
                "ownerReferences": [_OWNER.reference(live)],
            },
            "spec": {
                "replicas": self._room(live, None, others) if self._rolls(live) else 0,
                "selector": selector,
                "template": {**template, "metadata": {**metadata(template), "labels": labels}},
            },
        }
        if spec.get("minReadySeconds"):
            replica_set["spec"]["minReadySeconds"] = spec["minReadySeconds"]
        return self._api.create(self._set, meta["namespace"], replica_set, INTERNAL)

    def _room(self, live: Object, current: Object | None, others: list[Object]) -> int:
        """Return the size to which the present ReplicaSet may grow."""
        desired, (surge, _) = live["spec"]["replicas"], bounds(live["spec"])
        size = _wanted(current) if current else 0
        room = desired + surge - size - sum(map(_wanted, others))
        return int(min(desired, size + max(0, room)))

    def _set_size(self, replica_set: Object, size: int) -> None:
        spec = {**replica_set["spec"], "replicas": size}
        self._api.put(self._set, replica_set, {**replica_set, "spec": spec})

    def _resize(self, live: Object, current: Object | None, others: list[Object]) -> None:
        """Follow a change of replicas while paused: the only or the newest active ReplicaSet takes it."""
        active = [each for each in ([current] if current else []) + others if _wanted(each)]
        if active:
            rest = sum(_wanted(each) for each in active[1:])
            self._set_size(active[0], max(0, live["spec"]["replicas"] - rest))

    def _roll(self, live: Object, current: Object, others: list[Object]) -> None:
        desired = live["spec"]["replicas"]
        if not self._rolls(live):
            for each in others:
                self._set_size(each, 0)
            if not _count(others, "replicas"):
                self._set_size(current, desired)
            return
        if _wanted(current) > desired:
            self._set_size(current, desired)
        elif _wanted(current) < desired and (size := self._room(live, current, others)) > _wanted(current):
            self._set_size(current, size)
        else:
            self._shrink(live, current, others)

    def _shrink(self, live: Object, current: Object, others: list[Object]) -> None:
        _, unavailable = bounds(live["spec"])
        least = live["spec"]["replicas"] - unavailable
        missing = _wanted(current) - _count([current], "availableReplicas")
        spare = sum(map(_wanted, [current, *others])) - least - max(0, missing)
        for each in sorted(others, key=_revision):
            sick = max(0, _wanted(each) - _count([each], "availableReplicas"))
            taken = min(_wanted(each), max(0, spare), sick) if sick else 0
            spare -= taken
            self._set_size(each, _wanted(each) - taken)
        fresh = [self._sets.get(key_of(each)) or each for each in others]
        available = _count([current, *fresh], "availableReplicas") - least
        for each in sorted(fresh, key=_revision):
            taken = min(_wanted(each), max(0, available), max(0, spare))
            if taken:
                available -= taken
                spare -= taken
                self._set_size(each, _wanted(each) - taken)

    def _forget(self, live: Object, others: list[Object]) -> None:
        idle = [each for each in others if not _wanted(each) and not _count([each], "replicas")]
        extra = len(idle) - live["spec"].get("revisionHistoryLimit", 10)
        for each in sorted(idle, key=_revision)[: max(0, extra)]:
            if not is_terminating(each):
                delete(self._api, self._set, each, DeleteOptions())

    # --- status -----------------------------------------------------------------------------------------------------

    def _write_status(self, live: Object, current: Object | None, others: list[Object]) -> float | None:
        live = self._deployments.get(key_of(live)) or live
        fresh = [self._sets.get(key_of(each)) or each for each in ([current] if current else []) + others]
        updated = _count(fresh[:1] if current else [], "replicas")
        available, total = _count(fresh, "availableReplicas"), sum(map(_wanted, fresh))
        counts = {
            "observedGeneration": live["metadata"].get("generation", 1),
            "replicas": _count(fresh, "replicas"),
            "updatedReplicas": updated,
            "readyReplicas": _count(fresh, "readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(0, total - available),
        }
        status: Object = {name: count for name, count in counts.items() if count}
        conditions, again = self._conditions(live, counts, current)
        self._api.put_status(self._kind, live, {**status, "conditions": conditions})
        return again

    def _conditions(
        self, live: Object, counts: dict[str, int], current: Object | None
    ) -> tuple[list[Object], float | None]:
        spec, name = live["spec"], current["metadata"]["name"] if current else live["metadata"]["name"]
        least = spec["replicas"] - (bounds(spec)[1] if self._rolls(live) else 0)
        if counts["availableReplicas"] >= least:
            available = ("Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        else:
            text = "Deployment does not have minimum availability."
            available = ("Available", "False", "MinimumReplicasUnavailable", text)
        done = counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == spec["replicas"]
        old = condition(live.get("status") or {}, "Progressing")
        moved = any((live.get("status") or {}).get(each, 0) != count for each, count in counts.items())
        again = None
        if done:
            text = f'ReplicaSet "{name}" has successfully progressed.'
            progressing = ("Progressing", "True", "NewReplicaSetAvailable", text)
        elif old and not moved and self._is_late(old, spec):
            text = f'ReplicaSet "{name}" has timed out progressing.'
            progressing = ("Progressing", "False", "ProgressDeadlineExceeded", text)
        else:
            again = float(spec.get("progressDeadlineSeconds", 600))
            progressing = ("Progressing", "True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
        return [self._condition(live, *each, moved=moved) for each in (available, progressing)], again

    def _is_late(self, progressing: Object, spec: Object) -> bool:
        if progressing["reason"] == "ProgressDeadlineExceeded":
            return True
        age = (self._api.clock.now() - parse_time(progressing["lastUpdateTime"])).total_seconds()
        return progressing["reason"] != "NewReplicaSetAvailable" and bool(
            age >= spec.get("progressDeadlineSeconds", 600)
        )

    def _condition(self, live: Object, kind: str, value: str, reason: str, text: str, *, moved: bool) -> Object:
        old = condition(live.get("status") or {}, kind)
        now = self._api.clock.stamp()
        same = old is not None and (old["status"], old["reason"]) == (value, reason)
        since = old["lastTransitionTime"] if old and old["status"] == value else now
        seen = old["lastUpdateTime"] if old and same and not (moved and kind == "Progressing") else now
        return {
            "type": kind,
            "status": value,
            "reason": reason,
            "message": text,
            "lastUpdateTime": seen,
            "lastTransitionTime": since,
        }
