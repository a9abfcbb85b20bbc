"""What would the controller do with this live Rollout? The same planner, run on what the API server has now."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from rollouts.api import keys
from rollouts.api.base import describe
from rollouts.api.services import service_names
from rollouts.cli.presumed import kit_for
from rollouts.cli.router_objects import OutOfSightError, router_objects
from rollouts.guard import in_time
from rollouts.kube.client import FIELD_MANAGER
from rollouts.kube.errors import Forbidden, NotFound
from rollouts.kube.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    EXPERIMENTS,
    PODS,
    ROLLOUTS,
    SERVICES,
)
from rollouts.plan import Plan, observe_rollout, plan_rollout
from rollouts.plan.analysis.references import closure, templates_of
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.contested import overwriter
from rollouts.plan.invalid import plan_unreadable
from rollouts.plan.pods import observe_pod, pods_wanted
from rollouts.plan.services import rival_of
from rollouts.plan.strangers import strangers_of
from rollouts.plan.workload import reference_in
from rollouts.ports.checked import PluginError
from rollouts.registry import load_kit
from rollouts.sim.belonging import manager_of
from rollouts.view import fields
from rollouts.view.runs import oldest_first
from rollouts.view.status import refused_creation

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Json = dict[str, Any]
Raw = Mapping[str, Any]


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
        for each in await session.readable(SERVICES)
        if manager_of(each) == name and each["metadata"]["name"] not in names
    ]


async def _rivals(session: "Session", rollout: Json, services: dict[str, Json | None]) -> dict[str, str]:
    """Return, by Service, another Rollout of the same controller that was there first; a mark would say it itself."""
    names = [name for name, service in services.items() if service is not None and not manager_of(service)]
    others = await session.readable(ROLLOUTS) if names else []
    same = [each for each in others if _instance_of(each) == _instance_of(rollout)]
    found = {name: rival_of(rollout, (each for each in same if name in service_names(each))) for name in names}
    return {name: rival for name, rival in found.items() if rival}


def _instance_of(rollout: Json) -> str | None:
    instance: str | None = (rollout["metadata"].get("labels") or {}).get(keys.INSTANCE_ID)
    return instance


async def workload_of(session: "Session", rollout: Json) -> Json | None:
    """Read the object that spec.workloadRef names; None where it doesn't exist."""
    if reference_in(rollout) is None:
        return None
    try:
        return (await session.workload(rollout))[1]
    except NotFound:
        return None


@dataclass(frozen=True, slots=True)
class Measured:
    """What measures in a namespace: runs and experiments, whoever owns them."""

    runs: Sequence[Json] = ()
    experiments: Sequence[Json] = ()


async def measured(session: "Session") -> Measured:
    """Read what measures in the namespace, as far as we may."""
    runs, experiments = await asyncio.gather(session.readable(ANALYSIS_RUNS), session.readable(EXPERIMENTS))
    return Measured(runs, experiments)


async def read_templates(
    session: "Session", roots: Iterable[TemplateKey], held: Mapping[TemplateKey, Raw] | None = None
) -> dict[TemplateKey, Raw | None]:
    """Read the specs of analysis templates and of all that they refer to; None for each that doesn't exist.

    Those in `held` are known already, and not read.
    """
    wanted = list(roots)
    known: dict[TemplateKey, Raw | None] = {**(held or {})}
    while True:
        found = closure(iter(wanted), known.get)
        missing = [key for key in found if key not in known]
        if not missing:
            return found
        specs = await asyncio.gather(*(_template(session, key) for key in missing))
        known |= zip(missing, specs, strict=True)


async def _template(session: "Session", key: TemplateKey) -> Raw | None:
    resource = CLUSTER_ANALYSIS_TEMPLATES if key.is_cluster else ANALYSIS_TEMPLATES
    if not key.name:
        return None
    try:
        template = await session.api.get(resource, None if key.is_cluster else session.namespace, key.name)
    except NotFound:
        return None
    return fields.part(template, "spec")


async def plan_now(
    session: "Session", rollout: Json, replica_sets: list[Json], now: datetime, beside: Measured | None = None
) -> Plan:
    """Return the plan for the objects as they are; what else the plan needs is read."""
    services, workload, left, templates = await asyncio.gather(
        services_of(session, rollout),
        workload_of(session, rollout),
        _left(session, rollout),
        read_templates(session, templates_of(rollout)),
    )
    beside = beside or await measured(session)
    rivals = await _rivals(session, rollout, services)
    kit = kit_for(rollout, load_kit())
    try:
        objects = await router_objects(session, rollout, kit)
    except OutOfSightError as error:
        return plan_unreadable(rollout, str(error), now)
    try:
        observed = observe_rollout(
            rollout,
            replica_sets,
            services,
            left=left,
            rivals=rivals,
            workload=workload,
            runs=oldest_first(fields.controlled_by(rollout, beside.runs)),
            experiments=oldest_first(fields.controlled_by(rollout, beside.experiments)),
            templates=templates,
            objects=objects,
        )
    except ValidationError as error:
        return plan_unreadable(rollout, describe(error), now)
    writers = {place: overwriter(raw, FIELD_MANAGER) for place, raw in objects.items() if raw is not None}
    observed = replace(observed, contested={place: writer for place, writer in writers.items() if writer})
    if (selector := pods_wanted(observed, now)) is not None:
        listed = await session.found(PODS, label_selector=selector)
        observed = replace(observed, pods=tuple(observe_pod(each, observed, now) for each in listed))
    try:
        return in_time(strangers_of(observed, kit), lambda: plan_rollout(observed, now, kit))
    except PluginError as error:
        return plan_unreadable(rollout, str(error), now)


async def because_of(
    session: "Session", rollout: Json, replica_sets: list[Json], now: datetime, beside: Measured | None = None
) -> str:
    """Return what the API server refuses, or the planner's first reason; nothing when we may not read what it needs."""
    if refusal := refused_creation(rollout):
        return refusal
    try:
        plan = await plan_now(session, rollout, replica_sets, now, beside)
    except Forbidden:
        return ""
    return plan.because[0] if plan.because else ""
