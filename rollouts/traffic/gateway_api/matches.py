"""Which requests does a managed route mean, of those that a rule takes?

A rule's matches are alternatives, and so are a mirror's: each pair of them becomes one match, where both can hold.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from rollouts.api.canary import HeaderRoutingMatch, RouteMatch, StringMatch
from rollouts.ports.expressions import literal
from rollouts.ports.router import Raw
from rollouts.traffic.gateway_api.targets import HTTP

Match = dict[str, Any]

_PARAMETERS = "queryParams"
EVERYTHING = {"type": "PathPrefix", "value": "/"}


def matches_of(rule: Raw, kind: str) -> list[Match]:
    """Return the matches of a rule, written out where none means everything."""
    return list(rule.get("matches") or ([{"path": EVERYTHING}] if kind == HTTP else [{}]))


def with_headers(matches: Iterable[Match], wanted: Iterable[HeaderRoutingMatch], kind: str) -> list[Match]:
    """Return matches that ask for some headers and query parameters, too: all of them."""
    every = [(field, _header(name, value)) for each in wanted for field, name, value in asked(each)]
    headers = [each for field, each in every if field == "headers"]
    parameters = [each for field, each in every if field == _PARAMETERS]
    if parameters and kind != HTTP:
        return []  # calls have no query
    found = (_with_parameters(each, parameters) for each in matches)
    return [match for each in found if each is not None and (match := _with(each, headers)) is not None]


def asked(match: HeaderRoutingMatch) -> Iterator[tuple[str, str, StringMatch]]:
    """Yield what an entry of a header route asks for, as (field of a match, name, value)."""
    for kind, name, value in match.compared:
        yield (_PARAMETERS if kind == "queryParam" else "headers"), name, value


def with_header(matches: Iterable[Match], header: Match) -> list[Match]:
    """Return matches that ask for one more header, which is written as a route has it."""
    return [match for each in matches if (match := _with(each, [header])) is not None]


def within(matches: Iterable[Match], wanted: Collection[RouteMatch], kind: str) -> list[Match]:
    """Return what both sides match: a rule's matches, and those of a mirror."""
    pairs = [_both(each, one, kind) for each in matches for one in wanted]
    found: list[Match] = []
    for match in pairs:
        if match is not None and match not in found:
            found.append(match)
    return found


def _header(name: str, value: StringMatch) -> Match:
    type_, text = _text(value)
    return {"type": type_, "name": name, "value": text}


def _text(value: StringMatch) -> tuple[str, str]:
    """Return the type and the value of a match; implementations differ in whether an expression must match all."""
    if value.regex is not None:
        return "RegularExpression", value.regex
    if value.prefix is not None:
        return "RegularExpression", f"^{literal(value.prefix)}.*$"
    return "Exact", value.exact or ""


def _with(match: Match, headers: Iterable[Match]) -> Match | None:
    """Return a match with further headers, None where it asks something else of one of them."""
    kept = list(match.get("headers") or ())
    for header in headers:
        same = next((each for each in kept if each["name"].lower() == header["name"].lower()), None)
        if same is None:
            kept.append(header)
        elif {**header, **same, "name": ""} != {**header, "name": ""}:
            return None
    return {**match, "headers": kept} if kept else dict(match)


def _with_parameters(match: Match, parameters: Iterable[Match]) -> Match | None:
    """Return a match with further query parameters, None where it asks something else of one of them."""
    kept = {each["name"]: each for each in match.get(_PARAMETERS) or ()}
    for parameter in parameters:
        if {"type": "Exact", **kept.get(parameter["name"], parameter)} != parameter:
            return None
        kept[parameter["name"]] = kept.get(parameter["name"], parameter)
    return {**match, _PARAMETERS: list(kept.values())} if kept else match


def _both(match: Match, wanted: RouteMatch, kind: str) -> Match | None:
    headers = (_header(name, value) for name, value in sorted((wanted.headers or {}).items()))
    both = _with(match, headers)
    if both is None or (wanted.method is None and wanted.path is None):
        return both
    if kind != HTTP:
        return None  # calls have neither a method of HTTP nor a path that would tell anything
    path, method = _path(both, wanted.path), _method(both, wanted.method)
    return None if path is None or method is None else {**both, "path": path, **method}


def _method(match: Match, wanted: StringMatch | None) -> Match | None:
    if wanted is None:
        return {}
    if wanted.exact is None or match.get("method", wanted.exact) != wanted.exact:
        return None  # Gateways compare methods exactly
    return {"method": wanted.exact}


def _path(match: Match, wanted: StringMatch | None) -> Match | None:
    """Return the narrower of two paths, None where no path can be both, or none can be told."""
    here = match.get("path") or EVERYTHING
    if wanted is None:
        return dict(here)
    there = {"type": "Exact", "value": wanted.exact or ""}
    if wanted.regex is not None:
        there = {"type": "RegularExpression", "value": wanted.regex}
    elif wanted.prefix is not None:
        there = {"type": "PathPrefix", "value": wanted.prefix}
    if _covers(here, there):
        return there
    return dict(here) if _covers(there, here) else None


def _covers(wide: Match, narrow: Match) -> bool:
    """Tell whether every path of one match is one of the other, as far as that can be told."""
    if wide in (narrow, EVERYTHING):
        return True
    if wide.get("type", "PathPrefix") != "PathPrefix" or narrow.get("type", "PathPrefix") == "RegularExpression":
        return False
    prefix = wide["value"].rstrip("/")
    path: str = narrow["value"]
    return path == prefix or path.startswith(f"{prefix}/")
