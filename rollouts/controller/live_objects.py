"""What do routers' objects look like at this moment? Read from the API server, in the version that it serves."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.kube.client import Api
from rollouts.kube.discovery import discover
from rollouts.kube.errors import NotFound
from rollouts.kube.resources import Resource
from rollouts.ports import Reads, Reference, Selected

Raw = Mapping[str, Any]
Kind = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Live:
    """Reads objects of kinds whose resources are known; None is one that isn't served."""

    api: Api
    served: Mapping[Kind, Resource | None]

    @classmethod
    async def of(cls, api: Api, reads: Reads) -> "Live":
        """Find out where the kinds are served. Raises KubeError."""
        kinds = list({(each.group, each.kind) for each in reads})
        found = await asyncio.gather(*(discover(api, *each) for each in kinds))
        return cls(api, dict(zip(kinds, found, strict=True)))

    def resource(self, read: Reference | Selected) -> Resource | None:
        """Return where the kind of what is read is served, if it is."""
        return self.served.get((read.group, read.kind))

    async def objects(self, read: Reference | Selected) -> Mapping[Reference, Raw]:
        """Return what is there of what is read. Raises KubeError."""
        resource = self.resource(read)
        if resource is None:
            return {}
        if isinstance(read, Reference):
            try:
                return {read: await self.api.get(resource, read.namespace, read.name)}
            except NotFound:
                return {}
        listing = await self.api.list(resource, read.namespace, label_selector=str(read.selector) or None)
        return {
            Reference(read.group, read.kind, read.namespace, each["metadata"]["name"]): each for each in listing.items
        }

    async def all_of(self, reads: Reads) -> Mapping[Reference, Raw]:
        """Return what is there of all that is read. Raises KubeError."""
        every = await asyncio.gather(*(self.objects(read) for read in reads))
        return {place: raw for found in every for place, raw in found.items()}
