"""Do routers keep the promises that strangers' routers have to keep?"""

from rollouts.api.base import parse
from rollouts.ports.testing import RouterConformance
from rollouts.registry import load_kit
from rollouts.traffic.alb.router import Alb
from rollouts.traffic.ambassador import Ambassador
from rollouts.traffic.apisix import Apisix
from rollouts.traffic.app_mesh import AppMesh
from rollouts.traffic.contour import Contour
from rollouts.traffic.gateway_api.plugin import GatewayApiPlugin, PluginConfig
from rollouts.traffic.gateway_api.router import GatewayApi
from rollouts.traffic.gloo import Gloo
from rollouts.traffic.istio.router import Istio
from rollouts.traffic.kuma import Kuma
from rollouts.traffic.linkerd import Linkerd
from rollouts.traffic.nginx import Nginx
from rollouts.traffic.skipper import Skipper
from rollouts.traffic.smi import Smi
from rollouts.traffic.traefik import Traefik
from tests.routing import SPLIT, Recording, RecordingRouter
from tests.traffic import (
    istio,
    test_alb,
    test_ambassador,
    test_apisix,
    test_app_mesh,
    test_contour,
    test_gloo,
    test_kuma,
    test_linkerd,
    test_nginx,
    test_skipper,
    test_smi,
    test_traefik,
)
from tests.traffic.gateway_api import backend, canary, live, reference, rule, spec, stable

MADE_BY_PEOPLE = {
    SPLIT: {
        "metadata": {"generation": 1, "labels": {"team": "shop"}},
        "spec": {"shares": [], "timeout": "3s"},
        "status": {"followed": 1},
    }
}


class TestRecordingRouter(RouterConformance):
    router = RecordingRouter()
    specs = (Recording(), Recording(verifies=True), Recording(hashes=True))
    objects = MADE_BY_PEOPLE


class TestRecordingRouterThatCreates(RouterConformance):
    router = RecordingRouter()
    specs = (Recording(),)


ISTIO = {
    **istio.virtual_service(istio.rule(istio.stable(100), istio.canary(0), timeout="3s")),
    **istio.virtual_service(
        {"name": "docs", **istio.rule(istio.to("docs"))},
        {"name": "a", **istio.rule(istio.stable(100), istio.canary(0), istio.to("docs", 25))},
        at=istio.reference(name="all", namespace="edge"),
        tcp=[istio.rule(istio.stable(100), istio.canary(0))],
    ),
    **istio.destination_rule(istio.named("stable"), istio.named("canary"), istio.named("debug", app="debug")),
}


class TestIstio(RouterConformance):
    router = Istio()
    specs = (
        istio.BY_HOST,
        istio.BY_SUBSET,
        istio.spec(virtualServices=[{"name": "web"}, {"name": "all.edge", "routes": ["a"], "tcpRoutes": [{}]}]),
    )
    objects = ISTIO


class TestAppMesh(RouterConformance):
    router = AppMesh()
    specs = (test_app_mesh.WEB, test_app_mesh.spec(virtualService={"name": "web", "routes": ["a"]}))
    objects = test_app_mesh.mesh({"name": "a", **test_app_mesh.both(0)})


class TestLinkerd(RouterConformance):
    router = Linkerd()
    specs = (test_linkerd.WEB,)
    objects = test_linkerd.http_route(test_linkerd.SHARED)


PROXIES = {
    **test_contour.proxy(
        test_contour.rule(test_contour.to("docs")),
        test_contour.rule(test_contour.stable(100), test_contour.canary(0), test_contour.to("docs", 25)),
        tcpproxy=test_contour.rule(test_contour.stable(100), test_contour.canary(0)),
    ),
    **test_contour.proxy(test_contour.rule(test_contour.stable(100)), name="docs"),
}


class TestContour(RouterConformance):
    router = Contour()
    specs = (test_contour.WEB, test_contour.spec("web", "docs"))
    objects = PROXIES


MESH_ROUTES = {
    **test_kuma.mesh_route(test_kuma.rule(test_kuma.stable(100), test_kuma.to("docs", 25))),
    **test_kuma.mesh_route(test_kuma.rule(test_kuma.stable(100)), at=test_kuma.reference("MeshTCPRoute")),
}


class TestKuma(RouterConformance):
    router = Kuma()
    specs = (test_kuma.WEB, test_kuma.spec(meshHTTPRoutes=["web"], meshTCPRoutes=["web"]))
    objects = MESH_ROUTES


class TestGloo(RouterConformance):
    router = Gloo()
    specs = (test_gloo.WEB,)
    objects = test_gloo.table({"redirectAction": {}}, test_gloo.rule(test_gloo.stable(100), name="all"))


class TestSkipper(RouterConformance):
    router = Skipper()
    specs = (test_skipper.WEB, test_skipper.GROUPS)
    objects = test_skipper.ingress(*test_skipper.BOTH, weights='{"docs": 3}') | test_skipper.PLAIN_GROUP


ROUTES = {
    **live(
        rule(stable(100), canary(0)), rule(backend("docs", 3)), rule(stable(2), backend("docs", 1)), labels={"a": "b"}
    ),
    **live(rule(stable(100), canary(0), backend("docs", 25)), at=reference(name="shared")),
    **live(rule(stable(100)), at=reference("GRPCRoute")),
    **live(rule(stable(100)), at=reference("TCPRoute")),
    **live({**rule(stable(100)), "name": "all"}, at=reference("TLSRoute")),
}


class TestGatewayApi(RouterConformance):
    router = GatewayApi()
    specs = (
        spec(httpRoutes=[{"name": "web"}, {"name": "shared"}], grpcRoutes=[{"name": "web"}]),
        spec(httpRoutes=[{"selector": {"matchLabels": {"a": "b"}}}], disableInProgressLabel=True),
        spec(tcpRoutes=[{"name": "web"}], tlsRoutes=[{"name": "web", "rules": ["all"]}]),
    )
    objects = ROUTES


class TestGatewayApiPlugin(RouterConformance):
    router = GatewayApiPlugin()
    specs = (parse(PluginConfig, {"httpRoute": "web", "grpcRouteSelector": {}}),)
    objects = ROUTES


class TestNginx(RouterConformance):
    router = Nginx()
    specs = (
        test_nginx.spec(),
        test_nginx.spec(stableIngresses=["shop"], additionalIngressAnnotations={"canary-by-header": "X-Canary"}),
    )
    objects = test_nginx.SHOP


class TestTraefik(RouterConformance):
    router = Traefik()
    specs = (test_traefik.SPEC,)
    objects = test_traefik.live(test_traefik.entry("docs"), *test_traefik.services(test_traefik.BOTH))


class TestAlb(RouterConformance):
    router = Alb()
    specs = (
        test_alb.spec(),
        test_alb.spec(
            ingresses=["shop"], rootService="root", stickinessConfig={"enabled": True, "durationSeconds": 60}
        ),
    )
    objects = test_alb.ingress(test_alb.DOCS, test_alb.rule(test_alb.ACTION, test_alb.path("root", "/root")))


class TestApisix(RouterConformance):
    router = Apisix()
    specs = (test_apisix.spec("all"),)
    objects = test_apisix.live(test_apisix.DOCS, test_apisix.OURS_ALL)


class TestSmi(RouterConformance):
    router = Smi()
    specs = (test_smi.spec(), test_smi.spec(rootService="web", trafficSplitName="shares"))


class TestAmbassador(RouterConformance):
    router = Ambassador()
    specs = (test_ambassador.spec(),)
    objects = test_ambassador.mapping("web-stable:80", labels={"host": "shop"}, headers={"x-team": "shop"})


def test_every_installed_router_is_tested_here() -> None:
    tested = {each.router.key for each in RouterConformance.__subclasses__()}
    assert set(load_kit().routers) <= tested
    assert load_kit().broken == {}
