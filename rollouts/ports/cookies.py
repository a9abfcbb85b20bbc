"""How is a cookie found in a request, where a router compares whole headers only?"""

from rollouts.api.canary import HeaderRoutingMatch, SetHeaderRoute, StringMatch
from rollouts.ports.expressions import literal

HEADER = "Cookie"


def in_header(name: str, expression: str) -> str:
    """Return an expression for Cookie headers in which the whole value of a cookie matches another expression.

    It says the same to routers that match the whole header and to those that search in it.
    """
    return f"^(?:.*; ?)?{literal(name)}=(?:{expression})(?:;.*)?$"


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
