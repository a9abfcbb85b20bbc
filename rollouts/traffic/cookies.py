"""How do the routes of clients that come again find the cookie, and what are they called?"""

from collections.abc import Iterable

from rollouts.ports import Returning
from rollouts.ports.cookies import in_header
from rollouts.ports.expressions import literal

SET = "Set-Cookie"


def with_value(name: str, values: Iterable[str]) -> str:
    """Return an expression for Cookie headers in which a cookie has one of some values."""
    return in_header(name, "|".join(map(literal, values)))


def rule_name(group: Returning) -> str:
    """Return what a rule for some clients that come again is called."""
    if group.canary and group.stable:
        return "sticky-anew"
    return "sticky-canary" if group.canary else "sticky-stable"
