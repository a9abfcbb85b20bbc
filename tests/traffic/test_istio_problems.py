"""What is said of Istio's settings that can't work, and of objects that lack something?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.ports import Objects, Owner
from tests.traffic.istio import (
    MANAGED_BY,
    OWNER,
    ROUTER,
    RULE,
    canary,
    destination_rule,
    named,
    reference,
    route,
    rule,
    spec,
    stable,
    subset,
    to,
    virtual_service,
    written,
)

SAME = rule(stable(100), canary(0))
SUBSETS = destination_rule(named("stable"), named("canary"))
WEB: Any = {"virtualService": {"name": "web"}}


def web(**entry: Any) -> Any:
    return {"virtualService": {"name": "web", **entry}}


ROWS: dict[str, tuple[Any, Objects | None, list[tuple[str, str]]]] = {
    "neither form": (
        {},
        None,
        [("", "must name the VirtualServices in one way: set either virtualService or virtualServices")],
    ),
    "both forms": (
        {**WEB, "virtualServices": [{"name": "docs"}]},
        None,
        [("", "must name the VirtualServices in one way: set either virtualService or virtualServices")],
    ),
    "the same twice": (
        {"virtualServices": [{"name": "web"}, {"name": "web.default"}]},
        None,
        [
            (
                "virtualServices[1]",
                "VirtualService web is virtualServices[0], too: list it once, with all its routes",
            )
        ],
    ),
    "a managed route as a route": (
        web(routes=["beta"]),
        None,
        [("virtualService.routes", '"beta" is one of managedRoutes, which come and go: name another route')],
    ),
    "one subset for both": (
        {**WEB, "destinationRule": {**RULE, "stableSubsetName": "canary"}},
        None,
        [("destinationRule.canarySubsetName", '"canary" is stableSubsetName, too: name two subsets')],
    ),
    "a VirtualService that doesn't exist": (
        {"virtualServices": [{"name": "web.edge"}]},
        {reference(namespace="edge"): None},
        [("virtualServices[0]", "VirtualService web doesn't exist in namespace edge: create it")],
    ),
    "a name that no route has": (
        web(routes=["a", "b"]),
        virtual_service({"name": "a", **SAME}, {"name": "c", **SAME}),
        [("virtualService.routes", 'VirtualService web has no HTTP route named "b": there are a, c')],
    ),
    "a name, and no route has any": (
        web(routes=["a"]),
        virtual_service(SAME),
        [
            (
                "virtualService.routes",
                'VirtualService web has no HTTP route named "a": none of its HTTP routes has a name',
            )
        ],
    ),
    "several routes, and none is named": (
        WEB,
        virtual_service(SAME, SAME),
        [("virtualService.routes", "VirtualService web has 2 HTTP routes: name those that are meant")],
    ),
    "the only TCP route, which is shared": (WEB, virtual_service(tcp=[SAME]), []),
    "the only route without a name": (WEB, virtual_service({"name": "docs", **rule(to("docs"))}, SAME), []),
    "a route that delegates": (
        WEB,
        virtual_service({"delegate": {"name": "shop", "namespace": "edge"}}),
        [
            (
                "virtualService",
                (
                    'HTTP route "" of VirtualService web delegates to shop.edge, so name that one; it must have two'
                    " destinations: the hosts web-stable and web-canary"
                ),
            )
        ],
    ),
    "no route at all": (
        WEB,
        virtual_service(tcp=[rule(to("db"))]),
        [("virtualService", "VirtualService web has no HTTP route: name TLS or TCP routes in tlsRoutes or tcpRoutes")],
    ),
    "managed routes don't count": (WEB, virtual_service({"name": "beta", **rule(canary(100))}, SAME), []),
    "no TLS route that matches": (
        web(tlsRoutes=[{"port": 44, "sniHosts": ["a", "b"]}]),
        virtual_service(tls=[{"match": [{"port": 443, "sniHosts": ["a"]}], **SAME}]),
        [
            (
                "virtualService.tlsRoutes[0]",
                "VirtualService web has no TLS route that matches port 44 sniHosts a, b: add one, or correct the entry",
            )
        ],
    ),
    "no TCP route that matches, and none at all": (
        web(tcpRoutes=[{"port": 5432}, {}]),
        virtual_service(SAME),
        [
            (
                "virtualService.tcpRoutes[0]",
                "VirtualService web has no TCP route that matches port 5432: add one, or correct the entry",
            ),
            ("virtualService.tcpRoutes[1]", "VirtualService web has no TCP route: add one, or correct the entry"),
        ],
    ),
    "a route without the canary": (
        web(routes=["a"]),
        virtual_service({"name": "a", **rule(stable(100))}),
        [
            (
                "virtualService",
                'HTTP route "a" of VirtualService web must have two destinations: the hosts web-stable and web-canary',
            )
        ],
    ),
    "a TCP route that goes elsewhere": (
        web(tcpRoutes=[{}]),
        virtual_service(tcp=[rule(to("db"))]),
        [
            (
                "virtualService",
                "TCP route 0 of VirtualService web must have two destinations: the hosts web-stable and web-canary",
            )
        ],
    ),
    "a route without the subsets": (
        {**WEB, "destinationRule": RULE},
        virtual_service(rule(subset("stable", 100))) | SUBSETS,
        [
            (
                "virtualService",
                'HTTP route "" of VirtualService web must have two destinations: the subsets stable and canary',
            )
        ],
    ),
    "a DestinationRule that doesn't exist": (
        {**WEB, "destinationRule": RULE},
        virtual_service(rule(subset("stable", 100), subset("canary", 0))) | {reference("DestinationRule"): None},
        [("destinationRule", "DestinationRule web doesn't exist in namespace default: create it")],
    ),
    "another Rollout's, and without its subsets": (
        {**WEB, "destinationRule": RULE},
        virtual_service(rule(subset("stable", 100), subset("canary", 0)))
        | destination_rule(named("stable"), manager="api"),
        [
            (
                "destinationRule",
                f'DestinationRule web belongs to Rollout "api": use another one, or remove its annotation {MANAGED_BY}',
            ),
            ("destinationRule", 'DestinationRule web has no subset "canary": there are stable'),
        ],
    ),
    "all is well": ({**WEB, "destinationRule": RULE}, virtual_service(SAME) | SUBSETS, []),
}


@pytest.mark.parametrize(("fields", "objects", "wanted"), ROWS.values(), ids=ROWS)
def test_problems(fields: Any, objects: Objects | None, wanted: list[tuple[str, str]]) -> None:
    assert list(ROUTER.problems(spec(**fields), OWNER, objects)) == wanted


def test_of_a_ping_pong_pair_either_may_be_the_stable_one() -> None:
    pair = Owner("web", "default", "uid-web", has_ping_pong=True)
    assert list(ROUTER.problems(spec(**WEB), pair, virtual_service(rule(to("ping", 100), to("pong", 0))))) == []


def test_what_is_written_has_no_problems() -> None:
    beta = {"name": "beta", "match": [{"headerName": "X", "headerValue": {"exact": "y"}}]}
    during = written(virtual_service(SAME), route(10, headers=[beta], additional={"web-1-a": 5}))
    assert list(ROUTER.problems(spec(**WEB), OWNER, during)) == []
    forgotten = replace(OWNER, managed_routes=())
    assert list(ROUTER.problems(spec(**WEB), forgotten, during)) == []
