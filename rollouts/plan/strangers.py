"""Whose code takes part in a plan that isn't ours? Such a plan is made where it can be given up."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rollouts.api.status import parse_status
from rollouts.plan.analysis.metric import ProviderError, place_of
from rollouts.plan.bound import PLUGIN
from rollouts.plan.observed import Observed
from rollouts.plan.traffic import routed_part
from rollouts.ports import Kit

Raw = Mapping[str, Any]
NOBODY: frozenset[str] = frozenset()


def strangers_of(here: Observed, kit: Kit) -> frozenset[str]:
    """Return the strangers' plugins whose code takes part in the plan of a Rollout."""
    if not kit.strangers:
        return NOBODY
    templates = (each for each in here.templates.values() if each is not None)
    return frozenset(_known((*_named(here), *_providers(templates)), kit))


def stranger_routers(rollout: Raw, kit: Kit) -> frozenset[str]:
    """Return the strangers' routers that a raw Rollout names, or is still to leave, whatever else is wrong with it."""
    if not kit.strangers:
        return NOBODY
    routing = _within(routed_part(rollout), "trafficRouting")
    status, _ = parse_status(_within(rollout, "status"))
    named = (*routing, *_within(routing, "plugins"), *(each.router for each in status.routed_by))
    return frozenset(_known(named, kit))


def _within(raw: Raw, *names: str) -> Raw:
    part: Any = raw
    for name in names:
        part = part.get(name) if isinstance(part, Mapping) else None
    return part if isinstance(part, Mapping) else {}


def strangers_in(specs: Iterable[Raw], kit: Kit) -> frozenset[str]:
    """Return the strangers' metric providers whose code takes part in the plans of runs, or templates, with specs."""
    return frozenset(_known(_providers(specs), kit)) if kit.strangers else NOBODY


def stranger(name: str, kit: Kit) -> frozenset[str]:
    """Return a plugin's name if it is a stranger's."""
    return frozenset((name,)) if name in kit.strangers else NOBODY


def _known(names: Iterable[str], kit: Kit) -> Iterator[str]:
    yield from (name for name in names if name in kit.strangers)


def _named(here: Observed) -> Iterator[str]:
    """Yield the plugins that the steps and the traffic routing of a Rollout name, and the routers to be left."""
    if not here.unheard:
        yield from (each.router for each in here.status.routed_by)
    strategy = here.rollout.spec.strategy
    canary, blue_green = (strategy.canary, strategy.blue_green) if strategy else (None, None)
    steps = canary.steps or () if canary is not None else ()
    yield from (spec.name for step in steps for key, spec in step.actions if key == PLUGIN)
    for part in (canary, blue_green):
        if part is not None and part.traffic_routing is not None:
            yield from (name for name, _ in part.traffic_routing)
            yield from part.traffic_routing.plugins or ()


def _providers(specs: Iterable[Raw]) -> Iterator[str]:
    for spec in specs:
        for metric in spec.get("metrics") or ():
            try:
                yield place_of(metric).key
            except (ProviderError, AttributeError):
                continue  # it names none that could be called
