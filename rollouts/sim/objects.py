"""Which objects do traffic routers have in a world, and by which rules does the API server take writes of them?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollouts.api.timestamps import format_time
from rollouts.plan.actions import CreateObject, DeleteObject, ObjectAction, PatchObject
from rollouts.ports import Reference
from rollouts.sim.patching import merged, replaced

Raw = Mapping[str, Any]


class DeniedError(Exception):
    """A write that the API server doesn't take; `reason` is its Status' reason."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(slots=True)
class RouterObjects:
    """The objects, by reference. `denials` says what is answered to writes of some of them."""

    live: dict[Reference, Raw] = field(default_factory=dict)
    denials: dict[Reference, str] = field(default_factory=dict)

    def write(self, action: ObjectAction, version: str, now: datetime) -> None:
        """Carry out a plan's action; what it writes gets `version`. Raises DeniedError."""
        if action.reference in self.denials:
            raise DeniedError("Forbidden", self.denials[action.reference])
        match action:
            case CreateObject():
                self.create(action.reference, action.body, version, now)
            case PatchObject():
                self.patch(action.reference, action.body, version, seen=action.resource_version)
            case DeleteObject():
                self._find(action.reference, action.resource_version)
                del self.live[action.reference]

    def create(self, reference: Reference, raw: Raw, version: str, now: datetime) -> None:
        """Create an object."""
        if reference in self.live:
            raise DeniedError("AlreadyExists", f"{reference} already exists")
        stamp = {"uid": f"uid-{version}", "creationTimestamp": format_time(now), "generation": 1}
        names = {"name": reference.name, "namespace": reference.namespace}
        metadata = {**raw.get("metadata", {}), **names, **stamp, "resourceVersion": version}
        self.live[reference] = replaced(raw, kind=reference.kind, metadata=metadata)

    def patch(self, reference: Reference, patch: Raw, version: str, *, seen: str | None = None) -> None:
        """Merge a patch into an object; the generation counts changes of the spec."""
        old = self._find(reference, seen)
        raw = merged(old, patch)
        if raw == old:
            return
        generation = old["metadata"]["generation"] + (raw.get("spec") != old.get("spec"))
        stamp = {"generation": generation, "resourceVersion": version}
        self.live[reference] = replaced(raw, metadata={**raw["metadata"], **stamp})

    def _find(self, reference: Reference, seen: str | None) -> Raw:
        if reference not in self.live:
            raise DeniedError("NotFound", f"{reference} not found")
        raw = self.live[reference]
        if seen not in (None, raw["metadata"]["resourceVersion"]):
            raise DeniedError("Conflict", f"{reference} has been modified: read it again")
        return raw
