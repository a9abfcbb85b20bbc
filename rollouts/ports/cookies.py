"""How is a cookie found in a request, where a router compares whole headers only?"""

import re
import warnings

from rollouts.api.canary import HeaderRoutingMatch, SetHeaderRoute, StringMatch
from rollouts.ports.expressions import literal

HEADER = "Cookie"
END = ";"
"""What stands between two cookies, and in the value of none."""

_ONE_CHARACTER = re.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|[.;]", re.DOTALL)
_NAMED_CLASS = "[:"


def in_header(name: str, expression: str) -> str:
    """Return an expression for Cookie headers in which the whole value of a cookie matches another expression.

    It says the same to routers that match the whole header and to those that search in it.
    """
    return f"^(?:.*; ?)?{literal(name)}=(?:{expression})(?:;.*)?$"


def beyond_the_end(expression: str) -> str:
    """Return a part of an expression that would take in what ends a cookie, and with it the next ones; empty if none.

    Classes with names, as in [[:alpha:]], are let through.
    """
    parts = (part for part in _ONE_CHARACTER.findall(expression) if _NAMED_CLASS not in part)
    return next((part for part in parts if _takes_in_the_end(part)), "")


def _takes_in_the_end(part: str) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what may mean something else some day means itself to routers
        try:
            return re.fullmatch(part, END) is not None
        except re.error:
            return False  # routers know classes that Python doesn't


def by_header(route: SetHeaderRoute) -> SetHeaderRoute:
    """Return a header route as routers know it: what it asks of cookies is asked of the Cookie header."""
    return route.model_copy(update={"match": tuple(map(_by_header, route.match))})


def _by_header(match: HeaderRoutingMatch) -> HeaderRoutingMatch:
    if match.cookie_name is None or match.cookie_value is None:
        return match
    expression = in_header(match.cookie_name, _expression(match.cookie_value))
    return HeaderRoutingMatch(header_name=HEADER, header_value=StringMatch(regex=expression))


def _expression(value: StringMatch) -> str:
    if value.regex is not None:
        return value.regex
    if value.prefix is not None:
        return f"{literal(value.prefix)}[^;]*"
    return literal(value.exact or "")
