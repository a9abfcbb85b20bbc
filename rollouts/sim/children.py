"""What have Rollouts set going beside their pods, and by which rules does the API server take writes of it?"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollouts.api.timestamps import format_time, parse_time
from rollouts.plan.actions import ChildAction, CreateChild, DeleteChild, TerminateChild
from rollouts.sim.belonging import owner_of
from rollouts.sim.objects import DeniedError
from rollouts.sim.patching import merged, replaced

Raw = Mapping[str, Any]
Place = tuple[str, str]


@dataclass(slots=True)
class Children:
    """Analysis runs and experiments, by kind and name. `refusal` is what is answered to everything that is created."""

    live: dict[Place, Raw] = field(default_factory=dict)
    refusal: str = ""

    def write(self, action: ChildAction, version: str, now: datetime) -> None:
        """Carry out a plan's action; what it writes gets `version`. Raises DeniedError."""
        place = (action.kind, action.name)
        match action:
            case CreateChild():
                self._create(place, action.body, version, now)
            case TerminateChild():
                self._find(place, action.uid)
                self.patch(place, {"spec": {"terminate": True}}, version)
            case DeleteChild():
                self._find(place, action.uid)
                del self.live[place]

    def patch(self, place: Place, patch: Raw, version: str) -> None:
        """Merge a patch into a child."""
        self.put(place, merged(self.live[place], patch), version)

    def put(self, place: Place, raw: Raw, version: str) -> None:
        """Store a new version of a child; of these kinds the generation counts every write."""
        if raw != self.live[place]:
            stamp = {"generation": raw["metadata"]["generation"] + 1, "resourceVersion": version}
            self.live[place] = replaced(raw, metadata={**raw["metadata"], **stamp})

    def _create(self, place: Place, body: Raw, version: str, now: datetime) -> None:
        if self.refusal:
            raise DeniedError("Forbidden", self.refusal)
        if (found := self.live.get(place)) is not None:
            if owner_of(found) != owner_of(body):
                raise DeniedError("AlreadyExists", f'{place[0]} "{place[1]}" already exists')
            return
        stamp = {"uid": f"uid-{version}", "creationTimestamp": format_time(now), "generation": 1}
        self.live[place] = replaced(body, metadata={**body["metadata"], **stamp, "resourceVersion": version})

    def _find(self, place: Place, uid: str) -> Raw:
        raw = self.live.get(place)
        if raw is None:
            raise DeniedError("NotFound", f'{place[0]} "{place[1]}" not found')
        if raw["metadata"]["uid"] != uid:
            raise DeniedError("Conflict", f'{place[0]} "{place[1]}" is another object by now')
        return raw


def children_of(live: Mapping[Place, Raw], kind: str, uid: str) -> Iterator[Raw]:
    """Yield the children of one kind that an owner has, oldest first."""
    owned = [raw for (found, _), raw in live.items() if found == kind and owner_of(raw) == uid]
    yield from sorted(
        owned, key=lambda raw: (parse_time(raw["metadata"]["creationTimestamp"]), raw["metadata"]["name"])
    )
