"""What is removed because something else was? Dependents of owners, contents of namespaces, custom resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.deletion import DeleteOptions, delete
from rollouts.devcluster.objects import FOREGROUND, ORPHAN, is_terminating, key_of, owners_of, with_metadata
from rollouts.devcluster.work import Worker

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Key, Object
    from rollouts.devcluster.store import Change

_CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
_NAMESPACE, _DEFINITION = builtin("Namespace"), builtin("CustomResourceDefinition")
_BACKGROUND, _CASCADE = DeleteOptions(policy="Background"), DeleteOptions(policy="Foreground")


class GarbageCollector:
    """Follows owner references, and empties what is being deleted."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.worker: Worker[tuple[str, Key]] = Worker(self.sync)
        api.store.subscribe(self._changed)

    def _changed(self, resource: str, change: Change) -> None:
        obj = change.object
        if change.kind == "DELETED":
            for each, dependent in self._api.store.dependents(obj["metadata"]["uid"]):
                self.worker.add((each, key_of(dependent)))
            self._wake_above(obj)
            return
        if is_terminating(obj) or change.before is None or owners_of(change.before) != owners_of(obj):
            self.worker.add((resource, key_of(obj)))
        if change.before is not None:
            self._wake_above(obj)

    def _wake_above(self, obj: Object) -> None:
        """Look again at what waits for this object to be gone."""
        for ref in owners_of(obj):
            found = self._api.store.by_uid(ref["uid"])
            if found and is_terminating(found[1]):
                self.worker.add((found[0], key_of(found[1])))
        namespace = obj["metadata"].get("namespace")
        holder = self._api.collection(_NAMESPACE).get(("", namespace)) if namespace else None
        if holder and is_terminating(holder):
            self.worker.add((_NAMESPACE.resource, ("", holder["metadata"]["name"])))
        kind = self._api.kinds.by_name(obj["apiVersion"], obj["kind"])
        if kind and kind.custom:
            definition = self._api.collection(_DEFINITION).get(("", kind.resource))
            if definition and is_terminating(definition):
                self.worker.add((_DEFINITION.resource, ("", kind.resource)))

    def sync(self, item: tuple[str, Key]) -> float | None:
        """Collect an object whose owners are gone; finish what its own deletion waits for."""
        resource, key = item
        obj = self._api.store.collection(resource).get(key)
        if obj is None:
            return None
        kind = self._kind(obj)
        if kind is None:
            return None
        if is_terminating(obj):
            self._finish(kind, obj)
        elif owners_of(obj):
            self._collect(kind, obj)
        return None

    def _kind(self, obj: Object) -> Kind | None:
        return self._api.kinds.by_name(obj["apiVersion"], obj["kind"])

    def _collect(self, kind: Kind, obj: Object) -> None:
        owners = {ref["uid"]: self._owner(ref["uid"]) for ref in owners_of(obj)}
        solid = [owner for owner in owners.values() if owner is not None and not _waits(owner)]
        waiting = [owner for owner in owners.values() if owner is not None and _waits(owner)]
        if solid:
            left = [ref for ref in owners_of(obj) if owners[ref["uid"]] in solid]
            if len(left) != len(owners_of(obj)):
                self._api.put(kind, obj, with_metadata(obj, ownerReferences=left))
            return
        blocks = any(ref.get("blockOwnerDeletion") for ref in owners_of(obj))
        delete(self._api, kind, obj, _CASCADE if waiting and blocks else _BACKGROUND)

    def _owner(self, uid: str) -> Object | None:
        found = self._api.store.by_uid(uid)
        return found[1] if found else None

    def _finish(self, kind: Kind, obj: Object) -> None:
        finalizers = obj["metadata"].get("finalizers") or []
        if ORPHAN in finalizers:
            self._orphan(kind, obj)
        elif FOREGROUND in finalizers:
            self._cascade(kind, obj)
        elif kind is _NAMESPACE:
            self._empty_namespace(obj)
        elif _CLEANUP in finalizers:
            self._empty_definition(kind, obj)

    def _orphan(self, kind: Kind, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        for _, dependent in self._api.store.dependents(uid):
            of = self._kind(dependent)
            left = [ref for ref in owners_of(dependent) if ref["uid"] != uid]
            if of is not None:
                self._api.put(of, dependent, with_metadata(dependent, ownerReferences=left or None))
        self._release(kind, obj, ORPHAN)

    def _cascade(self, kind: Kind, obj: Object) -> None:
        uid = obj["metadata"]["uid"]
        dependents = [each for _, each in self._api.store.dependents(uid)]
        blocking = [
            each
            for each in dependents
            if any(ref["uid"] == uid and ref.get("blockOwnerDeletion") for ref in owners_of(each))
        ]
        if not blocking:
            self._release(kind, obj, FOREGROUND)
        for each in dependents:
            of = self._kind(each)
            if of is not None and not is_terminating(each):
                self._collect(of, each)

    def _release(self, kind: Kind, obj: Object, finalizer: str) -> None:
        current = self._api.collection(kind).get(key_of(obj)) or obj
        left = [each for each in current["metadata"].get("finalizers") or [] if each != finalizer]
        self._api.put(kind, current, with_metadata(current, finalizers=left or None))

    def _empty_namespace(self, obj: Object) -> None:
        name = obj["metadata"]["name"]
        content = self._api.store.in_namespace(name)
        for _, each in content:
            kind = self._kind(each)
            if kind is not None and not is_terminating(each):
                delete(self._api, kind, each, _BACKGROUND)
        if not content and not obj["metadata"].get("finalizers"):
            self._api.store.remove(_NAMESPACE.resource, ("", name))

    def _empty_definition(self, kind: Kind, obj: Object) -> None:
        content = list(self._api.store.collection(obj["metadata"]["name"]).objects())
        for each in content:
            of = self._kind(each)
            if of is not None and not is_terminating(each):
                delete(self._api, of, each, _BACKGROUND)
        if not content:
            self._release(kind, obj, _CLEANUP)


def _waits(owner: Object) -> bool:
    return is_terminating(owner) and FOREGROUND in (owner["metadata"].get("finalizers") or [])
