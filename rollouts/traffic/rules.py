"""How does a Route become rules without names, each with a list of weighted destinations?

Several routers keep such rules, and differ in where they stand and how they are written. Those of other people stay
where they are, as they are, but for the weights of our Services. A managed route becomes a rule of ours, before all
others: it is made after a rule whose traffic is shared, so that it takes no request that the Rollout wouldn't have got
anyway. What we have added is written down on the object, to be told from other people's.
"""

import json
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import takewhile
from typing import Any, ClassVar, TypeVar

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.ports import Objects, Owner, Patch, Reads, Reference, Route, Router, Write
from rollouts.ports.router import Raw
from rollouts.traffic.additions import Added, added_by, metadata_patch, rules_of_others, written_down
from rollouts.traffic.managed import in_order
from rollouts.traffic.proportions import Weights
from rollouts.traffic.shares import shares_of

ADDED = "rollouts.argoproj.io/added"

Rules = Sequence[Raw]
Spec = TypeVar("Spec")


def _no_rules(rule: Raw, managed: SetHeaderRoute | SetMirrorRoute, canary: Raw) -> Sequence[Raw]:
    """Return no rules: for what a router can't do."""
    del rule, managed, canary
    return ()


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the rules of an object stand, and how they are written.

    `lists` are all lists of rules, and `changed` returns what is to be merged into the spec to have others there.
    `destinations` are those of a rule, `going_to` returns it with others. `service_of` tells which of the Rollout's
    Services a destination is, empty for anything else; `beside` returns one like another one, for another Service.
    `with_headers` returns the rules of a header route for the canary's destination, `mirrored` those of a mirror route,
    none where there is none; `plain` are those of the lists whose traffic has no requests. `default_weight` is that
    of a destination without a weight beside others that have one; where none has, all have the same.
    """

    lists: Sequence[Rules]
    changed: Callable[[Sequence[Rules]], Raw]
    destinations: Callable[[Raw], Sequence[Raw]]
    going_to: Callable[[Raw, Sequence[Raw]], Raw]
    service_of: Callable[[Raw], str]
    beside: Callable[[Raw, str], Raw]
    with_headers: Callable[[Raw, SetHeaderRoute, Raw], Sequence[Raw]] = field(default=_no_rules)
    mirrored: Callable[[Raw, SetMirrorRoute, Raw], Sequence[Raw]] = field(default=_no_rules)
    plain: Collection[int] = ()
    default_weight: int = 0

    def services(self, rule: Raw) -> list[str]:
        return [self.service_of(each) for each in self.destinations(rule)]

    def weighed(self, rule: Raw, shares: Mapping[str, int], gone: Sequence[str]) -> Raw:
        """Return a rule with these shares; the very same one if it has them already."""
        now = self.destinations(rule)
        default = self.default_weight if any("weight" in each for each in now) else 1
        model = next(each for each in now if self.service_of(each) in shares)
        weights = Weights(self.service_of, default=default)
        then = weights.shared(now, shares, new=lambda name: self.beside(model, name), gone=gone)
        return rule if then is now else self.going_to(rule, then)


def patch(raw: Raw, shape: Shape, owner: Owner, route: Route) -> dict[str, Any]:
    """Return what is due on an object, in one write; nothing if all is as it should be."""
    rollout = owner.rollout
    before = added_by(raw, ADDED, rollout)
    lists = [[each for each in rules if digest(each) not in before.rules.values()] for rules in shape.lists]
    meant = [shared_by(rules, shape, route.canary.service, route.stable.service) for rules in lists]
    shared = [rules[index] for rules, picks in zip(lists, meant, strict=True) for index in picks]
    shares, backends = _shares(route, shared, shape, before)
    gone = [name for name in before.backends if name not in shares]
    of_rollouts = {*rules_of_others(raw, ADDED, rollout).values()}
    managed: dict[str, str] = {}
    for place, (rules, picks) in enumerate(zip(lists, meant, strict=True)):
        for index in picks:
            rules[index] = shape.weighed(rules[index], shares, gone)
        asked = [] if place in shape.plain else [rules[index] for index in picks]
        live = shape.lists[place]
        ours = [(name, _as_it_is(made, live, before)) for name, made in _managed_rules(route, owner, asked, shape)]
        managed |= {f"{name}-{number}": digest(rule) for number, (name, rule) in enumerate(ours, len(managed) + 1)}
        others = [each for each in rules if all(each is not rule for _, rule in ours)]
        # Those of other Rollouts may stay before ours: two that both want to be the first would write without end.
        ahead = len(list(takewhile(lambda rule: digest(rule) in of_rollouts, live)))
        lists[place] = [*others[:ahead], *(rule for _, rule in ours), *others[ahead:]]
    added = Added(managed, backends if shared else ())
    metadata = metadata_patch(raw, annotations={ADDED: written_down(raw, ADDED, rollout, added)})
    is_changed = any([*now] != then for now, then in zip(shape.lists, lists, strict=True))
    return {
        **({"metadata": metadata} if metadata else {}),
        **({"spec": dict(shape.changed(lists))} if is_changed else {}),
    }


def _shares(route: Route, shared: Rules, shape: Shape, before: Added) -> tuple[dict[str, int], tuple[str, ...]]:
    """Return the shares by Service, and which of these are in the rules by our doing.

    A canary that people have named stays in with nothing, one that we have added goes out.
    """
    shares, canary = shares_of(route), route.canary
    added = tuple(each.service for each in route.additional)
    is_named = any(canary.service in shape.services(rule) for rule in shared)
    if is_named and canary.service not in before.backends:
        return shares, added
    if canary.weight:
        return shares, (*added, canary.service)
    return {name: share for name, share in shares.items() if name != canary.service}, added


def shared_by(rules: Rules, shape: Shape, canary: str, stable: str) -> list[int]:
    """Return which rules share their traffic: those that name both Services or, if there is none, the stable one."""
    services = [shape.services(rule) for rule in rules]
    both = [index for index, each in enumerate(services) if canary in each and stable in each]
    return both or [index for index, each in enumerate(services) if stable in each]


def _managed_rules(route: Route, owner: Owner, shared: Rules, shape: Shape) -> Iterator[tuple[str, Raw]]:
    """Yield the rules of managed routes in their order, with the name of each."""
    for managed in in_order(route, owner):
        for rule in shared:
            by_service = {shape.service_of(each): each for each in shape.destinations(rule)}
            canary = by_service.get(route.canary.service)
            canary = canary or shape.beside(by_service[route.stable.service], route.canary.service)
            if isinstance(managed, SetHeaderRoute):
                every = shape.with_headers(rule, managed, canary)
            else:
                every = shape.mirrored(rule, managed, canary)
            yield from ((managed.name or "", made) for made in every)


def _as_it_is(made: Raw, live: Rules, before: Added) -> Raw:
    """Return the rule of ours that is there already, if there is one: an API server may have put defaults into it."""
    digests = [digest(each) for each in live]
    is_changed = digest(made) in before.rules.values() and digest(made) not in digests
    ours = (each for each, said in zip(live, digests, strict=True) if is_changed or said in before.rules.values())
    return next((each for each in ours if _covers(each, made)), made)


def _covers(whole: Any, part: Any) -> bool:
    """Tell whether JSON says all that another one says; lists must have the same items."""
    if isinstance(part, Mapping) and isinstance(whole, Mapping):
        return all(key in whole and _covers(whole[key], value) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) == len(whole) and all(map(_covers, whole, part))
    return bool(whole == part)


def digest(rule: Raw) -> str:
    """Return a short text for what a rule says."""
    return sha256(json.dumps(rule, sort_keys=True).encode()).hexdigest()[:12]


class RulesRouter(Router[Spec]):
    """A router whose objects, made by people, have such rules. `way_out` tells where to name them."""

    way_out: ClassVar[str]

    @abstractmethod
    def places(self, spec: Spec, owner: Owner) -> dict[str, Reference]:
        """Return the objects that the spec names, by the path of each."""

    @abstractmethod
    def shape(self, reference: Reference, raw: Raw, owner: Owner) -> Shape:
        """Return where the rules of an object stand, and how they are written."""

    def problems(self, spec: Spec, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        places = self.places(spec, owner)
        if not places:
            yield "", f"names no object: {self.way_out}"
        first: dict[Reference, str] = {}
        for path, reference in places.items():
            if (known := first.setdefault(reference, path)) != path:
                yield path, f"{reference} is {known}, too: list it once"
            elif objects is not None:
                yield from ((path, message) for message in self._live(reference, owner, objects.get(reference)))

    def _live(self, reference: Reference, owner: Owner, raw: Raw | None) -> Iterator[str]:
        if raw is None:
            yield f"{reference} doesn't exist in namespace {reference.namespace}: create it"
        elif owner.stable_service:  # of a ping-pong pair either may be the stable one
            shape = self.shape(reference, raw, owner)
            ends = (owner.canary_service, owner.stable_service)
            if not any(shared_by(rules, shape, *ends) for rules in shape.lists):
                stable = owner.stable_service
                yield f"no rule of {reference} sends traffic to the stable Service {stable}: add it to one"

    def reads(self, spec: Spec, owner: Owner) -> Reads:
        return tuple(dict.fromkeys(self.places(spec, owner).values()))

    def write(self, spec: Spec, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        found: list[Write] = []
        for reference in dict.fromkeys(self.places(spec, owner).values()):
            raw = objects.get(reference)
            if raw is not None and (body := patch(raw, self.shape(reference, raw, owner), owner, route)):
                found.append(Patch(reference, body))
        return tuple(found)
