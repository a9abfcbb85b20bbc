"""Which Rollouts' routers read what? Routers are asked once for each spec: strangers' where they can be given up.

So a pass asks, and not a watch: its event loop must never wait for anybody's code.
"""

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

from rollouts.controller.freshness import Freshness
from rollouts.controller.key import Key
from rollouts.controller.traffic import Kind, kind_of, reference_to
from rollouts.guard import Guard
from rollouts.plan.leaving import reads_left
from rollouts.plan.strangers import stranger_routers
from rollouts.plan.traffic import reads_by_router
from rollouts.ports import Kit, Reads, Reference, Selected
from rollouts.ports.checked import PluginError

Raw = Mapping[str, Any]
_ANY = "*"

P = TypeVar("P", bound=Hashable)


class Followed(Protocol):
    """The kinds that are watched."""

    def follow(self, kind: Kind) -> None:
        """Keep a copy of a kind from now on."""

    def unfollow(self, kind: Kind) -> None:
        """Keep a copy of a kind no longer."""


class _Place(NamedTuple):
    """Where somebody reads: an object, or all of a kind that labels may select."""

    kind: Kind
    namespace: str
    name: str


class Readings(NamedTuple):
    """What is read for a Rollout: by the routers that its spec names, and by those that are to be left.

    `unheard` says why these can't tell: that concerns nobody but themselves.
    """

    by_router: Mapping[str, Reads] = MappingProxyType({})
    left: Reads = ()
    unheard: str = ""

    @property
    def needed(self) -> Reads:
        return tuple(dict.fromkeys(read for reads in self.by_router.values() for read in reads))

    @property
    def every(self) -> Reads:
        return (*self.needed, *self.left)


class _Known(NamedTuple):
    """What was read by a version of a spec, and of what the status remembers of routers."""

    version: tuple[object, ...]
    readings: Readings


class Readers:
    """Remembers what each Rollout's routers read, and has it watched as long as somebody does."""

    def __init__(self, traffic: Followed, freshness: Freshness, kit: Kit, guard: Guard) -> None:
        self._traffic = traffic
        self._freshness = freshness
        self._kit = kit
        self._guard = guard
        self._known: dict[Key, _Known] = {}
        self._by_place: dict[_Place, set[Key]] = {}
        self._by_kind: dict[Kind, set[Key]] = {}

    async def readings(self, key: Key, rollout: Raw) -> Readings:
        """Return what the routers of a Rollout read. Raises PluginError where that can't be had."""
        version = _version(rollout)
        known = self._known.get(key)
        if known is not None and known.version == version:
            return known.readings
        run = self._guard.runner(stranger_routers({**rollout, "status": None}, self._kit))
        readings = await self._with_left(rollout, await run(lambda: reads_by_router(rollout, self._kit)))
        self._change(key, known.readings.every if known is not None else (), readings.every)
        self._known[key] = _Known(version if not readings.unheard else (), readings)
        return readings

    async def _with_left(self, rollout: Raw, by_router: Mapping[str, Reads]) -> Readings:
        run = self._guard.runner(stranger_routers(rollout, self._kit))
        try:
            return Readings(by_router, await run(lambda: reads_left(rollout, self._kit)))
        except PluginError as error:
            return Readings(by_router, unheard=str(error))

    def by_router(self, key: Key) -> Mapping[str, Reads]:
        """Return what each router of a Rollout was last known to read."""
        known = self._known.get(key)
        return known.readings.by_router if known is not None else {}

    def forget(self, key: Key) -> None:
        """Drop what is known of a Rollout that is gone."""
        known = self._known.pop(key, None)
        if known is not None:
            self._change(key, known.readings.every, ())

    def of_object(self, raw: Raw) -> frozenset[Key]:
        """Return the Rollouts whose routers read an object, by its name or by its labels."""
        reference = reference_to(raw)
        places = (_place(reference), _place(reference)._replace(name=_ANY))
        return frozenset(key for place in places for key in self._by_place.get(place, ()))

    def of_kind(self, kind: str) -> frozenset[Key]:
        """Return the Rollouts whose routers read objects of a kind, named as it is told of."""
        return frozenset(key for known, keys in self._by_kind.items() if str(known) == kind for key in keys)

    def _change(self, key: Key, before: Reads, now: Reads) -> None:
        """Follow what a Rollout's routers read now, and stop where it was the last."""
        if before == now:
            return
        for read in before:
            _leave(self._by_place, _place(read), key)
            _leave(self._by_kind, kind_of(read), key)
        for read in now:
            self._by_place.setdefault(_place(read), set()).add(key)
            self._by_kind.setdefault(kind_of(read), set()).add(key)
            self._traffic.follow(kind_of(read))
        for read in before:
            if read not in now and isinstance(read, Reference):
                self._freshness.dismiss(key, str(kind_of(read)), read.name, read.namespace)
            if kind_of(read) not in self._by_kind:
                self._traffic.unfollow(kind_of(read))


def _version(rollout: Raw) -> tuple[object, ...]:
    metadata, status = rollout["metadata"], rollout.get("status")
    remembered = status.get("routedBy") if isinstance(status, Mapping) else None
    return metadata["uid"], metadata.get("generation") or metadata["resourceVersion"], remembered


def _place(read: Reference | Selected) -> _Place:
    return _Place(kind_of(read), read.namespace, read.name if isinstance(read, Reference) else _ANY)


def _leave(index: dict[P, set[Key]], place: P, key: Key) -> None:
    keys = index.get(place, set())
    keys.discard(key)
    if not keys:
        index.pop(place, None)
