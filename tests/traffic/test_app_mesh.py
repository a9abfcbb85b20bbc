"""Which weights and pods do the objects of App Mesh get, and what of them stays untouched?"""

from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.traffic import AppMeshTrafficRouting
from rollouts.ports import Objects, Patch, Reference
from rollouts.traffic.app_mesh import AppMesh
from tests.traffic.kinds import OWNER, Json, live, problems, route, written

ROUTER = AppMesh()
HASH = "rollouts-pod-template-hash"
NODES = {"canaryVirtualNodeRef": {"name": "node-c"}, "stableVirtualNodeRef": {"name": "node-s"}}


def spec(**fields: Any) -> AppMeshTrafficRouting:
    return parse(AppMeshTrafficRouting, {"virtualService": {"name": "web"}, "virtualNodeGroup": NODES, **fields})


WEB = spec()


def reference(kind: str, name: str = "web") -> Reference:
    return Reference("appmesh.k8s.aws", kind, "default", name)


ROUTES = reference("VirtualRouter", "router")
CANARY, STABLE = reference("VirtualNode", "node-c"), reference("VirtualNode", "node-s")


def target(name: str, weight: int) -> Json:
    return {"virtualNodeRef": {"name": name}, "weight": weight, "port": 8080}


def both(canary: int, protocol: str = "httpRoute", **fields: Any) -> Json:
    targets = [target("node-c", canary), target("node-s", 100 - canary)]
    return {protocol: {"action": {"weightedTargets": targets}, **fields}}


def mesh(*routes: Json, provider: Json | None = None, pod_hash: str = "") -> Any:
    named = {"virtualRouter": {"virtualRouterRef": {"name": "router"}}} if provider is None else provider
    selector = {"matchLabels": {"app": "web", **({HASH: pod_hash} if pod_hash else {})}}
    return {
        **live(reference("VirtualService"), {"provider": named}),
        **live(ROUTES, {"listeners": [], "routes": list(routes)}),
        **live(reference("VirtualRouter", "other"), {"routes": [{"name": "a", **both(0)}]}),
        **live(CANARY, {"podSelector": selector}),
        **live(STABLE, {"podSelector": selector}),
    }


def routes(objects: Objects) -> list[Json]:
    found: list[Json] = (objects[ROUTES] or {})["spec"]["routes"]
    return found


def pods(objects: Objects, node: Reference) -> Json:
    found: Json = (objects[node] or {})["spec"]["podSelector"]["matchLabels"]
    return found


@pytest.mark.parametrize("protocol", ["httpRoute", "http2Route", "grpcRoute", "tcpRoute"])
def test_weights_of_every_protocol(protocol: str) -> None:
    before = mesh({"name": "all", "priority": 3, **both(0, protocol, match={"prefix": "/"})})
    after = written(ROUTER, WEB, before, route(20))
    assert routes(after) == [{"name": "all", "priority": 3, **both(20, protocol, match={"prefix": "/"})}]
    assert after[reference("VirtualRouter", "other")] == before[reference("VirtualRouter", "other")]


def test_only_the_routes_that_are_named() -> None:
    before = mesh({"name": "a", **both(0)}, {"name": "b", **both(0)})
    after = written(ROUTER, spec(virtualService={"name": "web", "routes": ["b"]}), before, route(20))
    assert routes(after) == [{"name": "a", **both(0)}, {"name": "b", **both(20)}]


def test_nodes_select_the_pods_of_their_side() -> None:
    after = written(ROUTER, WEB, mesh({"name": "a", **both(0)}), route(0))
    assert pods(after, CANARY) == {"app": "web", HASH: "c"}
    assert pods(after, STABLE) == {"app": "web", HASH: "s"}


def test_without_a_hash_a_node_stays_as_it_is() -> None:
    before = mesh({"name": "a", **both(0)}, pod_hash="old")
    assert pods(written(ROUTER, WEB, before, route(0, canary="")), CANARY) == {"app": "web", HASH: "old"}


def test_only_what_has_changed_is_written() -> None:
    before = written(ROUTER, WEB, mesh({"name": "a", **both(0)}), route(0))
    [write] = ROUTER.write(WEB, OWNER, route(20), before)
    assert write == Patch(ROUTES, {"spec": {"routes": [{"name": "a", **both(20)}]}})


GOOD: Json = {"name": "a", **both(0)}
PROBLEMS: dict[str, tuple[Any, Objects | None, list[tuple[str, str]]]] = {
    "no VirtualService": ({"virtualService": None}, None, [("virtualService", "is missing: name a VirtualService")]),
    "no nodes": (
        {"virtualNodeGroup": {"canaryVirtualNodeRef": {"name": "node-c"}}},
        None,
        [("virtualNodeGroup", "must name two VirtualNodes: set canaryVirtualNodeRef and stableVirtualNodeRef")],
    ),
    "one node for both": (
        {"virtualNodeGroup": {**NODES, "stableVirtualNodeRef": {"name": "node-c"}}},
        None,
        [("virtualNodeGroup", 'names "node-c" twice: canary and stable need a VirtualNode each')],
    ),
    "nothing exists": (
        {},
        {},
        [
            (
                "virtualNodeGroup.canaryVirtualNodeRef",
                "VirtualNode node-c doesn't exist in namespace default: create it",
            ),
            (
                "virtualNodeGroup.stableVirtualNodeRef",
                "VirtualNode node-s doesn't exist in namespace default: create it",
            ),
            ("virtualService", "VirtualService web doesn't exist in namespace default: create it"),
        ],
    ),
    "a service without a router": (
        {},
        mesh(GOOD, provider={"virtualNode": {}}),
        [
            (
                "virtualService",
                "VirtualService web names no VirtualRouter of namespace default: set one as its provider",
            )
        ],
    ),
    "a router of another namespace": (
        {},
        mesh(GOOD, provider={"virtualRouter": {"virtualRouterRef": {"name": "router", "namespace": "blue"}}}),
        [
            (
                "virtualService",
                "VirtualService web names no VirtualRouter of namespace default: set one as its provider",
            )
        ],
    ),
    "a router that doesn't exist": (
        {},
        {**mesh(GOOD), ROUTES: None},
        [("virtualService", "VirtualRouter router doesn't exist in namespace default: create it")],
    ),
    "a router without routes": (
        {},
        mesh(),
        [("virtualService", "VirtualRouter router has no routes: add one with both VirtualNodes as its targets")],
    ),
    "a name that no route has": (
        {"virtualService": {"name": "web", "routes": ["b"]}},
        mesh(GOOD),
        [("virtualService.routes", 'VirtualRouter router has no route named "b": there are a')],
    ),
    "other targets": (
        {},
        mesh(GOOD, {"name": "b", "httpRoute": {"action": {"weightedTargets": [target("node-s", 1)]}}}),
        [("virtualService", 'route "b" of VirtualRouter router must have two targets: node-c and node-s')],
    ),
    "all is well": ({}, mesh(GOOD), []),
}


@pytest.mark.parametrize(("fields", "objects", "wanted"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(fields: Any, objects: Objects | None, wanted: list[tuple[str, str]]) -> None:
    assert problems(ROUTER, spec(**fields), objects) == wanted
