"""How are the parts that every Kubernetes object has read, copied and compared?"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import orjson

from rollouts.api.timestamps import format_micro_time, format_time

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

Object = dict[str, Any]
Key = tuple[str, str]  # namespace ("" for cluster-scoped kinds) and name

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Clock:
    """Wall time that moves with the event loop, so that a loop with virtual time carries the cluster along."""

    def __init__(self, loop: "AbstractEventLoop") -> None:
        self._loop = loop
        self._start = datetime.now(UTC)
        self._started = loop.time()

    def now(self) -> datetime:
        """Return the current time."""
        return self._start + timedelta(seconds=self._loop.time() - self._started)

    def stamp(self) -> str:
        """Return the current time as objects carry it: in whole seconds."""
        return format_time(self.now())

    def micro(self) -> str:
        """Return the current time with microseconds, as leases carry it."""
        return format_micro_time(self.now())


def clone(value: Any) -> Any:
    """Copy JSON deeply; three times as fast as copy.deepcopy."""
    return orjson.loads(orjson.dumps(value))


def metadata(obj: Object) -> Object:
    """Return the object's metadata, for reading."""
    return cast("Object", obj.get("metadata") or {})


def key_of(obj: Object) -> Key:
    """Return the object's namespace and name."""
    meta = obj["metadata"]
    return meta.get("namespace", ""), meta["name"]


def labels_of(obj: Object) -> dict[str, str]:
    """Return the object's labels, for reading."""
    return metadata(obj).get("labels") or {}


def annotations_of(obj: Object) -> dict[str, str]:
    """Return the object's annotations, for reading."""
    return metadata(obj).get("annotations") or {}


def owners_of(obj: Object) -> list[Object]:
    """Return the object's owner references."""
    return metadata(obj).get("ownerReferences") or []


def controller_of(obj: Object) -> Object | None:
    """Return the owner reference of the object's controller."""
    return next((ref for ref in owners_of(obj) if ref.get("controller")), None)


def is_terminating(obj: Object) -> bool:
    """Say whether the object's deletion was asked for and is not done."""
    return "deletionTimestamp" in obj["metadata"]


def with_metadata(obj: Object, **changes: Any) -> Object:
    """Return the object with other metadata fields; None removes one. Everything else is shared, not copied."""
    merged = {**obj["metadata"], **changes}
    return {**obj, "metadata": {name: value for name, value in merged.items() if value is not None}}


def condition(status: Object, kind: str) -> Object | None:
    """Find a condition by its type."""
    return next((each for each in status.get("conditions") or [] if each["type"] == kind), None)


def is_true(obj: Object, kind: str) -> bool:
    """Say whether the object's status has this condition with status True."""
    found = condition(obj.get("status") or {}, kind)
    return found is not None and found["status"] == "True"


@dataclass(frozen=True, slots=True)
class Owner:
    """What an owner reference says of a controller."""

    api_version: str
    kind: str

    def reference(self, owner: Object) -> Object:
        """Refer to `owner` as the controller of a dependent."""
        meta = owner["metadata"]
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "name": meta["name"],
            "uid": meta["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }


def value_at(obj: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a path of field names, or None."""
    for name in path:
        if not isinstance(obj, dict):
            return None
        obj = obj.get(name)
    return obj


def with_value_at(obj: Object, path: tuple[str, ...], value: Any) -> Object:
    """Return the object with another value at a path; what lies beside the path is shared."""
    name, *rest = path
    inner = value if not rest else with_value_at(obj.get(name) or {}, tuple(rest), value)
    return {**obj, name: inner}
