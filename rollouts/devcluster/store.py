"""What is stored, what was stored at an earlier resource version, and who hears of changes?"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from rollouts.devcluster.objects import key_of, labels_of, metadata, owners_of, with_metadata

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rollouts.devcluster.objects import Key, Object

HISTORY = 4096  # changes that each collection remembers
_INDEXED_BY_LABEL = frozenset({"pods", "replicasets.apps"})


@dataclass(slots=True)
class Change:
    """One write: the object after it (the last state when deleted) and before it."""

    revision: int
    kind: str  # ADDED, MODIFIED, DELETED
    object: Object
    before: Object | None
    _encoded: bytes = b""

    def encoded(self) -> bytes:
        """Return the object as JSON; encoded once for all watchers."""
        if not self._encoded:
            self._encoded = orjson.dumps(self.object)
        return self._encoded


class Collection:
    """The objects of one resource. What it hands out is shared: replace objects, never change them."""

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self.compacted = 0  # changes up to this revision are forgotten
        self._objects: dict[str, dict[str, Object]] = {}
        self._history: deque[Change] = deque()
        self._listeners: list[Callable[[Change], None]] = []
        self._by_label: dict[tuple[str, str, str], set[str]] = {}
        self._labelled = resource in _INDEXED_BY_LABEL

    def get(self, key: Key) -> Object | None:
        """Return an object."""
        return self._objects.get(key[0], {}).get(key[1])

    def objects(self, namespace: str | None = None) -> Iterator[Object]:
        """Return the objects of one namespace, or of all."""
        if namespace is not None:
            yield from list(self._objects.get(namespace, {}).values())
            return
        for each in list(self._objects.values()):
            yield from list(each.values())

    def labelled(self, namespace: str, wanted: dict[str, str]) -> list[Object]:
        """Return the objects of a namespace that carry all of these labels (Pods and ReplicaSets only)."""
        sets = [self._by_label.get((namespace, label, value), set()) for label, value in wanted.items()]
        names = set.intersection(*sorted(sets, key=len)) if sets else set()
        found = self._objects.get(namespace, {})
        return [found[name] for name in names]

    def since(self, revision: int) -> list[Change]:
        """Return the remembered changes after a revision."""
        changes: list[Change] = []
        for change in reversed(self._history):
            if change.revision <= revision:
                break
            changes.append(change)
        changes.reverse()
        return changes

    def snapshot(self, revision: int) -> dict[Key, Object]:
        """Return the objects as they were at a revision that is not compacted."""
        state = {key_of(obj): obj for obj in self.objects()}
        for change in reversed(self.since(revision)):
            if change.before is None:
                state.pop(key_of(change.object), None)
            else:
                state[key_of(change.before)] = change.before
        return state

    def subscribe(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` at every change, until the returned function is called."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def compact(self, revision: int) -> None:
        """Forget the changes up to a revision."""
        self.compacted = max(self.compacted, revision)
        while self._history and self._history[0].revision <= revision:
            self._history.popleft()

    def record(self, change: Change) -> None:
        """Take over a change and tell the listeners."""
        namespace, name = key_of(change.object)
        objects = self._objects.setdefault(namespace, {})
        if change.kind == "DELETED":
            del objects[name]
        else:
            objects[name] = change.object
        if self._labelled:
            self._index(change)
        self._history.append(change)
        if len(self._history) > HISTORY:
            self.compacted = self._history.popleft().revision
        for listener in tuple(self._listeners):
            listener(change)

    def _index(self, change: Change) -> None:
        namespace, name = key_of(change.object)
        before = labels_of(change.before) if change.before else {}
        after = {} if change.kind == "DELETED" else labels_of(change.object)
        for label in before.items() - after.items():
            self._by_label[namespace, *label].discard(name)
        for label in after.items() - before.items():
            self._by_label.setdefault((namespace, *label), set()).add(name)


class Store:
    """All collections, one revision for all of them, and the index that owner references need."""

    def __init__(self) -> None:
        self.revision = 1
        self._collections: dict[str, Collection] = {}
        self._by_uid: dict[str, tuple[str, Key]] = {}
        self._dependents: dict[str, set[tuple[str, Key]]] = {}
        self._watching_all: list[Callable[[str, Change], None]] = []

    def collection(self, resource: str) -> Collection:
        """Return the collection of a resource."""
        found = self._collections.get(resource)
        if found is None:
            found = self._collections[resource] = Collection(resource)
        return found

    def collections(self) -> list[Collection]:
        """Return every collection."""
        return list(self._collections.values())

    def subscribe(self, listener: Callable[[str, Change], None]) -> None:
        """Call `listener` with the resource at every change of any collection."""
        self._watching_all.append(listener)

    def put(self, resource: str, obj: Object) -> Object:
        """Store an object at a new revision and return it as stored."""
        collection = self.collection(resource)
        self.revision += 1
        obj = with_metadata(obj, resourceVersion=str(self.revision))
        before = collection.get(key_of(obj))
        self._record(collection, Change(self.revision, "MODIFIED" if before else "ADDED", obj, before))
        return obj

    def remove(self, resource: str, key: Key) -> Object:
        """Remove an object and return its last state."""
        collection = self.collection(resource)
        before = collection.get(key)
        if before is None:
            raise KeyError(key)
        self.revision += 1
        last = with_metadata(before, resourceVersion=str(self.revision))
        self._record(collection, Change(self.revision, "DELETED", last, before))
        return last

    def _record(self, collection: Collection, change: Change) -> None:
        item = (collection.resource, key_of(change.object))
        uid = change.object["metadata"]["uid"]
        before = {ref["uid"] for ref in owners_of(change.before)} if change.before else set()
        gone = change.kind == "DELETED"
        after = set() if gone else {ref["uid"] for ref in owners_of(change.object)}
        for owner in before - after:
            self._dependents[owner].discard(item)
            if not self._dependents[owner]:
                del self._dependents[owner]
        for owner in after - before:
            self._dependents.setdefault(owner, set()).add(item)
        if gone:
            self._by_uid.pop(uid, None)
        else:
            self._by_uid[uid] = item
        collection.record(change)
        for listener in self._watching_all:
            listener(collection.resource, change)

    def by_uid(self, uid: str) -> tuple[str, Object] | None:
        """Return the resource and the object of a uid."""
        item = self._by_uid.get(uid)
        if item is None:
            return None
        obj = self.collection(item[0]).get(item[1])
        return None if obj is None else (item[0], obj)

    def dependents(self, uid: str, resource: str | None = None) -> list[tuple[str, Object]]:
        """Return the objects (of one resource) that name this uid as an owner."""
        items = [item for item in self._dependents.get(uid, ()) if resource in {None, item[0]}]
        found = [(each, self.collection(each).get(key)) for each, key in items]
        return [(each, obj) for each, obj in found if obj is not None]

    def compact(self) -> None:
        """Forget the whole history."""
        for collection in self._collections.values():
            collection.compact(self.revision)

    def in_namespace(self, namespace: str) -> list[tuple[str, Object]]:
        """Return every object of a namespace with its resource."""
        return [(each.resource, obj) for each in self.collections() for obj in each.objects(namespace)]


def resource_version(obj: Object) -> int:
    """Return the revision at which the object was stored."""
    return int(metadata(obj)["resourceVersion"])
