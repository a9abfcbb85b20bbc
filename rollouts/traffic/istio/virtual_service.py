"""Which routes should a VirtualService have?

Routes of other people stay where they are, as they are, but for the weights of our destinations. A managed route is
made after one of the routes whose traffic is shared, and stands right before it. So it takes no request that the
Rollout wouldn't have got anyway, neither from routes above nor from those below, and treats those that it takes as that
route does; and Rollouts that share an object don't fight about who is first.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.traffic import IstioTrafficRouting, IstioVirtualService
from rollouts.ports import Owner, Route
from rollouts.ports.router import Raw
from rollouts.traffic.additions import Added, added_by, metadata_patch, rules_of_others, written_down
from rollouts.traffic.istio.affinity import returning_rules, with_cookies, without_cookies
from rollouts.traffic.istio.destinations import CANARY, STABLE, Ends, shares_of
from rollouts.traffic.istio.matches import matches_of, unless_every
from rollouts.traffic.istio.picks import HTTP, TCP, TLS, Shared, http_meant, others_of, rules_of, tcp_meant, tls_meant
from rollouts.traffic.managed import in_order

ADDED = "rollouts.argoproj.io/istio-added"

_PERCENT = ("mirrorPercent", "mirror_percent")

_MEANT: dict[str, Callable[[IstioVirtualService, Collection[Raw], Shared], list[int]]] = {
    TLS: tls_meant,
    TCP: tcp_meant,
}


def managed_names(raw: Raw, owner: Owner) -> set[str]:
    """Return the names of the routes that are ours: we have added them, or the Rollout lists them and no other has."""
    rollout = owner.rollout
    listed = {*owner.managed_routes} - rules_of_others(raw, ADDED, rollout).keys()
    return listed | added_by(raw, ADDED, rollout).rules.keys()


@dataclass(frozen=True, slots=True)
class VirtualService:
    """A VirtualService that exists, and what the Rollout says about it."""

    raw: Raw
    entry: IstioVirtualService
    spec: IstioTrafficRouting
    owner: Owner

    def patch(self, route: Route) -> dict[str, Any]:
        """Return what is due for a Route, in one write; nothing if all is as it should be."""
        rollout = self.owner.rollout
        ends = Ends.of(self.spec, self.owner, route.canary.service, route.stable.service)
        shares = shares_of(route, self.owner)
        gone = [name for name in added_by(self.raw, ADDED, rollout).backends if name not in shares]
        names = managed_names(self.raw, self.owner)
        others = [without_cookies(each, rollout) for each in others_of(self.raw, names)]
        ours = [each for each in rules_of(self.raw, HTTP) if each.get("name") in names]
        meant = http_meant(self.entry, others, ends.has_both)
        shared = _with_shares(others, meant, lambda entries: ends.shared(entries, shares, gone))
        managed = {index: _named(self._managed(route, shared[index], ends), shared, ours) for index in meant}
        told = [_telling(rule, route, ends) if index in managed else rule for index, rule in enumerate(shared)]
        wanted = {HTTP: [each for index, rule in enumerate(told) for each in (*managed.get(index, ()), rule)]}
        for protocol, pick in _MEANT.items():
            rules = rules_of(self.raw, protocol)
            picked = pick(self.entry, rules, ends.has_both)
            wanted[protocol] = _with_shares(rules, picked, lambda entries: ends.shared(entries, shares, gone))
        changes = {protocol: rules for protocol, rules in wanted.items() if rules != rules_of(self.raw, protocol)}
        added = Added(
            {rule["name"]: "" for rules in managed.values() for rule in rules},
            tuple(name for name in shares if name not in {CANARY, STABLE}),
        )
        metadata = metadata_patch(self.raw, annotations={ADDED: written_down(self.raw, ADDED, rollout, added)})
        return {**({"metadata": metadata} if metadata else {}), **({"spec": changes} if changes else {})}

    def _managed(self, route: Route, rule: Raw, ends: Ends) -> Iterator[dict[str, Any]]:
        """Yield the managed routes in force within a route, in their order; then those for clients that come again."""
        is_delegate = not (self.raw.get("spec") or {}).get("hosts")
        base = {key: value for key, value in rule.items() if key != "match"}
        for managed in in_order(route, self.owner):
            canary, matches = ends.canary_of(rule.get("route") or ()), matches_of(managed, rule)
            if canary is None or not matches:
                continue
            named = {"name": managed.name, **(unless_every(matches) if is_delegate else {"match": matches})}
            if isinstance(managed, SetHeaderRoute):
                yield {**_to_canary(base, canary), **named}
            else:
                mirror = {**_mirrored(base, canary, mirror=managed), **named}
                yield from _returning(mirror, route, ends)
                yield _telling(mirror, route, ends)
        yield from _returning(rule, route, ends)


def _with_shares(
    rules: Sequence[Raw], meant: Collection[int], shared: Callable[[Sequence[Raw]], Sequence[Raw]]
) -> list[Raw]:
    """Return routes, those that are meant with other weights."""
    return [
        {**rule, "route": list(shared(rule.get("route") or ()))} if index in meant and rule.get("route") else rule
        for index, rule in enumerate(rules)
    ]


def _returning(rule: Raw, route: Route, ends: Ends) -> Iterator[dict[str, Any]]:
    if route.affinity is not None:
        yield from returning_rules(route.affinity, rule, ends)


def _telling(rule: Raw, route: Route, ends: Ends) -> dict[str, Any]:
    return dict(rule if route.affinity is None else with_cookies(rule, route.affinity, ends))


def _named(managed: Iterable[dict[str, Any]], others: Iterable[Raw], ours: Collection[Raw]) -> list[dict[str, Any]]:
    """Return our own routes by names that none of other people's has.

    One that is there already stays as it is: none is written once more only because a name has become free.
    """
    taken = {each.get("name") for each in others}
    named = ([{**each, "name": name} for name in _free(each["name"], taken)] for each in managed)
    return [next((each for each in possible if each in ours), possible[0]) for possible in named]


def _free(name: str, taken: Collection[str | None]) -> list[str]:
    """Return the names after a text that nobody has, the first one to be had first."""
    numbered = (f"{name}-{number}" for number in range(2, len(taken) + 3))
    return [each for each in (name, *numbered) if each not in taken]


def _to_canary(rule: Raw, canary: Raw) -> dict[str, Any]:
    return {**rule, "route": [{**canary, "weight": 100}]}


def _mirrored(rule: Raw, canary: Raw, *, mirror: SetMirrorRoute) -> dict[str, Any]:
    """Return a route with one mirror more; Istio knows the single one and a list, but not both in one route."""
    share = {} if mirror.percentage is None else {"value": mirror.percentage}
    if "mirror" not in rule and "mirrors" not in rule:
        return {**rule, "mirror": canary["destination"], **({"mirrorPercentage": share} if share else {})}
    single = {"destination": rule.get("mirror"), "percentage": _percentage_of(rule)}
    known = rule.get("mirrors") or [{key: value for key, value in single.items() if value is not None}]
    rest = {key: value for key, value in rule.items() if key not in {"mirror", "mirrorPercentage", *_PERCENT}}
    ours = {"destination": canary["destination"], **({"percentage": share} if share else {})}
    return {**rest, "mirrors": [*known, ours]}


def _percentage_of(rule: Raw) -> Raw | None:
    """Return the share of the single mirror, which has had other names."""
    whole = next((rule[name] for name in _PERCENT if rule.get(name) is not None), None)
    percentage: Raw | None = rule.get("mirrorPercentage")
    return percentage if percentage is not None or whole is None else {"value": whole}
