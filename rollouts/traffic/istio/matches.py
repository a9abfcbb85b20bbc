"""Which requests does a managed route mean, of those that an Istio route takes?

The matches of a route are alternatives, and so are those of a managed route: each pair of them becomes one match, where
both can hold. Istio compares a text in one way only, so of two conditions on the same text the narrower one counts.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rollouts.api.canary import RouteMatch, SetHeaderRoute, SetMirrorRoute, StringMatch
from rollouts.ports.expressions import literal
from rollouts.ports.router import Raw

Match = dict[str, Any]

_HEADERS, _PARAMETERS = "headers", "queryParams"
_BY_NAME = (_HEADERS, _PARAMETERS)
_EVERY_REQUEST: Raw = {"uri": {"prefix": "/"}}
"""Istio takes no match that is empty."""


def matches_of(managed: SetHeaderRoute | SetMirrorRoute, rule: Raw) -> list[Match]:
    """Return the matches of a managed route, within those of a route."""
    return within(rule, list(_wanted(managed)))


def within(rule: Raw, alternatives: Sequence[Match]) -> list[Match]:
    """Return what a route and one of some alternatives match."""
    found: list[Match] = []
    everything: Match = {}
    for base in rule.get("match") or (everything,):
        for wanted in alternatives:
            both = _both(base, wanted)
            if both is not None and (match := both or dict(_EVERY_REQUEST)) not in found:
                found.append(match)
    return found


def unless_every(matches: Sequence[Match]) -> Match:
    """Return the field of a route with these matches; no field where they mean every request.

    Whoever delegates to a VirtualService has matches of its own. Istio drops routes whose paths aren't below those.
    """
    return {} if matches == [_EVERY_REQUEST] else {"match": matches}


def _wanted(managed: SetHeaderRoute | SetMirrorRoute) -> Iterator[Match]:
    """Yield the matches of a managed route; one entry of several is enough, as it always was with Istio."""
    if isinstance(managed, SetHeaderRoute):
        for each in managed.match:
            for kind, name, value in each.compared:
                if kind == "queryParam":
                    yield {_PARAMETERS: {name: _of_parameter(value)}}
                else:
                    yield {_HEADERS: {name.lower(): _text(value)}}
    else:
        yield from map(_request, managed.match)


def _request(match: RouteMatch) -> Match:
    parts = {"method": match.method, "uri": match.path}
    found: Match = {name: _text(value) for name, value in parts.items() if value is not None}
    headers = {name.lower(): _text(value) for name, value in sorted((match.headers or {}).items())}
    return {**found, **({_HEADERS: headers} if headers else {})}


def _text(value: StringMatch) -> Match:
    parts = {"exact": value.exact, "prefix": value.prefix, "regex": value.regex}
    return {name: text for name, text in parts.items() if text is not None}


def _of_parameter(value: StringMatch) -> Match:
    """Return how a query parameter is compared; Istio has not always known prefixes there."""
    return _text(value) if value.prefix is None else {"regex": f"{literal(value.prefix)}.*"}


def _both(base: Raw, wanted: Match) -> Match | None:
    """Return a match that asks for both, None where nothing can be both."""
    by_name = {field: _each_narrower(base.get(field) or {}, wanted.get(field) or {}) for field in _BY_NAME}
    parts = _each_narrower(base, {name: value for name, value in wanted.items() if name not in by_name})
    if None in by_name.values() or parts is None:
        return None
    return {**parts, **{field: conditions for field, conditions in by_name.items() if conditions}}


def _each_narrower(base: Raw, wanted: Raw) -> Match | None:
    found = dict(base)
    for name, value in wanted.items():
        narrower = _narrower(base[name], value) if name in base else value
        if narrower is None:
            return None
        found[name] = narrower
    return found


def _narrower(one: Raw, other: Raw) -> Raw | None:
    """Return the condition that implies the other one, None if neither does or that can't be known."""
    pairs: Iterable[tuple[Raw, Raw]] = ((one, other), (other, one))
    return next((narrow for narrow, wide in pairs if _implies(narrow, wide)), None)


def _implies(narrow: Raw, wide: Raw) -> bool:
    if narrow == wide or not wide:
        return True  # an empty condition asks for the presence of the header only
    begin = narrow.get("exact", narrow.get("prefix"))
    return begin is not None and "prefix" in wide and str(begin).startswith(wide["prefix"])
