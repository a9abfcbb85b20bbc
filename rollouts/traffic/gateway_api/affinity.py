"""How does a route keep clients on the side that they were given?

Backends tell new clients by a Set-Cookie header which side they are. Rules with an expression for the Cookie header
take those that come again. Gateways differ in both: expressions and filters of backends are the implementation's own.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.ports import Affinity, is_affinity_cookie
from rollouts.ports.cookies import HEADER
from rollouts.ports.router import Raw
from rollouts.traffic.cookies import SET, rule_name, with_value
from rollouts.traffic.gateway_api.matches import matches_of, with_header
from rollouts.traffic.gateway_api.targets import HTTP

_TYPE, _SETTINGS = "ResponseHeaderModifier", "responseHeaderModifier"

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sides:
    """At which places of a rule's backends canary and stable stand."""

    canary: int
    stable: int


def returning_rules(affinity: Affinity, rule: Raw, sides: Sides) -> Iterator[tuple[str, Rule]]:
    """Yield a rule, and a name for it, for each group of clients that come again; `rule` is what they'd get."""
    canary, stable = rule["backendRefs"][sides.canary], rule["backendRefs"][sides.stable]
    for each in affinity.returning:
        header = {"type": "RegularExpression", "name": HEADER, "value": with_value(affinity.cookie, each.values)}
        matches = with_header(matches_of(rule, HTTP), header)
        if each.canary and each.stable:
            backends = [
                _telling({**stable, "weight": each.stable}, affinity.to_stable),
                _telling({**canary, "weight": each.canary}, affinity.to_canary),
            ]
        else:
            backends = [{**(canary if each.canary else stable), "weight": 1}]
        if matches:
            yield rule_name(each), {**rule, "matches": matches, "backendRefs": backends}


def with_cookies(rule: Raw, affinity: Affinity, sides: Sides) -> Raw:
    """Return a rule that tells clients which side they are given."""
    headers = {sides.canary: affinity.to_canary, sides.stable: affinity.to_stable}
    backends = [
        _telling(each, headers[place]) if place in headers else each for place, each in enumerate(rule["backendRefs"])
    ]
    return {**rule, "backendRefs": backends}


def without_cookies(rule: Raw, rollout: str) -> Raw:
    """Return a rule without what `with_cookies` has put into it for a Rollout; the same one if there is nothing."""
    now = rule.get("backendRefs") or ()
    then = [_silent(each, rollout) for each in now]
    return rule if all(map(_is, then, now)) else {**rule, "backendRefs": then}


def has_foreign_cookie(rule: Raw, rollout: str) -> bool:
    """Whether a backend sets a cookie that isn't the Rollout's: a filter can add one only."""
    headers = (each for backend in rule.get("backendRefs") or () for each in _added(backend))
    return any(
        each["name"].lower() == SET.lower() and not is_affinity_cookie(each["value"], rollout) for each in headers
    )


def _is(one: Any, other: Any) -> bool:
    return one is other


def _added(backend: Raw) -> Iterator[Mapping[str, str]]:
    for each in backend.get("filters") or ():
        if each["type"] == _TYPE:
            yield from (each.get(_SETTINGS) or {}).get("add") or ()


def _telling(backend: Raw, header: str) -> Rule:
    """Return a backend that sets a cookie; there is one filter of headers at most."""
    filters = list(backend.get("filters") or ())
    added = [{"name": SET, "value": header}]
    if not any(each["type"] == _TYPE for each in filters):
        return {**backend, "filters": [*filters, {"type": _TYPE, _SETTINGS: {"add": added}}]}
    return {**backend, "filters": _changed(filters, lambda now: [*now, *added])}


def _silent(backend: Raw, rollout: str) -> Raw:
    if not any(is_affinity_cookie(each["value"], rollout) for each in _added(backend)):
        return backend
    filters = _changed(
        backend["filters"], lambda now: [each for each in now if not is_affinity_cookie(each["value"], rollout)]
    )
    rest = {key: value for key, value in backend.items() if key != "filters"}
    return {**rest, "filters": filters} if filters else rest


def _changed(filters: Any, change: Callable[[list[Raw]], list[Raw]]) -> list[Raw]:
    """Return filters that add other headers; one that would do nothing is left out."""
    found: list[Raw] = []
    for each in filters:
        if each["type"] != _TYPE:
            found.append(each)
            continue
        settings = each.get(_SETTINGS) or {}
        added = change(list(settings.get("add") or ()))
        rest = {key: value for key, value in settings.items() if key != "add"}
        if settings := {**rest, **({"add": added} if added else {})}:
            found.append({**each, _SETTINGS: settings})
    return found
