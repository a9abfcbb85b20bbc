"""What would the controller do with this live Rollout? The same planner, run on what the API server has now."""

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rollouts.api.base import describe
from rollouts.api.services import service_names
from rollouts.kube.errors import Forbidden, NotFound
from rollouts.kube.resources import PODS, SERVICES
from rollouts.plan import Plan, observe_rollout, plan_rollout
from rollouts.plan.invalid import plan_unreadable
from rollouts.plan.pods import observe_pod, pods_wanted
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
    services, workload = await asyncio.gather(services_of(session, rollout), workload_of(session, rollout))
    try:
        observed = observe_rollout(rollout, replica_sets, services, workload=workload)
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
