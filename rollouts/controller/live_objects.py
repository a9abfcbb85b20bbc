"""What do routers' objects look like at this moment? Read from the API server, in the version that it serves."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.controller.traffic import Kind, Served, kind_of
from rollouts.kube.client import Api
from rollouts.kube.discovery import discover
from rollouts.kube.errors import NotFound
from rollouts.ports import Reads, Reference, Selected

Raw = Mapping[str, Any]
ApiOf = Callable[[str], Awaitable[Api]]


@dataclass(frozen=True, slots=True)
class Live:
    """Reads objects of kinds whose resources are known; None is one that isn't served."""

    found: Mapping[Kind, Served | None]

    @classmethod
    async def of(cls, api_of: ApiOf, reads: Reads) -> "Live":
        """Find out where the kinds are served; `api_of` returns the API for a group. Raises KubeError."""
        kinds = list(dict.fromkeys(map(kind_of, reads)))
        found = await asyncio.gather(*(_served(api_of, each) for each in kinds))
        return cls(dict(zip(kinds, found, strict=True)))

    def served(self, read: Reference | Selected) -> Served | None:
        """Return where the kind of what is read is served, if it is."""
        return self.found.get(kind_of(read))

    async def objects(self, read: Reference | Selected) -> Mapping[Reference, Raw]:
        """Return what is there of what is read. Raises KubeError."""
        served = self.served(read)
        if served is None:
            return {}
        api, resource = served
        if isinstance(read, Reference):
            try:
                return {read: await api.get(resource, read.namespace, read.name)}
            except NotFound:
                return {}
        listing = await api.list(resource, read.namespace, label_selector=str(read.selector) or None)
        return {
            Reference(read.group, read.kind, read.namespace, each["metadata"]["name"]): each for each in listing.items
        }

    async def all_of(self, reads: Reads) -> Mapping[Reference, Raw]:
        """Return what is there of all that is read. Raises KubeError."""
        every = await asyncio.gather(*(self.objects(read) for read in reads))
        return {place: raw for found in every for place, raw in found.items()}


async def _served(api_of: ApiOf, kind: Kind) -> Served | None:
    api = await api_of(kind.group)
    resource = await discover(api, *kind)
    return Served(api, resource) if resource is not None else None
