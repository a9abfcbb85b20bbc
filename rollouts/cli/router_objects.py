"""What do the traffic routers of a Rollout read? Read live, in the version that the API server serves."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rollouts.kube.discovery import discover
from rollouts.kube.errors import Forbidden, NotFound
from rollouts.kube.resources import Resource
from rollouts.plan.leaving import reads_left
from rollouts.plan.traffic import bound_reads
from rollouts.ports import Kit, Objects, Reference, Selected, picked
from rollouts.registry import load_kit

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Raw = Mapping[str, Any]


class OutOfSightError(Exception):
    """Something that a router reads can't be read; the message says what, and why."""


async def router_objects(session: "Session", rollout: Raw, kit: Kit | None = None) -> Objects:
    """Return what the routers read: None for what doesn't exist. Raises OutOfSightError."""
    kit = kit or load_kit()
    needed, left = bound_reads(rollout, kit), reads_left(rollout, kit)
    reads = (*needed, *left)
    kinds = list({(each.group, each.kind) for each in reads})
    served = dict(zip(kinds, await asyncio.gather(*(discover(session.api, *each) for each in kinds)), strict=True))
    found: dict[Reference, Raw | None] = {}
    for read in reads:
        resource = served[read.group, read.kind]
        if resource is None and read in left:
            continue  # what isn't served has no objects that could be left
        if resource is None:
            title = f"{read.kind}.{read.group}" if read.group else read.kind
            raise _out_of_sight(read, f"the API server doesn't serve {title}: install its definition")
        try:
            found |= await _objects(session, resource, read)
        except Forbidden as error:
            raise _out_of_sight(read, str(error)) from error
    return picked(reads, found)


async def _objects(
    session: "Session", resource: Resource, read: Reference | Selected
) -> Mapping[Reference, Raw | None]:
    if isinstance(read, Reference):
        try:
            return {read: await session.api.get(resource, read.namespace, read.name)}
        except NotFound:
            return {}
    listing = await session.api.list(resource, read.namespace, label_selector=str(read.selector) or None)
    return {Reference(read.group, read.kind, read.namespace, each["metadata"]["name"]): each for each in listing.items}


def _out_of_sight(read: Reference | Selected, why: str) -> OutOfSightError:
    return OutOfSightError(f"spec.strategy.canary.trafficRouting: {read} can't be read: {why}")
