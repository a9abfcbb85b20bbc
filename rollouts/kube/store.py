"""What a cache holds: objects by name and by index, and the exact changes between what was known and what is."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING, Any

import structlog

from rollouts.kube.depth import DEEPEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    OnChange = Callable[[dict[str, Any] | None, dict[str, Any] | None], None]
    Index = Callable[[Mapping[str, Any]], Iterable[str]]
    Trim = Callable[[dict[str, Any]], dict[str, Any]]
    Key = tuple[str, str]

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_log = structlog.get_logger(__name__)


def key_of(obj: Mapping[str, Any]) -> Key:
    """Return namespace and name; the namespace of a cluster-scoped object is empty."""
    metadata = obj["metadata"]
    return metadata.get("namespace") or "", metadata["name"]


def version_of(obj: Mapping[str, Any]) -> str:
    """Return the object's resourceVersion."""
    return str(obj["metadata"].get("resourceVersion", ""))


def owner_uids(obj: Mapping[str, Any]) -> list[str]:
    """Index by the uids of all owners."""
    return [owner["uid"] for owner in obj["metadata"].get("ownerReferences") or () if owner.get("uid")]


def _indexed(obj: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what index functions go by: a status has no part in it, and most changes are those of a status."""
    metadata = obj["metadata"]
    parts = (metadata.get(part) for part in ("labels", "annotations", "ownerReferences"))
    return (*parts, obj.get("spec"))


def compact(obj: dict[str, Any]) -> dict[str, Any]:
    """Drop what no decision needs and share equal strings: of 10,000 objects most say the same."""
    metadata = obj["metadata"]
    metadata.pop("managedFields", None)
    annotations = metadata.get("annotations")
    if annotations:
        annotations.pop(LAST_APPLIED, None)
    _share(obj)
    return obj


def _share(value: Any, left: int = DEEPEST) -> None:
    """Make equal strings one; what lies too deep is left out."""
    if not left:
        value.clear()
    elif type(value) is dict:
        for key, inner in value.items():
            kind = type(inner)
            if kind is str:
                value[key] = intern(inner)
            elif kind is dict or kind is list:
                _share(inner, left - 1)
    else:
        for inner in value:
            if type(inner) is dict or type(inner) is list:
                _share(inner, left - 1)


class Store:
    """Objects of one kind; tells of each change once, in the order in which it learns of them.

    Index functions go by the spec and by what metadata says of names, labels, annotations and owners.

    An object that was deleted and made again under its name is told as a deletion and an addition. Objects are shared
    with all readers: nobody may change them.
    """

    def __init__(
        self,
        *,
        indexes: Mapping[str, Index] | None = None,
        on_change: OnChange | None = None,
        trim: Trim | None = None,
    ) -> None:
        self._objects: dict[Key, dict[str, Any]] = {}
        self._indexes: dict[str, Index] = {"owner": owner_uids, **(indexes or {})}
        self._buckets: dict[str, dict[str, dict[Key, None]]] = {name: {} for name in self._indexes}
        self._on_change = on_change
        self._trim = trim

    def __len__(self) -> int:
        return len(self._objects)

    def get(self, namespace: str | None, name: str) -> dict[str, Any] | None:
        """Return one object, if it is there."""
        return self._objects.get((namespace or "", name))

    def items(self) -> list[dict[str, Any]]:
        """Return all objects."""
        return list(self._objects.values())

    def by_index(self, name: str, key: str) -> list[dict[str, Any]]:
        """Return the objects whose index function yields the key, in the order of their arrival."""
        return [self._objects[found] for found in self._buckets[name].get(key, ())]

    def slim(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Return the object as it is kept; called as early as possible, so that memory is used again at once."""
        obj = compact(obj)
        return self._trim(obj) if self._trim is not None else obj

    def put(self, obj: dict[str, Any]) -> None:
        """Take in a slim object as it is now; nothing happens when this version is known."""
        key = key_of(obj)
        known = self._objects.get(key)
        if known is not None:
            if version_of(known) == version_of(obj):
                return
            if known["metadata"].get("uid") != obj["metadata"].get("uid"):
                self.remove(key)
                known = None
        self._objects[key] = obj
        self._reindex(key, known, obj)
        self._tell(known, obj)

    def remove(self, key: Key) -> None:
        """Forget an object."""
        known = self._objects.pop(key, None)
        if known is not None:
            self._reindex(key, known, None)
            self._tell(known, None)

    def replace(self, objects: Iterable[dict[str, Any]]) -> None:
        """Make the store hold exactly these slim objects, telling of the differences only."""
        present = {key_of(obj): obj for obj in objects}
        for key in [key for key in self._objects if key not in present]:
            self.remove(key)
        for obj in present.values():
            self.put(obj)

    def _reindex(self, key: Key, known: dict[str, Any] | None, obj: dict[str, Any] | None) -> None:
        if known is not None and obj is not None and len(self._indexes) > 1 and _indexed(known) == _indexed(obj):
            return
        for name, index in self._indexes.items():
            before = set(index(known)) if known is not None else set()
            after = set(index(obj)) if obj is not None else set()
            buckets = self._buckets[name]
            for value in before - after:
                bucket = buckets[value]
                del bucket[key]
                if not bucket:
                    del buckets[value]
            for value in after - before:
                buckets.setdefault(value, {})[key] = None

    def _tell(self, known: dict[str, Any] | None, obj: dict[str, Any] | None) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(known, obj)
        except Exception:  # noqa: BLE001 - a listener's bug must not blind everybody else who reads this store
            _log.exception("a listener failed", kind=(obj or known or {}).get("kind"))
