"""Does a real API server, with the projects' own definitions, take what routers write, as it is written?"""

from pathlib import Path

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.router_course import Json, installed, owner, run
from e2e.router_kinds import MAPPINGS, SPLITS, definition_in
from e2e.waiting import eventually
from rollouts.api.base import parse
from rollouts.api.traffic import (
    AlbTrafficRouting,
    AmbassadorTrafficRouting,
    ApisixTrafficRouting,
    NginxTrafficRouting,
    SmiTrafficRouting,
    TraefikTrafficRouting,
)
from rollouts.traffic.alb.router import Alb
from rollouts.traffic.ambassador import Ambassador
from rollouts.traffic.apisix import Apisix
from rollouts.traffic.nginx import Nginx
from rollouts.traffic.smi import Smi
from rollouts.traffic.traefik import Traefik


def ingress(port: Json, *, backend: str = "web-stable", ingress_class: str = "nginx") -> Json:
    def path(name: str, at: str, to: Json) -> Json:
        return {"path": at, "pathType": "Prefix", "backend": {"service": {"name": name, "port": to}}}

    paths = [path("docs", "/docs", {"number": 80}), path(backend, "/", port)]
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "shop", "annotations": {"team": "shop"}},
        "spec": {
            "ingressClassName": ingress_class,
            "tls": [{"hosts": ["shop.example.com"], "secretName": "shop"}],
            "rules": [{"host": "shop.example.com", "http": {"paths": paths}}],
        },
    }


async def test_ingress_nginx(plane: ControlPlane, kubectl: Kubectl) -> None:
    await kubectl.create(ingress({"name": "http"}))
    spec = parse(
        NginxTrafficRouting,
        {"stableIngress": "shop", "additionalIngressAnnotations": {"canary-by-header": "X-Canary"}},
    )
    whose = await owner(kubectl)
    await run(plane, Nginx(), spec, whose)
    canary = await kubectl.json("get", "ingress", "web-shop-canary")
    assert canary["metadata"]["annotations"]["nginx.ingress.kubernetes.io/canary-weight"] == "0"
    assert canary["spec"]["tls"] == [{"hosts": ["shop.example.com"], "secretName": "shop"}]
    await kubectl("delete", "rollout", "web")

    async def is_gone() -> bool:
        return not await kubectl("get", "ingress", "web-shop-canary", "--ignore-not-found")

    await eventually(is_gone, what="the canary Ingress goes with its Rollout")


async def test_aws_load_balancer_controller(plane: ControlPlane, kubectl: Kubectl) -> None:
    made = ingress({"name": "use-annotation"}, backend="root", ingress_class="alb")
    await kubectl.create(made)
    settings = {
        "ingress": "shop",
        "servicePort": 80,
        "rootService": "root",
        "stickinessConfig": {"enabled": True, "durationSeconds": 60},
    }
    await run(plane, Alb(), parse(AlbTrafficRouting, settings), await owner(kubectl))
    after = await kubectl.json("get", "ingress", "shop")
    assert after["spec"] == made["spec"]
    assert after["metadata"]["annotations"]["team"] == "shop"


async def test_traefik(plane: ControlPlane, kubectl: Kubectl, traefik_kinds: Path) -> None:
    await installed(plane, traefik_kinds / "traefik.io_traefikservices.yaml", "traefikservices.traefik.io")
    services = [
        {"name": "web-stable", "port": 80, "weight": 100, "passHostHeader": True},
        {"name": "web-canary", "port": 80, "weight": 0},
        {"name": "docs", "port": 80, "weight": 7},
    ]
    body = {"weighted": {"services": services, "sticky": {"cookie": {"name": "web"}}}}
    manifest = {
        "apiVersion": "traefik.io/v1alpha1",
        "kind": "TraefikService",
        "metadata": {"name": "web"},
        "spec": body,
    }
    await kubectl.create(manifest)
    begin = await kubectl.json("get", "traefikservice", "web")
    spec = parse(TraefikTrafficRouting, {"weightedTraefikServiceName": "web"})
    await run(plane, Traefik(), spec, await owner(kubectl))
    assert (await kubectl.json("get", "traefikservice", "web"))["spec"] == begin["spec"]


async def test_apisix(plane: ControlPlane, kubectl: Kubectl, apisix_kinds: Path) -> None:
    await installed(plane, apisix_kinds / "v1" / "ApisixRoute.yaml", "apisixroutes.apisix.apache.org")
    backends = [{"serviceName": name, "servicePort": 80, "weight": 50} for name in ("web-stable", "web-canary")]
    rule = {"name": "all", "match": {"hosts": ["shop.example.com"], "paths": ["/*"]}, "backends": backends}
    manifest = {
        "apiVersion": "apisix.apache.org/v2",
        "kind": "ApisixRoute",
        "metadata": {"name": "shop"},
        "spec": {"ingressClassName": "apisix", "http": [rule]},
    }
    await kubectl.create(manifest)
    spec = parse(ApisixTrafficRouting, {"route": {"name": "shop", "rules": ["all"]}})
    after = await run(plane, Apisix(), spec, await owner(kubectl))
    assert [reference.name for reference, raw in after.items() if raw is not None] == ["shop"]


async def test_emissary_ingress(plane: ControlPlane, kubectl: Kubectl, emissary_kinds: Path) -> None:
    await installed(plane, definition_in(emissary_kinds, MAPPINGS), MAPPINGS)
    body = {"prefix": "/", "host": "shop.example.com", "service": "web-stable:80", "timeout_ms": 4000}
    metadata = {"name": "shop", "labels": {"host": "shop"}}
    manifest = {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "metadata": metadata, "spec": body}
    await kubectl.create(manifest)
    spec = parse(AmbassadorTrafficRouting, {"mappings": ["shop"]})
    await run(plane, Ambassador(), spec, await owner(kubectl))
    canary = await kubectl.json("get", "mappings.v2.getambassador.io", "shop-canary")
    assert canary["spec"] == {**body, "service": "web-canary:80", "weight": 0}
    assert canary["metadata"]["labels"] == {"host": "shop"}


async def test_service_mesh_interface(plane: ControlPlane, kubectl: Kubectl, smi_kinds: Path) -> None:
    await installed(plane, definition_in(smi_kinds / "split.yaml", SPLITS), SPLITS)
    spec = parse(SmiTrafficRouting, {"rootService": "web"})
    await run(plane, Smi(), spec, await owner(kubectl))
    split = await kubectl.json("get", "trafficsplit", "web")
    shares = [{"service": "web-canary", "weight": 0}, {"service": "web-stable", "weight": 100}]
    assert split["spec"] == {"service": "web", "backends": shares}
