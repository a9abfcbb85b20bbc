"""Does the page about the Gateway API say all there is, and is its manifest one that works?"""

import yaml

from rollouts.api.base import parse
from rollouts.api.canary import CanaryStrategy
from rollouts.api.gateway_api import GatewayApiTrafficRouting, GatewayRequestRoute
from rollouts.plan.traffic import owner_of
from rollouts.ports import Destination, Reference, Route
from rollouts.traffic.gateway_api.router import GatewayApi
from tests.docs.pages import ROOT, first_yaml

PAGE = ROOT / "docs" / "how-to" / "gateway-api.md"


def test_the_page_explains_every_field() -> None:
    text = PAGE.read_text()
    names = [field.alias or name for name, field in GatewayApiTrafficRouting.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in text] == []
    names = [field.alias or name for name, field in GatewayRequestRoute.model_fields.items()]
    assert [name for name in names if f"`[].{name}`" not in text] == []


def test_its_route_is_written() -> None:
    rollout, *_, route = yaml.safe_load_all(first_yaml(PAGE))
    canary = parse(CanaryStrategy, rollout["spec"]["strategy"]["canary"])
    spec = canary.traffic_routing.gateway_api if canary.traffic_routing else None
    owner, router = owner_of(rollout["metadata"], canary), GatewayApi()
    assert spec is not None
    reference = Reference("gateway.networking.k8s.io", "HTTPRoute", "default", "web")
    assert router.reads(spec, owner) == (reference,)
    assert list(router.problems(spec, owner, {reference: route})) == []
    wanted = Route(Destination("web-canary", "c", 20), Destination("web-stable", "s", 80))
    (write,) = router.write(spec, owner, wanted, {reference: route})
    assert write.reference == reference
