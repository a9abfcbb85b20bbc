"""How is a cookie found in a request, where a router compares whole headers only?"""

from collections.abc import Iterable

from rollouts.ports import Returning
from rollouts.traffic.expressions import literal

HEADER, SET = "Cookie", "Set-Cookie"


def with_value(name: str, values: Iterable[str]) -> str:
    """Return an expression for Cookie headers in which a cookie has one of some values.

    It says the same to routers that match the whole header and to those that search in it.
    """
    return in_header(name, "|".join(map(literal, values)))


def in_header(name: str, expression: str) -> str:
    """Return an expression for Cookie headers in which the whole value of a cookie matches another expression."""
    return f"^(?:.*; ?)?{literal(name)}=(?:{expression})(?:;.*)?$"


def rule_name(group: Returning) -> str:
    """Return what a rule for some clients that come again is called."""
    if group.canary and group.stable:
        return "sticky-anew"
    return "sticky-canary" if group.canary else "sticky-stable"
