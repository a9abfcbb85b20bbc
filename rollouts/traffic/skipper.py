"""How does a Route become Ingresses of Skipper?

An Ingress of people's names both Services at each path whose traffic is shared; an annotation tells what they weigh.
"""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

from rollouts.api.traffic import SkipperTrafficRouting
from rollouts.ports import Ability, Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.shares import shares_of

GROUP = "networking.k8s.io"
WEIGHTS = "zalando.org/backend-weights"


class Skipper(Router[SkipperTrafficRouting]):
    """Sets weights in an annotation of Ingresses."""

    key = "skipper"
    model: ClassVar = SkipperTrafficRouting
    abilities = frozenset({Ability.MAX_WEIGHT, Ability.PING_PONG})

    def problems(self, spec: SkipperTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        if not spec.ingresses:
            yield "ingresses", "names no Ingress: list those that send traffic to both Services"
        times = Counter(spec.ingresses)
        for index, name in enumerate(spec.ingresses):
            path = f"ingresses[{index}]"
            if times[name] > 1:
                yield path, f"{name} is listed {times[name]} times: list it once"
            if objects is not None:
                yield from ((path, message) for message in _live(name, owner, objects))

    def reads(self, spec: SkipperTrafficRouting, owner: Owner) -> Reads:
        return tuple(_ingress(owner, name) for name in dict.fromkeys(spec.ingresses))

    def write(self, spec: SkipperTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        found: list[Write] = []
        for name in dict.fromkeys(spec.ingresses):
            reference = _ingress(owner, name)
            if (raw := objects.get(reference)) is not None and (now := _weights(raw)) is not None:
                wanted = now | shares_of(route)
                if wanted != now:
                    text = json.dumps(wanted, sort_keys=True)
                    found.append(Patch(reference, {"metadata": {"annotations": {WEIGHTS: text}}}))
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
