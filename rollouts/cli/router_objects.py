"""What do the traffic routers of a Rollout read? Read live, in the version that the API server serves."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from rollouts.controller.live_objects import Live
from rollouts.guard import in_time
from rollouts.kube.errors import Forbidden
from rollouts.plan.leaving import reads_left
from rollouts.plan.strangers import stranger_routers
from rollouts.plan.traffic import bound_reads, routing_path
from rollouts.ports import Kit, Objects, Reads, Reference, Selected, picked
from rollouts.ports.checked import PluginError
from rollouts.registry import load_kit

if TYPE_CHECKING:
    from rollouts.cli.session import Session
    from rollouts.kube.client import Api

Raw = Mapping[str, Any]


class OutOfSightError(Exception):
    """Something that a router reads can't be read; the message says what, and why."""


async def router_objects(session: "Session", rollout: Raw, kit: Kit | None = None) -> Objects:
    """Return what the routers read: None for what doesn't exist. Raises OutOfSightError."""
    needed, left = _reads(rollout, kit or load_kit())
    live = await Live.of(partial(_api_in, session), (*needed, *left))
    found: dict[Reference, Raw | None] = {}
    for read in (*needed, *left):
        if read in needed and live.served(read) is None:
            title = f"{read.kind}.{read.group}" if read.group else read.kind
            raise _out_of_sight(rollout, read, f"the API server doesn't serve {title}: install its definition")
        try:
            found |= await live.objects(read)
        except Forbidden as error:
            raise _out_of_sight(rollout, read, str(error)) from error
    return picked((*needed, *left), found)


async def _api_in(session: "Session", _: str) -> "Api":
    return session.api


def _reads(rollout: Raw, kit: Kit) -> tuple[Reads, Reads]:
    try:
        return in_time(stranger_routers(rollout, kit), lambda: (bound_reads(rollout, kit), reads_left(rollout, kit)))
    except PluginError as error:
        raise OutOfSightError(str(error)) from error


def _out_of_sight(rollout: Raw, read: Reference | Selected, why: str) -> OutOfSightError:
    return OutOfSightError(f"{routing_path(rollout)}: {read} can't be read: {why}")
