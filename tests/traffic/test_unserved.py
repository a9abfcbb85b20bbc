"""Which managed routes can nothing have that a spec names, and what is said of it?"""

from typing import Any

import pytest

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.registry import load_kit

ROUTERS = load_kit().routers
HEADER = SetHeaderRoute.model_validate(
    {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"exact": "beta"}}]}
)
QUERY = SetHeaderRoute.model_validate(
    {
        "name": "beta",
        "match": [
            {"cookieName": "version", "cookieValue": {"exact": "beta"}},
            {"queryParamName": "version", "queryParamValue": {"exact": "beta"}},
        ],
    }
)
ALL = SetMirrorRoute.model_validate({"name": "copy", "match": [{}]})
READS = SetMirrorRoute.model_validate(
    {"name": "copy", "match": [{"method": {"exact": "GET"}}, {"path": {"prefix": "/shop"}}]}
)
SOME = SetMirrorRoute.model_validate(
    {"name": "copy", "match": [{"method": {"exact": "GET"}}, {"headers": {"X-Copy": {"exact": "yes"}}}]}
)

GATEWAY, PLUGIN = "gatewayAPI", "argoproj-labs/gatewayAPI"
WEB, KEPT_FREE = {"name": "web"}, {"name": "web", "useHeaderRoutes": False}
CONNECTIONS = (
    "",
    ("gatewayAPI names routes of connections only, in which no request is seen: list one in httpRoutes or grpcRoutes"),
)
NO_QUERY = (
    "match[1].queryParamName",
    (
        "gatewayAPI has no HTTPRoute for header routes, and calls have no query: use headerName, or list a route in"
        " httpRoutes"
    ),
)
NO_PATH = (
    "match",
    (
        "gatewayAPI names no HTTPRoute, and calls have no path or method of their own: use headers, or list a route in"
        " httpRoutes"
    ),
)
FREE = ("", "all routes of gatewayAPI are kept free of header routes: set useHeaderRoutes to true on one")
TCP_ONLY = ("", "istio names TLS and TCP routes only, in which no request is seen: name HTTP routes in routes")

Managed = SetHeaderRoute | SetMirrorRoute
ROWS: dict[str, tuple[str, dict[str, Any], Managed, list[tuple[str, str]]]] = {
    "TCP has no headers": (GATEWAY, {"tcpRoutes": [WEB]}, HEADER, [CONNECTIONS]),
    "TLS has no copies": (GATEWAY, {"tlsRoutes": [WEB]}, ALL, [CONNECTIONS]),
    "TCP beside HTTP": (GATEWAY, {"httpRoutes": [WEB], "tcpRoutes": [WEB]}, QUERY, []),
    "calls have headers": (GATEWAY, {"grpcRoutes": [WEB]}, HEADER, []),
    "calls have no query": (GATEWAY, {"grpcRoutes": [WEB]}, QUERY, [NO_QUERY]),
    "calls, and requests that want no header routes": (
        GATEWAY,
        {"grpcRoutes": [WEB], "httpRoutes": [KEPT_FREE]},
        QUERY,
        [NO_QUERY],
    ),
    "no route wants header routes": (GATEWAY, {"grpcRoutes": [KEPT_FREE], "httpRoutes": [KEPT_FREE]}, HEADER, [FREE]),
    "which mirrors don't mind": (GATEWAY, {"httpRoutes": [KEPT_FREE]}, READS, []),
    "calls are copied": (GATEWAY, {"grpcRoutes": [WEB]}, ALL, []),
    "calls by their headers": (GATEWAY, {"grpcRoutes": [WEB]}, SOME, []),
    "calls have no path": (
        GATEWAY,
        {"grpcRoutes": [WEB]},
        READS,
        [NO_PATH],
    ),
    "the plugin's words": (PLUGIN, {"tcpRoute": "web"}, HEADER, [CONNECTIONS]),
    "the plugin's list says nothing of header routes": (PLUGIN, {"httpRoutes": [WEB]}, HEADER, [FREE]),
    "the plugin's single route": (PLUGIN, {"httpRoute": "web"}, QUERY, []),
    "connections of a mesh": (
        "kuma",
        {"meshTCPRoutes": ["web"]},
        ALL,
        [("", "kuma names routes of connections only, in which no request is seen: list a MeshHTTPRoute")],
    ),
    "both of a mesh": ("kuma", {"meshTCPRoutes": ["web"], "meshHTTPRoutes": ["web"]}, HEADER, []),
    "TCP routes of a VirtualService": (
        "istio",
        {"virtualService": {"name": "web", "tcpRoutes": [{"port": 80}]}},
        ALL,
        [TCP_ONLY],
    ),
    "TLS routes of every VirtualService": (
        "istio",
        {"virtualServices": [{"name": "web", "tlsRoutes": [{"port": 443}]}, {"name": "b", "tcpRoutes": [{"port": 1}]}]},
        HEADER,
        [TCP_ONLY],
    ),
    "a VirtualService by its only HTTP route": (
        "istio",
        {"virtualServices": [{"name": "web"}, {"name": "b", "tcpRoutes": [{"port": 1}]}]},
        HEADER,
        [],
    ),
    "a router that knows requests only": ("contour", {"httpProxies": ["web"]}, QUERY, []),
}


@pytest.mark.parametrize("says", ROWS)
def test_what_nothing_can_have_is_said(says: str) -> None:
    key, settings, managed, expected = ROWS[says]
    router = ROUTERS[key]
    assert list(router.unserved(router.model.model_validate(settings), managed)) == expected
