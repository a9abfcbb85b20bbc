"""How is a migration carried out live? Read everything, decide, do one step, and read everything again."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rollouts.api.selectors import format_selector
from rollouts.cli.console import say
from rollouts.cli.errors import CommandError, describe
from rollouts.kube.errors import AlreadyExists, Forbidden, KubeError, NotFound
from rollouts.kube.patches import PatchType
from rollouts.kube.resources import (
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    HORIZONTAL_POD_AUTOSCALERS,
    POD_DISRUPTION_BUDGETS,
    PODS,
    ROLLOUTS,
    SCALED_OBJECTS,
    SERVICES,
    VERTICAL_POD_AUTOSCALERS,
    Resource,
)
from rollouts.migrate.course import course, decide
from rollouts.migrate.documents import selects
from rollouts.migrate.objects import name_of, part
from rollouts.migrate.steps import Create, Delete, Done, Patch, Seen, Step, Stuck, Wait, is_held

if TYPE_CHECKING:
    from rollouts.cli.session import Session
    from rollouts.migrate.wish import Wish

Json = dict[str, Any]

_LOOK_AGAIN = 0.5  # seconds between two looks while waiting
_SCALERS = (HORIZONTAL_POD_AUTOSCALERS, SCALED_OBJECTS, VERTICAL_POD_AUTOSCALERS)
_RESOURCES = {each.kind: each for each in (DEPLOYMENTS, ROLLOUTS, SERVICES, *_SCALERS)}


async def read(session: "Session", name: str, wish: "Wish") -> Seen:
    """Read a workload and what is around it."""
    rollout = await _read_one(session, ROLLOUTS, name)
    reference = part(rollout, "spec", "workloadRef") if wish.is_reverse else {}
    deployment = await _read_one(session, DEPLOYMENTS, str(reference.get("name") or name))
    scalers = [each for resource in _SCALERS for each in await _read_all(session, resource)]
    holder = deployment if deployment is not None else rollout
    services = [
        each for each in await _read_all(session, SERVICES) if selects(each, holder) or is_held_by(each, rollout)
    ]
    budgets = [each for each in await _read_all(session, POD_DISRUPTION_BUDGETS) if selects(each, holder)]
    moves_back = wish.is_reverse and rollout is not None
    return Seen(
        deployment=deployment,
        rollout=rollout,
        scalers=tuple(scalers),
        services=tuple(services),
        budgets=tuple(budgets),
        replica_sets=tuple(await session.replica_sets(rollout)) if wish.is_reverse and rollout is not None else (),
        unserved=await _unserved(session, deployment, services) if moves_back and deployment else frozenset(),
    )


def is_held_by(service: Json, rollout: Json | None) -> bool:
    """Whether a Rollout is named as the one that manages a Service."""
    return rollout is not None and is_held({**service, "spec": {}}, rollout)


async def _read_one(session: "Session", resource: Resource, name: str) -> Json | None:
    try:
        found = await session.api.get(resource, session.namespace, name)
    except NotFound as error:
        if not error.details.get("name"):
            raise  # the kind isn't installed
        return None
    return {"apiVersion": resource.api_version, "kind": resource.kind, **found}


async def _read_all(session: "Session", resource: Resource) -> list[Json]:
    try:
        return (await session.api.list(resource, session.namespace)).items
    except NotFound:
        return []  # nobody has installed this kind
    except Forbidden:
        # To those who have no rights in a group, a server says so before it says that there is no such group.
        groups = (await session.api.fetch("/apis")).get("groups") or ()
        if any(each.get("name") == resource.group for each in groups):
            raise
        return []


async def _unserved(session: "Session", deployment: Json, services: Sequence[Json]) -> frozenset[str]:
    """Return the Services that don't send requests to all of the Deployment's available pods."""
    selector = f"{format_selector(part(deployment, 'spec', 'selector'))},pod-template-hash"
    pods = {name_of(each) for each in (await session.api.list(PODS, session.namespace, label_selector=selector)).items}
    wanted = part(deployment, "status").get("availableReplicas", 0)
    found = set()
    for service in services:
        label = f"kubernetes.io/service-name={name_of(service)}"
        slices = (await session.api.list(ENDPOINT_SLICES, session.namespace, label_selector=label)).items
        reached = {name for each in slices for name in _ready_pods(each)}
        if len(reached & pods) < wanted:
            found.add(name_of(service))
    return frozenset(found)


def _ready_pods(endpoint_slice: Mapping[str, Any]) -> set[str]:
    return {
        str(part(each, "targetRef").get("name"))
        for each in endpoint_slice.get("endpoints") or ()
        if part(each, "conditions").get("ready") is not False
    }


async def carry_out(session: "Session", name: str, wish: "Wish", limit: tuple[str, float | None]) -> None:
    """Go on until all is done. What is done already isn't done again: it is safe to begin anew at any time."""
    progress = _Progress(limit[1])
    try:
        async with asyncio.timeout(None) as patience:
            await _carry_out(session, name, wish, progress, patience)
    except TimeoutError as error:
        still = f"for {limit[0]} nothing has happened: {progress.told}"
        raise CommandError(f"{still}; {_ways(session, name, wish)}") from error
    except KubeError as error:
        line = describe(error, f"migration of {name!r}", session.namespace)
        raise CommandError(f"{line}; {_ways(session, name, wish)}") from error


class _Progress:
    """What has been told of a run; whatever moves is given its time anew."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._number = 0
        self.told = ""

    def tell(self, text: str, patience: asyncio.Timeout) -> None:
        """Say what happens, unless it has been said."""
        if text == self.told:
            return
        patience.reschedule(None if self._limit is None else asyncio.get_running_loop().time() + self._limit)
        self._number += 1
        self.told = text
        say(f"{self._number}. {text}")


async def _carry_out(
    session: "Session", name: str, wish: "Wish", progress: _Progress, patience: asyncio.Timeout
) -> None:
    seen = await read(session, name, wish)
    await _rehearse(session, seen, wish)
    while True:
        decision = decide(seen, wish)
        if isinstance(decision, Done):
            say(f"done: {decision.said}")
            return
        if isinstance(decision, Stuck):
            raise CommandError(f"{name!r}: {decision.why}. {decision.way_out}. {_ways(session, name, wish)}")
        text = f"{decision.title} ({decision.because})" if isinstance(decision, Wait) else decision.title
        progress.tell(text, patience)
        await _perform(session, decision)
        seen = await read(session, name, wish)


async def _rehearse(session: "Session", seen: Seen, wish: "Wish") -> None:
    """Ask the API server whether it would take what is to be created, before anything is changed."""
    for step in course(seen, wish).steps:
        if isinstance(step, Create):
            await session.api.create(_resource(step.obj), session.namespace, step.obj, dry_run=True)


async def _perform(session: "Session", step: Step) -> None:
    match step:
        case Wait():
            await asyncio.sleep(_LOOK_AGAIN)
        case Create(obj=obj):
            with contextlib.suppress(AlreadyExists):  # somebody was faster: the next look decides about it
                await session.api.create(_resource(obj), session.namespace, obj)
        case Patch(target=target, body=body):
            form = PatchType.MERGE if isinstance(body, Mapping) else PatchType.JSON
            await session.api.patch(_resource(target), session.namespace, name_of(target), body, patch_type=form)
        case Delete(target=target):
            uid = part(target, "metadata").get("uid")
            # It goes after its pods: an autoscaler that counts them must be kept from it until then.
            with contextlib.suppress(NotFound):  # somebody was faster
                await session.api.delete(
                    _resource(target), session.namespace, name_of(target), propagation="Foreground", uid=uid
                )


def _resource(obj: Mapping[str, Any]) -> Resource:
    return _RESOURCES[str(obj.get("kind"))]


def _ways(session: "Session", name: str, wish: "Wish") -> str:
    """Tell how to go on, and how to go back: either works from wherever this has stopped."""
    command = f"rollouts migrate deployment {name} -n {session.namespace} --run"
    there, back = command, f"{command} --reverse"
    if wish.workload_ref is not None:
        there = f"{command} --workload-ref --scale-down {wish.workload_ref.value}"
    on, away = (back, there) if wish.is_reverse else (there, back)
    return f"to go on: `{on}`; to go back: `{away}`"
