"""How does a Route become Ingresses and RouteGroups of Skipper?

An Ingress of people's names both Services at each path whose traffic is shared; an annotation tells what they weigh.
A RouteGroup has the weights where it names them.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

from rollouts.api.traffic import SkipperTrafficRouting
from rollouts.ports import Ability, Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.route_groups import lacking, patch, route_group
from rollouts.traffic.shares import shares_of

GROUP = "networking.k8s.io"
WEIGHTS = "zalando.org/backend-weights"


class Skipper(Router[SkipperTrafficRouting]):
    """Sets weights in an annotation of Ingresses, and in RouteGroups."""

    key = "skipper"
    model: ClassVar = SkipperTrafficRouting
    abilities = frozenset({Ability.MAX_WEIGHT, Ability.PING_PONG})

    def problems(self, spec: SkipperTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        if not spec.ingresses and not spec.route_groups:
            yield "", "names no Ingress and no RouteGroup: list in ingresses or routeGroups those with both Services"
        for field, names in (("ingresses", spec.ingresses), ("routeGroups", spec.route_groups)):
            times = Counter(names)
            for index, name in enumerate(names):
                if times[name] > 1:
                    yield f"{field}[{index}]", f"{name} is listed {times[name]} times: list it once"
        if objects is not None:
            yield from _all_lacking(spec, owner, objects)

    def reads(self, spec: SkipperTrafficRouting, owner: Owner) -> Reads:
        ingresses = (_ingress(owner, name) for name in dict.fromkeys(spec.ingresses))
        return (*ingresses, *(route_group(owner, name) for name in dict.fromkeys(spec.route_groups)))

    def write(self, spec: SkipperTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        found: list[Write] = []
        for name in dict.fromkeys(spec.ingresses):
            reference = _ingress(owner, name)
            if (raw := objects.get(reference)) is not None and (now := _weights(raw)) is not None:
                wanted = now | shares_of(route)
                if wanted != now:
                    text = json.dumps(wanted, sort_keys=True)
                    found.append(Patch(reference, {"metadata": {"annotations": {WEIGHTS: text}}}))
        for name in dict.fromkeys(spec.route_groups):
            reference = route_group(owner, name)
            if (raw := objects.get(reference)) is not None and (body := patch(raw, route)):
                found.append(Patch(reference, body))
        return tuple(found)


def _ingress(owner: Owner, name: str) -> Reference:
    return Reference(GROUP, "Ingress", owner.namespace, name)


def _weights(raw: Raw) -> dict[str, Any] | None:
    """Return the weights of an Ingress by Service; None where what is there can't be read."""
    text = ((raw.get("metadata") or {}).get("annotations") or {}).get(WEIGHTS) or "{}"
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _all_lacking(spec: SkipperTrafficRouting, owner: Owner, objects: Objects) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(spec.ingresses):
        yield from ((f"ingresses[{index}]", message) for message in _live(name, owner, objects))
    for index, name in enumerate(spec.route_groups):
        place = route_group(owner, name)
        yield from ((f"routeGroups[{index}]", message) for message in lacking(place, objects.get(place), owner))


def _live(name: str, owner: Owner, objects: Objects) -> Iterator[str]:
    reference = _ingress(owner, name)
    raw = objects.get(reference)
    if raw is None:
        yield f"{reference} doesn't exist in namespace {owner.namespace}: create it"
        return
    if _weights(raw) is None:
        yield f"the annotation {WEIGHTS} of {reference} can't be read: write a JSON object, or remove it"
    ends = {each for each in (owner.canary_service, owner.stable_service) if each}
    paths = list(_services(raw))
    if ends and not any(ends <= services for services in paths):
        both = " and ".join(sorted(ends))
        yield f"no path of {reference} has both {both} as backends: list one twice"
    for services in paths:
        if len(services & ends) == 1:
            (missing,) = ends - services
            yield f"a path of {reference} has no backend with the Service {missing}: list the path for it, too"


def _services(raw: Raw) -> Iterator[set[str]]:
    """Yield the Services of each path of each host."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for rule in (raw.get("spec") or {}).get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            place = (rule.get("host", ""), path.get("path", ""), path.get("pathType", ""))
            name = (path["backend"].get("service") or {}).get("name", "")
            found.setdefault(place, set()).add(name)
    yield from found.values()
