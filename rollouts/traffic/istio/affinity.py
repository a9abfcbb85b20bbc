"""How does a VirtualService keep clients on the side that they were given?

Destinations tell new clients by a Set-Cookie header which side they are. Routes with an expression for the Cookie
header take those that come again. The first route that fits a request takes it: they stand before the one that they are
made after.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rollouts.ports import Affinity, Returning, is_affinity_cookie
from rollouts.ports.cookies import HEADER
from rollouts.ports.router import Raw
from rollouts.traffic.cookies import SET, rule_name, with_value
from rollouts.traffic.istio.destinations import CANARY, STABLE, Ends
from rollouts.traffic.istio.matches import within

Rule = dict[str, Any]

_ALL = 100
_PATH = ("headers", "response", "add")


def returning_rules(affinity: Affinity, rule: Raw, ends: Ends) -> Iterator[Rule]:
    """Yield a named route for each group of clients that come again, of those whose requests a route takes."""
    sides = _sides(rule, ends)
    if sides is None:
        return
    for each in affinity.returning:
        cookie = {"headers": {HEADER.lower(): {"regex": with_value(affinity.cookie, each.values)}}}
        if matches := within(rule, [cookie]):
            entries = _entries(affinity, each, *sides)
            yield {**rule, "name": rule_name(each), "match": matches, "route": entries}


def _entries(affinity: Affinity, group: Returning, canary: Raw, stable: Raw) -> list[Raw]:
    if group.canary and group.stable:
        whole = group.canary + group.stable
        share = _ALL * group.canary // whole
        return [
            _telling({**stable, "weight": _ALL - share}, affinity.to_stable),
            _telling({**canary, "weight": share}, affinity.to_canary),
        ]
    return [{**(canary if group.canary else stable), "weight": _ALL}]


def with_cookies(rule: Raw, affinity: Affinity, ends: Ends) -> Raw:
    """Return a route that tells clients which side they are given."""
    if _sides(rule, ends) is None:
        return rule
    headers = {CANARY: affinity.to_canary, STABLE: affinity.to_stable}
    entries = [
        _telling(each, headers[name]) if (name := ends.name_of(each)) in headers else each for each in rule["route"]
    ]
    return {**rule, "route": entries}


def without_cookies(rule: Raw, rollout: str) -> Raw:
    """Return a route without what `with_cookies` has put into it for a Rollout; the same one if there is nothing."""
    if not any(is_affinity_cookie(value, rollout) for each in rule.get("route") or () for _, value in _cookies(each)):
        return rule
    return {**rule, "route": [_silent(each, rollout) for each in rule["route"]]}


def has_foreign_cookie(rule: Raw, rollout: str) -> bool:
    """Whether a destination sets a cookie that isn't the Rollout's: Istio adds a header once only."""
    cookies = (value for each in rule.get("route") or () for _, value in _cookies(each))
    return any(not is_affinity_cookie(value, rollout) for value in cookies)


def _sides(rule: Raw, ends: Ends) -> tuple[Raw, Raw] | None:
    """Return the destinations of canary and stable, if both are there."""
    if not ends.has_both(rule):
        return None
    entries: Sequence[Raw] = rule["route"]
    canary, stable = (next(each for each in entries if ends.name_of(each) == name) for name in (CANARY, STABLE))
    return canary, stable


def _cookies(entry: Raw) -> Iterator[tuple[str, str]]:
    added = entry
    for key in _PATH:
        added = added.get(key) or {}
    yield from ((name, value) for name, value in added.items() if name.lower() == SET.lower())


def _telling(entry: Raw, header: str) -> Rule:
    return _with(entry, _PATH, lambda added: {**added, SET: header})


def _silent(entry: Raw, rollout: str) -> Rule:
    ours = {name for name, value in _cookies(entry) if is_affinity_cookie(value, rollout)}
    return _with(entry, _PATH, lambda added: {name: value for name, value in added.items() if name not in ours})


def _with(entry: Raw, path: Sequence[str], change: Callable[[Raw], Raw]) -> Rule:
    """Return an entry with something below it changed; what is empty then is left out."""
    first, *rest = path
    below = entry.get(first) or {}
    changed = _with(below, rest, change) if rest else change(below)
    others = {key: value for key, value in entry.items() if key != first}
    return {**others, first: changed} if changed else others
