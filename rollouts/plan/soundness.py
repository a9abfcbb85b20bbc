"""Is this Rollout sound, and is that known already? What was found sound isn't checked again until that changes.

Checking costs more than the rest of a plan: each template of each analysis is read, with its conditions and providers.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from rollouts.plan.analysis.templates import Find
from rollouts.plan.bound import StepError
from rollouts.plan.observed import Observed
from rollouts.plan.problem import Problem
from rollouts.plan.validate import CANARY, problems
from rollouts.ports import Kit
from rollouts.ports.checked import PluginError

Raw = Mapping[str, Any]

_UNREADABLE = Problem(
    f"{CANARY}.trafficRouting",
    "whoever looks after this Rollout can't read the objects of traffic routers: remove it, and pods share the traffic",
)
# They change with each write, and say nothing of what was written.
_VERSIONS = frozenset({"resourceVersion", "generation"})


def found_problems(here: Observed, kit: Kit) -> tuple[Problem, ...]:
    """Return all that keeps a Rollout from being carried out."""
    is_known = here.sound is not None and here.sound == _basis(here, kit)
    return () if is_known else tuple(_problems(here, kit, here.templates.get))


def other_problem(here: Observed, kit: Kit) -> Problem | None:
    """Return the first problem that isn't one of analyses or experiments."""
    return next(_problems(here, kit, None), None)


def checked(here: Observed, kit: Kit) -> Observed:
    """Return the same picture; it knows if it is sound, and so does each later one that is made from it.

    Trouble isn't kept: it is told by each plan, until it is over.
    """
    basis = _basis(here, kit)
    if here.sound == basis:
        return here
    with suppress(PluginError, StepError):
        if next(_problems(here, kit, here.templates.get), None) is None:
            return replace(here, sound=basis)
    return here


def _basis(here: Observed, kit: Kit) -> tuple[object, ...]:
    """Return all that problems depend on. What nobody has changed is the same object, so comparing costs little."""
    metadata = {key: value for key, value in here.raw["metadata"].items() if key not in _VERSIONS}
    seen = (here.services, here.rivals, here.objects, here.workload, here.templates)
    return (kit, metadata, here.raw["spec"], *seen)


def _problems(here: Observed, kit: Kit, templates: Find | None) -> Iterator[Problem]:
    found = problems(
        here.rollout,
        here.raw,
        kit,
        here.services,
        here.rivals,
        objects=here.objects,
        workload=here.workload,
        templates=templates,
    )
    is_sound = True
    for problem in found:
        is_sound = False
        yield problem
    if is_sound and here.objects is None and _is_routed(here):
        yield _UNREADABLE


def _is_routed(here: Observed) -> bool:
    strategy = here.rollout.spec.strategy
    parts = (strategy.canary, strategy.blue_green) if strategy is not None else ()
    return any(each is not None and each.traffic_routing is not None for each in parts)
