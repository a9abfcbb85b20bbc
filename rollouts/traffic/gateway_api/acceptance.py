"""Have the Gateways taken in what a route says now?

Every parent of a route reports its own conditions: Accepted, and ResolvedRefs for the backends. They count for the
generation that they were made for. A parent that has never reported anything can't be waited for. A controller that
has a Gateway no more may leave its report behind: of several for one parent, those that know the newest generation
count.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from rollouts.ports import Seen
from rollouts.ports.router import Raw
from rollouts.traffic.gateway_api.targets import GROUP, Found

_CONDITIONS = ("Accepted", "ResolvedRefs")


def seen(every: Iterable[Found]) -> Seen:
    """Return what the parents of all routes say together; nothing known if none of them reports."""
    reports = [(found, parent) for found in every for parent in _parents(found)]
    if not reports:
        return Seen()
    missing = [text for found, parent in reports if (text := _missing(found, parent))]
    return Seen(not missing, "; ".join(missing))


def _parents(found: Found) -> Iterator[Raw]:
    """Yield what is reported for parents that the route still names."""
    named = [_place(each, found.reference.namespace) for each in (found.raw.get("spec") or {}).get("parentRefs") or ()]
    reports: dict[tuple[Any, ...], list[Raw]] = {}
    for each in (found.raw.get("status") or {}).get("parents") or ():
        if (place := _place(each["parentRef"], found.reference.namespace)) in named:
            reports.setdefault(place, []).append(each)
    generation = found.raw["metadata"].get("generation", 0)
    for every in reports.values():
        newest = max(_known(each, generation) for each in every)
        yield from (each for each in every if _known(each, generation) == newest)


def _known(parent: Raw, generation: int) -> int:
    """Return the generation that a report is about; one that doesn't say it is about the newest."""
    return max((each.get("observedGeneration", generation) for each in parent.get("conditions") or ()), default=-1)


def _place(parent: Raw, namespace: str) -> tuple[Any, ...]:
    return (
        parent.get("group", GROUP),
        parent.get("kind", "Gateway"),
        parent.get("namespace") or namespace,
        parent["name"],
        parent.get("sectionName"),
        parent.get("port"),
    )


def _missing(found: Found, parent: Raw) -> str:
    """Say what a parent has not done yet, or has against the route."""
    who = f"{parent['parentRef'].get('kind', 'Gateway')} {parent['parentRef']['name']}"
    conditions = {each["type"]: each for each in parent.get("conditions") or ()}
    if "Accepted" not in conditions:
        return f"{who} has not said yet whether it accepts {found.reference}"
    generation = found.raw["metadata"].get("generation", 0)
    for name in _CONDITIONS:
        condition = conditions.get(name)
        if condition is None:
            continue
        observed = condition.get("observedGeneration")
        if observed is not None and observed < generation:
            return f"{who} has not taken in {found.reference} yet: it knows generation {observed} of {generation}"
        if condition["status"] != "True":
            message = f": {said}" if (said := condition.get("message")) else ""
            return f"{who} says {name}={condition['status']} of {found.reference} ({condition.get('reason')}{message})"
    return ""
