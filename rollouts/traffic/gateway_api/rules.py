"""Which rules should a route have?

The rules of other people stay where they are, as they are, but for the weights of our Services. Rules of our own, for
managed routes and for clients that come again, stand before all others. Each is made after one of the rules whose
traffic is shared, so that it takes no request that the Rollout wouldn't have got anyway.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import takewhile
from typing import Any

from rollouts.api.canary import SetMirrorRoute
from rollouts.ports import Owner, Route
from rollouts.ports.router import Raw
from rollouts.traffic.additions import Added, rules_of_others
from rollouts.traffic.gateway_api.affinity import Sides, returning_rules, with_cookies, without_cookies
from rollouts.traffic.gateway_api.backends import Backends
from rollouts.traffic.gateway_api.marks import ADDED
from rollouts.traffic.gateway_api.matches import matches_of, with_headers, within
from rollouts.traffic.gateway_api.sessions import FIELD, with_session, without_session
from rollouts.traffic.gateway_api.targets import GRPC, HTTP, Found
from rollouts.traffic.managed import in_order

_EVERY_REQUEST = 100
_LONGEST_BASE = 253 - len("-999")  # what a name may have, with room for a number


@dataclass(frozen=True, slots=True)
class Written:
    """The rules that a route should have, and which parts of them we have added."""

    rules: list[Raw]
    added: Added


class Rules:
    """The rules of one route, as they are."""

    def __init__(self, found: Found, owner: Owner, added: Added) -> None:
        self._found = found
        self._owner = owner
        self._kind = found.reference.kind
        self._added = added
        self._backends = Backends(found.reference.namespace, owner.namespace)
        ours = [_is_among(each, added.rules) for each in found.rules]
        self.ours = [each for each, is_ours in zip(found.rules, ours, strict=True) if is_ours]
        others = [each for each, is_ours in zip(found.rules, ours, strict=True) if not is_ours]
        self.others = [_silent(each, owner.rollout) for each in others] if self._kind == HTTP else others
        self._of_rollouts = rules_of_others(found.raw, ADDED, owner.rollout)
        # Those of other Rollouts may stay before ours: two that both want to be the first would write without end.
        self._ahead = len(list(takewhile(lambda rule: _is_among(rule, self._of_rollouts), found.rules)))

    def shared(self, canary: str, stable: str) -> list[int]:
        """Return which of the others' rules share their traffic between two Services."""
        services = [self._backends.services(rule) for rule in self.others]
        named = self._found.target.rules
        if named:
            return [
                index
                for index, (rule, each) in enumerate(zip(self.others, services, strict=True))
                if rule.get("name") in named and stable in each
            ]
        both = [index for index, each in enumerate(services) if canary in each and stable in each]
        return both or [index for index, each in enumerate(services) if stable in each]

    def written(self, route: Route) -> Written:
        """Return the rules for a Route."""
        shared = self.shared(route.canary.service, route.stable.service)
        shares, backends = self._shares(route, shared)
        rules = list(self.others)
        for index in shared:
            rules[index] = self._backends.weighed(rules[index], shares, {*self._added.backends} - {*shares})
        # Made after rules that another Rollout has made after ours, they would never come to an end.
        people = [index for index in shared if not _is_among(self.others[index], self._of_rollouts)]
        managed = self._managed(route, [rules[index] for index in people])
        for index in shared:
            rules[index] = self._sticking(route, rules[index])
        added = Added({each["name"]: digest(each) for each in managed}, backends)
        return Written([*rules[: self._ahead], *map(self._as_it_is, managed), *rules[self._ahead :]], added)

    def _as_it_is(self, managed: Raw) -> Raw:
        """Return the rule that there is already without its name, if there is one."""
        nameless = {key: value for key, value in managed.items() if key != "name"}
        return nameless if nameless in self.ours else managed

    def _shares(self, route: Route, shared: Collection[int]) -> tuple[dict[str, int], tuple[str, ...]]:
        """Return the shares by Service, and which of these are in the rules by our doing.

        A canary that people have named stays in with nothing, one that we have added goes out.
        """
        canary, stable = route.canary, route.stable
        is_named = any(canary.service in self._backends.services(self.others[index]) for index in shared)
        is_ours = canary.service in self._added.backends or not is_named
        ends = [stable, *([] if is_ours and not canary.weight else [canary]), *route.additional]
        added = [each.service for each in (canary, *route.additional) if each is not canary or is_ours]
        shares = {each.service: each.weight for each in ends}
        return shares, tuple(each for each in added if each in shares) if shared else ()

    def _managed(self, route: Route, shared: Iterable[Raw]) -> list[dict[str, Any]]:
        """Return our own rules, the first managed route first, and those for clients that come again last."""
        shared = list(shared)
        managed = [
            *((name, [(name, rule)]) for name, rule in self._header_rules(route, shared)),
            *((name, self._with_returning(route, name, rule)) for name, rule in self._mirror_rules(route, shared)),
        ]
        order = {each.name or "": index for index, each in enumerate(in_order(route, self._owner))}
        managed.sort(key=lambda named: order[named[0]])
        rules = [
            *(each for _, some in managed for each in some),
            *(each for rule in shared for each in self._returning(route, rule)),
        ]
        names = _names([(name, self._names_now(name, rule)) for name, rule in rules], self.others)
        return [{"name": name, **rule} for name, (_, rule) in zip(names, rules, strict=True)]

    def _names_now(self, text: str, rule: Raw) -> list[str]:
        """Return under which names after a text there is a rule of ours already."""
        family = re.compile(rf"{re.escape(_base(text))}(-[0-9]+)?")
        return [
            each["name"]
            for each in self.ours
            if family.fullmatch(each.get("name", "")) and {**each, "name": ""} == {**rule, "name": ""}
        ]

    def _header_rules(self, route: Route, shared: Collection[Raw]) -> Iterator[tuple[str, dict[str, Any]]]:
        if not self._found.target.uses_headers or self._kind not in {HTTP, GRPC}:
            return
        ends = (route.canary.service, route.stable.service)
        for each in route.headers:
            for rule in shared:
                if matches := with_headers(matches_of(rule, self._kind), each.match, self._kind):
                    to_canary = {**self._backends.reference(rule, ends, ends[0]), "weight": 1}
                    yield each.name or "", {**_like(rule), "matches": matches, "backendRefs": [to_canary]}

    def _mirror_rules(self, route: Route, shared: Collection[Raw]) -> Iterator[tuple[str, dict[str, Any]]]:
        if self._kind not in {HTTP, GRPC}:
            return
        ends = (route.canary.service, route.stable.service)
        for each in route.mirrors:
            for rule in shared:
                if matches := within(matches_of(rule, self._kind), each.match, self._kind):
                    filters = [*rule.get("filters", ()), _mirror(each, self._backends.reference(rule, ends, ends[0]))]
                    copy = {key: value for key, value in rule.items() if key != "name"}
                    yield each.name, {**copy, "matches": matches, "filters": filters}

    def _returning(self, route: Route, rule: Raw) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the rules for clients that come again, of those whose requests a rule takes."""
        sides = self._sides(route, rule)
        if route.affinity is not None and route.affinity.session is None and sides is not None:
            yield from returning_rules(route.affinity, _like(rule), sides)

    def _with_returning(self, route: Route, name: str, mirror: Raw) -> list[tuple[str, dict[str, Any]]]:
        """Return the rule of a mirror after those of its own for clients that come again: they'd pass it by."""
        return [*self._returning(route, mirror), (name, dict(self._sticking(route, mirror)))]

    def _sticking(self, route: Route, rule: Raw) -> Raw:
        """Return a rule that tells clients which side they were given."""
        sides = self._sides(route, rule)
        if route.affinity is None or sides is None:
            return rule
        if route.affinity.session is not None:
            return with_session(rule, route.affinity.session)
        return with_cookies(rule, route.affinity, sides)

    def _sides(self, route: Route, rule: Raw) -> Sides | None:
        """Return where the sides stand; None where clients can't be told, or somebody has drained all that is ours."""
        services, ends = self._backends.services(rule), (route.canary.service, route.stable.service)
        has_both = self._kind == HTTP and all(end in services for end in ends)
        return Sides(*map(services.index, ends)) if has_both else None


def _is_among(rule: Raw, added: Mapping[str, str]) -> bool:
    """Tell whether a rule was added: by its name or, where an old API has dropped the name, by what it says."""
    if "name" in rule:
        return rule["name"] in added
    return bool(added) and digest(rule) in added.values()


def _silent(rule: Raw, rollout: str) -> Raw:
    """Return a rule without that by which a Rollout's clients are told where they belong."""
    return without_session(without_cookies(rule, rollout), rollout)


def digest(rule: Raw) -> str:
    """Return a short text for what a rule says, its name apart."""
    said = {key: value for key, value in rule.items() if key != "name"}
    return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:12]


def _like(rule: Raw) -> dict[str, Any]:
    """Return what a rule for the canary alone takes over: no session may keep its requests elsewhere."""
    return {key: value for key, value in rule.items() if key not in {"name", FIELD}}


def _mirror(mirror: SetMirrorRoute, backend: Raw) -> dict[str, Any]:
    """Return the filter of a mirror; one that takes every request is known to older Gateways, too."""
    percent = _EVERY_REQUEST if mirror.percentage is None else mirror.percentage
    share = {} if percent == _EVERY_REQUEST else {"percent": percent}
    return {"type": "RequestMirror", "requestMirror": {"backendRef": dict(backend), **share}}


def _base(text: str) -> str:
    """Return the name for a rule after a text, as the API server takes it: a DNS subdomain."""
    labels = (each.strip("-") for each in re.sub(r"[^a-z0-9.-]+", "-", text.lower()).split("."))
    return ".".join(filter(None, labels))[:_LONGEST_BASE].strip("-.") or "managed"


def _names(wanted: Sequence[tuple[str, Collection[str]]], others: Iterable[Raw]) -> Iterator[str]:
    """Yield a name for a rule after each text: one that it has already, else the first free one.

    So that no rule is written once more only because a name has become free.
    """
    used = {each["name"] for each in others if "name" in each}
    kept: list[str | None] = []
    for _, now in wanted:
        kept.append(next((each for each in now if each not in used), None))
        used |= {kept[-1]} if kept[-1] else set()
    for (text, _), name in zip(wanted, kept, strict=True):
        base = _base(text)
        numbered = (f"{base}-{number}" for number in range(2, len(used) + 3))
        free = name or next(each for each in (base, *numbered) if each not in used)
        used.add(free)
        yield free
