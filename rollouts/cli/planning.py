"""What would the controller do with this live Rollout? The same planner, run on what the API server has now."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rollouts.api import keys
from rollouts.api.base import describe
from rollouts.api.services import service_names
from rollouts.kube.errors import Forbidden, NotFound
from rollouts.kube.resources import PODS, ROLLOUTS, SERVICES, Resource
from rollouts.plan import Plan, observe_rollout, plan_rollout
from rollouts.plan.invalid import plan_unreadable
from rollouts.plan.pods import observe_pod, pods_wanted
from rollouts.plan.services import rival_of
from rollouts.plan.workload import reference_in
from rollouts.registry import load_kit
from rollouts.view.status import refused_creation

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Json = dict[str, Any]


async def services_of(session: "Session", rollout: Json) -> dict[str, Json | None]:
    """Read the Services that the spec names; None for each that doesn't exist."""
    names = service_names(rollout)
    return dict(zip(names, await asyncio.gather(*(_service(session, name) for name in names)), strict=True))


async def _service(session: "Session", name: str) -> Json | None:
    try:
        return await session.api.get(SERVICES, session.namespace, name)
    except NotFound:
        return None


async def _left(session: "Session", rollout: Json) -> list[Json]:
    """Read the Services that are still marked as the Rollout's, though its spec names them no longer."""
    names, name = service_names(rollout), rollout["metadata"]["name"]
    return [
        each
        for each in await _listed(session, SERVICES)
        if _manager_of(each) == name and each["metadata"]["name"] not in names
    ]


async def _rivals(session: "Session", rollout: Json, services: dict[str, Json | None]) -> dict[str, str]:
    """Return, by Service, another Rollout of the same controller that was there first; a mark would say it itself."""
    names = [name for name, service in services.items() if service is not None and not _manager_of(service)]
    others = await _listed(session, ROLLOUTS) if names else []
    same = [each for each in others if _instance_of(each) == _instance_of(rollout)]
    found = {name: rival_of(rollout, (each for each in same if name in service_names(each))) for name in names}
    return {name: rival for name, rival in found.items() if rival}


def _manager_of(service: Json) -> str | None:
    manager: str | None = (service["metadata"].get("annotations") or {}).get(keys.MANAGED_BY)
    return manager


def _instance_of(rollout: Json) -> str | None:
    instance: str | None = (rollout["metadata"].get("labels") or {}).get(keys.INSTANCE_ID)
    return instance


async def _listed(session: "Session", resource: Resource) -> list[Json]:
    """Read all objects of a kind; whoever may not list them does without what they would tell."""
    try:
        return (await session.api.list(resource, session.namespace)).items
    except Forbidden:
        return []


async def workload_of(session: "Session", rollout: Json) -> Json | None:
    """Read the object that spec.workloadRef names; None where it doesn't exist."""
    if reference_in(rollout) is None:
        return None
    try:
        return (await session.workload(rollout))[1]
    except NotFound:
        return None


async def plan_now(session: "Session", rollout: Json, replica_sets: list[Json], now: datetime) -> Plan:
    """Return the plan for the objects as they are; what else the plan needs is read."""
    services, workload, left = await asyncio.gather(
        services_of(session, rollout), workload_of(session, rollout), _left(session, rollout)
    )
    rivals = await _rivals(session, rollout, services)
    try:
        observed = observe_rollout(rollout, replica_sets, services, left=left, rivals=rivals, workload=workload)
    except ValidationError as error:
        return plan_unreadable(rollout, describe(error), now)
    if (selector := pods_wanted(observed, now)) is not None:
        listed = (await session.api.list(PODS, session.namespace, label_selector=selector)).items
        observed = replace(observed, pods=tuple(observe_pod(each, observed, now) for each in listed))
    return plan_rollout(observed, now, load_kit())


async def because_of(session: "Session", rollout: Json, replica_sets: list[Json], now: datetime) -> str:
    """Return what the API server refuses, or the planner's first reason; nothing when we may not read what it needs."""
    if refusal := refused_creation(rollout):
        return refusal
    try:
        plan = await plan_now(session, rollout, replica_sets, now)
    except Forbidden:
        return ""
    return plan.because[0] if plan.because else ""
