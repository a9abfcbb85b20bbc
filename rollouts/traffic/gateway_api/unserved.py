"""Which managed routes can none of the routes of a spec have?

Connections have neither headers nor copies, and calls are told apart by their headers only.
"""

from collections.abc import Iterator

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.gateway_api import GatewayApiTrafficRouting

Problem = tuple[str, str]


def unserved(spec: GatewayApiTrafficRouting, managed: SetHeaderRoute | SetMirrorRoute) -> Iterator[Problem]:
    """Yield what is in the way of a managed route, by its place below that."""
    if not spec.http_routes and not spec.grpc_routes:
        says = "gatewayAPI names routes of connections only, in which no request is seen"
        yield "", f"{says}: list one in httpRoutes or grpcRoutes"
    elif isinstance(managed, SetHeaderRoute):
        yield from _header(spec, managed)
    elif not spec.http_routes and all(each.path or each.method for each in managed.match):
        says = "gatewayAPI names no HTTPRoute, and calls have no path or method of their own"
        yield "match", f"{says}: use headers, or list a route in httpRoutes"


def _header(spec: GatewayApiTrafficRouting, header: SetHeaderRoute) -> Iterator[Problem]:
    of_http, of_calls = (
        [each for each in routes if each.use_header_routes is not False]
        for routes in (spec.http_routes, spec.grpc_routes)
    )
    if not of_http and not of_calls:
        yield "", "all routes of gatewayAPI are kept free of header routes: set useHeaderRoutes to true on one"
    elif not of_http:
        for index, each in enumerate(header.match):
            if each.query_param_name:
                says = "gatewayAPI has no HTTPRoute for header routes, and calls have no query"
                yield f"match[{index}].queryParamName", f"{says}: use headerName, or list a route in httpRoutes"
