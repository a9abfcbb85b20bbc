"""Has the cache delivered what we wrote? A plan made from older facts would do things twice, or undo them.

Each write leaves an expectation with the key that it was made for: the cache must show this object at least at this
resourceVersion, or show that it is gone. ResourceVersions are compared as integers, which Kubernetes documents for the
objects of one resource (KEP-5504). A conflict leaves one, too: the object is known to be newer than what we saw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rollouts.controller.key import Key
from rollouts.kube.resources import REPLICA_SETS, ROLLOUTS

Raw = Mapping[str, Any]
_KEPT = frozenset({"", REPLICA_SETS.group, ROLLOUTS.group})
Lookup = Callable[[str, str, str], Raw | None]

PATIENCE = 30.0
"""Seconds after which a live read must settle what the cache should have delivered."""

PATIENCE_AFTER_CONFLICT = 3.0
"""The same after a conflict: what we expect then is a guess, though a good one."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the cache must show of one object: `version` or newer, or nothing if `is_gone`; settled live at `until`."""

    kind: str
    namespace: str
    name: str
    uid: str
    version: int
    is_gone: bool
    until: float

    def __str__(self) -> str:
        what = "to be gone" if self.is_gone else f"at resourceVersion {self.version} or newer"
        return f"{self.kind} {self.namespace}/{self.name} {what}"

    def is_met(self, seen: Raw | None) -> bool:
        """Tell whether an object as the cache shows it is as new as it must be."""
        if seen is None:
            return self.is_gone
        metadata = seen["metadata"]
        if metadata.get("uid") != self.uid:
            # Another object under the name: ours went, and an object that came after it is newer than any write to it.
            return self.is_gone or version_of(seen) > self.version
        return not self.is_gone and version_of(seen) >= self.version


def kind_of(raw: Raw) -> str:
    """Return an object's kind as `find` knows it: with its group, unless it is one of those that are always kept.

    A Service of Knative isn't one of Kubernetes, and several projects have an HTTPRoute.
    """
    group, _, _ = raw.get("apiVersion", "").rpartition("/")
    kind: str = raw.get("kind", "")
    return kind if group in _KEPT else f"{kind}.{group}"


def version_of(raw: Raw) -> int:
    """Return an object's resourceVersion as the number it is."""
    text = raw["metadata"].get("resourceVersion", "")
    return int(text) if text.isdigit() else 0


class Freshness:
    """What the cache still owes us, by the key that waits for it."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._owed: dict[Key, dict[tuple[str, str, str], Expectation]] = {}

    def wrote(self, key: Key, raw: Raw, now: float) -> None:
        """Expect an object as a write has returned it."""
        self._expect(key, raw, version_of(raw), until=now + PATIENCE)

    def deleted(self, key: Key, raw: Raw, now: float) -> None:
        """Expect an object to go; `raw` is any version of it."""
        self._expect(key, raw, 0, until=now + PATIENCE, is_gone=True)

    def outdated(self, key: Key, raw: Raw, now: float) -> None:
        """Expect something newer than `raw`: a conflict told us that there is."""
        self._expect(key, raw, version_of(raw) + 1, until=now + PATIENCE_AFTER_CONFLICT)

    def owed(self, key: Key) -> list[Expectation]:
        """Return what the cache still owes to `key`; nothing means that it can be trusted."""
        waiting = self._owed.get(key)
        if not waiting:
            return []
        for place, expectation in list(waiting.items()):
            if expectation.is_met(self._lookup(*place)):
                del waiting[place]
        if not waiting:
            del self._owed[key]
        return list(waiting.values())

    def is_own_write(self, key: Key, raw: Raw) -> bool:
        """Tell whether a version of an object that arrives is not newer than our latest write to it."""
        metadata = raw["metadata"]
        place = (kind_of(raw), metadata.get("namespace", ""), metadata["name"])
        expectation = self._owed.get(key, {}).get(place)
        return expectation is not None and version_of(raw) <= expectation.version

    def vanished(self, key: Key, raw: Raw) -> None:
        """Stop expecting anything of an object that the cache has reported as deleted."""
        metadata = raw["metadata"]
        place = (kind_of(raw), metadata.get("namespace", ""), metadata["name"])
        expectation = self._owed.get(key, {}).get(place)
        if expectation is not None and expectation.uid == metadata.get("uid"):
            del self._owed[key][place]

    def dismiss(self, key: Key, kind: str, name: str, namespace: str = "") -> None:
        """Stop expecting anything of an object that the Rollout has nothing to do with any more."""
        self._owed.get(key, {}).pop((kind, namespace or key.namespace, name), None)

    def postpone(self, key: Key, expectation: Expectation, until: float) -> None:
        """Go on expecting something that is overdue: a live read has shown that it must come."""
        place = (expectation.kind, expectation.namespace, expectation.name)
        self._owed.setdefault(key, {})[place] = replace(expectation, until=until)

    def settle(self, key: Key, expectation: Expectation) -> None:
        """Stop expecting something: a live read has shown that it won't come."""
        self._owed.get(key, {}).pop((expectation.kind, expectation.namespace, expectation.name), None)

    def forget(self, key: Key) -> None:
        """Drop what a Rollout that is gone waited for."""
        self._owed.pop(key, None)

    def _expect(self, key: Key, raw: Raw, version: int, *, until: float, is_gone: bool = False) -> None:
        metadata = raw["metadata"]
        place = (kind_of(raw), metadata.get("namespace", ""), metadata["name"])
        earlier = self._owed.get(key, {}).get(place)
        if earlier is not None and earlier.uid == metadata["uid"]:
            version, is_gone = max(version, earlier.version), is_gone or earlier.is_gone
        expectation = Expectation(*place, metadata["uid"], version, is_gone, until)
        self._owed.setdefault(key, {})[place] = expectation
