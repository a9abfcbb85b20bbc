"""`setHeaderRoute`: which requests go to the canary because of their headers, whatever its weight?"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from rollouts.api.canary import HeaderRoutingMatch
from rollouts.api.canary import SetHeaderRoute as Spec
from rollouts.ports import Gate, Here, Open, Shut, Step, Wishes
from rollouts.ports.cookies import HEADER, beyond_the_end
from rollouts.steps.matching import Found, text_problems

_KINDS = {"header": "header", "cookie": "cookie", "queryParam": "query parameter"}


class SetHeaderRoute(Step[Spec]):
    """Adds a managed route, or removes it if nothing is to match; complete once the router has it."""

    key = "setHeaderRoute"

    def problems(self, spec: Spec, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight
        if not routed:
            yield "", "needs trafficRouting: without a router nobody looks at headers"
        for index, match in enumerate(spec.match):
            for below, message in _problems(match):
                yield f"match[{index}]{below}", message
        yield from _asked_twice(spec.match)

    def hold(self, wishes: Wishes, spec: Spec) -> Wishes:
        others = wishes.without_route(spec.name or "")
        return replace(others, header_routes=(*others.header_routes, spec)) if spec.match else others

    def gate(self, spec: Spec, here: Here, now: datetime) -> Gate:
        del now
        if here.unmanaged:
            return Shut(here.unmanaged)
        return Open(f"header route {spec.name} is {'set' if spec.match else 'removed'}")

    def title(self, spec: Spec) -> str:
        return f"setHeaderRoute: {spec.name}" if spec.match else f"setHeaderRoute: {spec.name}, removed"


def _problems(match: HeaderRoutingMatch) -> Iterator[Found]:
    """Yield what is wrong with one entry: paths below it."""
    if len(match.compared) != 1:
        names = " and ".join(f"{kind}Name" for kind, _, _ in match.compared) or "nothing"
        yield "", f"sets {names}: set exactly one of {', '.join(f'{kind}Name' for kind in _KINDS)}, and its value"
        return
    ((kind, name, value),) = match.compared
    if not name:
        yield f".{kind}Name", f"is empty: name a {_KINDS[kind]}"
    yield from text_problems(f".{kind}Value", value)
    if kind == "cookie":
        yield from ((f".{kind}Value.regex", message) for message in _of_cookie(value.regex or ""))


def _of_cookie(regex: str) -> Iterator[str]:
    if regex.startswith("^") or (regex.endswith("$") and not regex.endswith("\\$")):
        yield f'"{regex}" begins with ^ or ends with $: leave both out, all of the value must match'
    if part := beyond_the_end(regex):
        yield f'"{regex}" has {part}, which matches the ; before the next cookie, too: write [^;] or a narrower class'


def _asked_twice(match: Sequence[HeaderRoutingMatch]) -> Iterator[Found]:
    """Yield the entries that ask again for the header of all cookies, or for a query parameter.

    Two entries by headerName are the router's business, as ever: for Istio one of them is enough.
    """
    by_cookie = any(kind == "cookie" for each in match for kind, _, _ in each.compared)
    seen: set[str] = set()
    for index, each in enumerate(match):
        for kind, name, _ in each.compared:
            is_header = kind == "header" and not (by_cookie and name.lower() == HEADER.lower())
            what = f"query parameter {name}" if kind == "queryParam" else f"header {HEADER}"
            if not is_header and what in seen:
                says = f"is a second condition on the {what}, which routers compare once"
                yield f"match[{index}].{kind}Name", f"{says}: use a setHeaderRoute of its own, or a regex for both"
            seen |= set() if is_header else {what}
