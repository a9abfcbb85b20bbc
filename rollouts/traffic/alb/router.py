"""How does a Route become an Ingress of the AWS Load Balancer Controller?"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from rollouts.api.traffic import AlbTrafficRouting
from rollouts.ports import (
    Ability,
    Answers,
    Asked,
    Asking,
    Objects,
    Owner,
    Patch,
    Question,
    Reads,
    Reference,
    Route,
    Router,
    Write,
)
from rollouts.ports.router import Raw
from rollouts.traffic.alb.annotations import MANAGED, action_of, changes, left, others_with, set_by
from rollouts.traffic.alb.paths import USE_ANNOTATION, leads_to, paths_of, rules_of, with_routes
from rollouts.traffic.alb.verification import ASKS_BY, PODS, verify, wanted

GROUP = "networking.k8s.io"
MOST_WEIGHT = 999
_LONGEST_STICKINESS = 604_800
_HIGHEST_PORT = 65_535


class Alb(Router[AlbTrafficRouting]):
    """Sets the forward action of an Ingress in its annotations, and adds paths for header routes."""

    key = "alb"
    model: ClassVar = AlbTrafficRouting
    abilities = frozenset(
        {Ability.MAX_WEIGHT, Ability.PING_PONG, Ability.HEADER_ROUTES, Ability.QUERY_PARAMETERS, Ability.EXPERIMENTS}
    )
    most_weight = MOST_WEIGHT
    header_matches = ("exact",)
    lists = frozenset({PODS})
    states = frozenset({"alb", "albs"})
    asks_by = ASKS_BY

    def problems(self, spec: AlbTrafficRouting, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        named = _ingresses(spec)
        if bool(spec.ingress) == bool(spec.ingresses):
            yield "", f"needs one of ingress and ingresses: {'both are set' if spec.ingress else 'neither is set'}"
        times = Counter(named.values())
        for path, name in named.items():
            if times[name] > 1:
                yield path, f"{name} is listed {times[name]} times: list it once"
        yield from _settings(spec)
        yield from _names(spec, owner)
        root = spec.root_service or owner.stable_service
        if objects is not None and root:
            for path, name in named.items():
                yield from ((path, message) for message in _live(spec, _ingress(owner, name), root, owner, objects))

    def reads(self, spec: AlbTrafficRouting, owner: Owner) -> Reads:
        return tuple(_ingress(owner, name) for name in dict.fromkeys(_ingresses(spec).values()))

    def write(self, spec: AlbTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        places = (_ingress(owner, name) for name in dict.fromkeys(_ingresses(spec).values()))
        live = ((place, raw) for place in places if (raw := objects.get(place)) is not None)
        return tuple(Patch(place, patch) for place, raw in live if (patch := _patch(spec, owner, route, raw)))

    def leave(self, spec: AlbTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        places = (_ingress(owner, name) for name in dict.fromkeys(_ingresses(spec).values()))
        live = ((place, raw) for place in places if (raw := objects.get(place)) is not None)
        return tuple(Patch(place, patch) for place, raw in live if (patch := _left(spec, owner, route, raw)))

    def questions(self, spec: AlbTrafficRouting, owner: Owner, route: Route, objects: Objects) -> tuple[Question, ...]:
        live = ((name, objects.get(_ingress(owner, name))) for name in dict.fromkeys(_ingresses(spec).values()))
        return tuple(
            Question(
                self.key,
                f"the load balancer of Ingress {name}",
                (wanted(spec, owner.namespace, name, route, raw),),
            )
            for name, raw in live
            if raw is not None
        )

    def ask(self, question: Question, asked: Asked) -> Asking:
        (facts,) = question.facts
        return verify(facts, asked)

    def state(self, spec: AlbTrafficRouting, answers: Answers) -> Mapping[str, Any]:
        every = [found.facts for found in answers.values() if found.facts]
        if len(every) < len(answers):
            return {}
        return {"albs": every} if spec.ingresses else {"alb": every[0]}


def _ingresses(spec: AlbTrafficRouting) -> dict[str, str]:
    """Return the names of the Ingresses by the path of each."""
    several = {f"ingresses[{index}]": name for index, name in enumerate(spec.ingresses)}
    return {**({"ingress": spec.ingress} if spec.ingress else {}), **several}


def _ingress(owner: Owner, name: str) -> Reference:
    return Reference(GROUP, "Ingress", owner.namespace, name)


def _settings(spec: AlbTrafficRouting) -> Iterator[tuple[str, str]]:
    if not 1 <= spec.service_port <= _HIGHEST_PORT:
        yield "servicePort", f"{spec.service_port} is no port: must be from 1 to {_HIGHEST_PORT}"
    sticky = spec.stickiness_config
    if sticky is not None and sticky.enabled and not 1 <= sticky.duration_seconds <= _LONGEST_STICKINESS:
        message = f"{sticky.duration_seconds} is out of range: must be from 1 to {_LONGEST_STICKINESS} (a week)"
        yield "stickinessConfig.durationSeconds", message


def _names(spec: AlbTrafficRouting, owner: Owner) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the names of backends: the shared one's, and those of header routes."""
    if owner.has_ping_pong and not spec.root_service:
        yield "rootService", "must be set with pingPong: the Ingress needs one name for both Services"
    root = spec.root_service or owner.stable_service
    if root and root in owner.managed_routes:
        yield (
            "rootService" if spec.root_service else "",
            (f'"{root}" is one of the managedRoutes, too: each is a backend with its name; choose another one there'),
        )


def _live(spec: AlbTrafficRouting, place: Reference, root: str, owner: Owner, objects: Objects) -> Iterator[str]:
    """Say what an Ingress lacks."""
    raw = objects.get(place)
    if raw is None:
        yield f"{place} doesn't exist in namespace {owner.namespace}: create it"
        return
    if not any(leads_to(path, (root,)) for rule in rules_of(raw) for path in paths_of(rule)):
        backend = f'the backend {root} with the port name "{USE_ANNOTATION}"'
        yield f"no rule of {place} has {backend}: change one, or the annotation with the weights has no effect"
    for name in (root, *owner.managed_routes):
        if others := others_with(raw, owner.name, action_of(spec, name)):
            message = f"the backend {name} of {place} belongs to Rollout {', '.join(others)}"
            yield f"{message}: use another name, or take it out of the annotation {MANAGED}"


def _left(spec: AlbTrafficRouting, owner: Owner, route: Route, raw: Raw) -> Raw:
    """Return what takes the Rollout's hands off an Ingress, in one write."""
    root = spec.root_service or route.stable.service
    annotations = left(spec, owner.name, root, route, raw)
    rules = with_routes(raw, root, (), _actions_of(spec, owner, raw) - {root})
    return {
        **({"metadata": {"annotations": annotations}} if annotations else {}),
        **({"spec": {"rules": rules}} if rules != rules_of(raw) else {}),
    }


def _actions_of(spec: AlbTrafficRouting, owner: Owner, raw: Raw) -> set[str]:
    """Return the names of the actions that are the Rollout's."""
    begin = action_of(spec, "")
    known = (key.removeprefix(begin) for key in set_by(raw, owner.name) if key.startswith(begin))
    return {*owner.managed_routes, *known}


def _patch(spec: AlbTrafficRouting, owner: Owner, route: Route, raw: Raw) -> Raw:
    """Return what is due on an Ingress, in one write."""
    root = spec.root_service or route.stable.service
    routes = [each.name for each in route.headers if each.name]
    annotations = changes(spec, owner.name, root, route, raw)
    rules = with_routes(raw, root, routes, _actions_of(spec, owner, raw) - {root})
    return {
        **({"metadata": {"annotations": annotations}} if annotations else {}),
        **({"spec": {"rules": rules}} if rules != rules_of(raw) else {}),
    }
