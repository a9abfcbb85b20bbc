"""Does a real API server, with Istio's, Contour's and Kubernetes' definitions, take what routers write, as it is?"""

from pathlib import Path

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.router_course import Json, installed, owner, run
from rollouts.api.base import parse
from rollouts.api.traffic import ContourTrafficRouting, IstioTrafficRouting, SkipperTrafficRouting
from rollouts.ports import Objects
from rollouts.traffic.contour import Contour
from rollouts.traffic.istio.router import Istio
from rollouts.traffic.skipper import Skipper

MANAGED_BY = "argo-rollouts.argoproj.io/managed-by-rollouts"


BY_HOST: list[Json] = [
    {"destination": {"host": "web-stable"}, "weight": 100},
    {"destination": {"host": "web-canary"}, "weight": 0},
]


def spec_of(objects: Objects, kind: str) -> Json:
    return next(dict(raw["spec"]) for reference, raw in objects.items() if reference.kind == kind and raw is not None)


async def test_istio(plane: ControlPlane, kubectl: Kubectl, istio_kinds: Path) -> None:
    await installed(plane, istio_kinds, "virtualservices.networking.istio.io")
    routes = [
        {"name": "docs", "match": [{"uri": {"prefix": "/docs"}}], "route": [{"destination": {"host": "docs"}}]},
        {
            "name": "all",
            "match": [{"uri": {"prefix": "/"}, "headers": {"x-tenant": {"regex": ".+"}}}, {"port": 8080}],
            "timeout": "3s",
            "retries": {"attempts": 2, "perTryTimeout": "1s"},
            "route": BY_HOST,
            "mirrors": [{"destination": {"host": "audit"}, "percentage": {"value": 5}}],
        },
    ]
    body = {
        "hosts": ["shop.example.com"],
        "http": routes,
        "tls": [{"match": [{"port": 443, "sniHosts": ["shop.example.com"]}], "route": BY_HOST}],
        "tcp": [{"match": [{"port": 5432}], "route": BY_HOST}],
    }
    made = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "web"}, "spec": body}
    subsets = [{"name": name, "labels": {"app": "web"}} for name in ("stable", "canary", "debug")]
    rule = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "DestinationRule",
        "metadata": {"name": "web"},
        "spec": {"host": "web", "subsets": subsets, "trafficPolicy": {"loadBalancer": {"simple": "LEAST_REQUEST"}}},
    }
    await kubectl.create(made)
    await kubectl.create(rule)
    settings = {
        "virtualService": {"name": "web", "routes": ["all"], "tlsRoutes": [{"port": 443}], "tcpRoutes": [{}]},
        "destinationRule": {"name": "web", "canarySubsetName": "canary", "stableSubsetName": "stable"},
    }
    after = await run(plane, Istio(), parse(IstioTrafficRouting, settings), await owner(kubectl))
    assert spec_of(after, "VirtualService") == body
    selected = {each["name"]: each["labels"] for each in spec_of(after, "DestinationRule")["subsets"]}
    assert selected["debug"] == {"app": "web"}
    assert selected["canary"] == {"app": "web", "rollouts-pod-template-hash": "c"}
    annotations = [(raw or {})["metadata"].get("annotations") for raw in after.values()]
    assert annotations == [None, {MANAGED_BY: "web"}]


async def test_contour(plane: ControlPlane, kubectl: Kubectl, contour_kinds: Path) -> None:
    await installed(plane, contour_kinds, "httpproxies.projectcontour.io")
    stable = {"name": "web-stable", "port": 80, "weight": 100}
    body = {
        "virtualhost": {"fqdn": "shop.example.com"},
        "routes": [
            {"conditions": [{"prefix": "/docs"}], "services": [{"name": "docs", "port": 80}]},
            {
                "conditions": [{"prefix": "/"}, {"header": {"name": "x-tenant", "present": True}}],
                "timeoutPolicy": {"response": "3s"},
                "services": [stable, {"name": "audit", "port": 80, "mirror": True}],
            },
            {"conditions": [{"prefix": "/api"}], "services": [stable]},
        ],
    }
    made = {"apiVersion": "projectcontour.io/v1", "kind": "HTTPProxy", "metadata": {"name": "shop"}, "spec": body}
    await kubectl.create(made)
    begin = await kubectl.json("get", "httpproxy", "shop")
    spec = parse(ContourTrafficRouting, {"httpProxies": ["shop"]})
    after = await run(plane, Contour(), spec, await owner(kubectl))
    assert spec_of(after, "HTTPProxy") == begin["spec"]
    assert [(raw or {})["metadata"].get("annotations") for raw in after.values()] == [None]


async def test_skipper(plane: ControlPlane, kubectl: Kubectl) -> None:
    paths = [
        {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": name, "port": {"number": 80}}}}
        for name in ("web-stable", "web-canary")
    ]
    rules = [{"host": "shop.example.com", "http": {"paths": paths}}]
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop"},
        "spec": {"ingressClassName": "skipper", "rules": rules},
    }
    await kubectl.create(manifest)
    after = await run(plane, Skipper(), parse(SkipperTrafficRouting, {"ingresses": ["shop"]}), await owner(kubectl))
    assert spec_of(after, "Ingress") == manifest["spec"]
