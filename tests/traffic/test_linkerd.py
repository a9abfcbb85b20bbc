"""Which weights and rules do Linkerd's HTTPRoutes get, and when has Linkerd taken them in?"""

from typing import Any

from rollouts.api.base import parse
from rollouts.api.traffic import LinkerdTrafficRouting
from rollouts.ports import Objects, Reference
from rollouts.traffic.linkerd import Linkerd
from tests.traffic.kinds import BETA, OWNER, Json, live, problems, route, written

ROUTER = Linkerd()
PARENT = {"group": "core", "kind": "Service", "name": "web", "port": 80}
WEB = parse(LinkerdTrafficRouting, {"httpRoutes": [{"name": "web"}]})


def reference(namespace: str = "default") -> Reference:
    return Reference("policy.linkerd.io", "HTTPRoute", namespace, "web")


def http_route(*rules: Json) -> Any:
    return live(reference(), {"parentRefs": [PARENT], "rules": list(rules)}, generation=4)


def to(name: str, weight: int) -> Json:
    return {"name": name, "port": 80, "weight": weight}


SHARED: Json = {"backendRefs": [to("web-stable", 100), to("web-canary", 0)]}


def rules(objects: Objects) -> list[Json]:
    found: list[Json] = (objects[reference()] or {})["spec"]["rules"]
    return found


def test_weights() -> None:
    after = written(ROUTER, WEB, http_route(SHARED), route(20))
    assert rules(after) == [{"backendRefs": [to("web-stable", 80), to("web-canary", 20)]}]


def test_header_routes_come_and_go() -> None:
    before = http_route(SHARED)
    during = written(ROUTER, WEB, before, route(0, headers=[BETA]))
    assert [each.get("name") for each in rules(during)] == ["beta", None]
    assert rules(during)[0]["backendRefs"][0]["name"] == "web-canary"
    assert written(ROUTER, WEB, during, route(0)) == before


def test_it_waits_for_linkerd() -> None:
    known = {"type": "Accepted", "status": "True", "observedGeneration": 3}
    raw = http_route(SHARED)[reference()] | {"status": {"parents": [{"parentRef": PARENT, "conditions": [known]}]}}
    seen = ROUTER.seen(WEB, OWNER, {reference(): raw})
    assert seen.verified is False
    assert seen.because == "Service web has not taken in HTTPRoute web yet: it knows generation 3 of 4"


def test_routes_of_another_namespace() -> None:
    settings = parse(LinkerdTrafficRouting, {"namespace": "mesh", "httpRoutes": [{"name": "web"}]})
    assert ROUTER.reads(settings, OWNER) == (reference("mesh"),)


def test_problems() -> None:
    assert problems(ROUTER, LinkerdTrafficRouting()) == [("", "names no route: list some in httpRoutes")]
    assert problems(ROUTER, WEB) == []
    missing = [("httpRoutes[0]", "HTTPRoute web doesn't exist in namespace default: create it")]
    assert problems(ROUTER, WEB, {reference(): None}) == missing
