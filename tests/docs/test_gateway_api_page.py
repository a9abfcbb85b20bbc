"""Does the page about the Gateway API say all there is, and is its manifest one that works?"""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from rollouts.api.base import parse
from rollouts.api.canary import CanaryStrategy
from rollouts.api.gateway_api import GatewayApiTrafficRouting, GatewayRequestRoute
from rollouts.cli.checks import findings
from rollouts.cli.manifests import read_documents
from rollouts.plan.traffic import owner_of
from rollouts.ports import Destination, Reference, Route
from rollouts.registry import load_kit
from rollouts.traffic.gateway_api.router import GatewayApi
from tests.docs.pages import ROOT, first_yaml

PAGE = ROOT / "docs" / "how-to" / "gateway-api.md"


def test_the_page_explains_every_field() -> None:
    text = PAGE.read_text()
    names = [field.alias or name for name, field in GatewayApiTrafficRouting.model_fields.items()]
    assert [name for name in names if f"`{name}`" not in text] == []
    names = [field.alias or name for name, field in GatewayRequestRoute.model_fields.items()]
    assert [name for name in names if f"`[].{name}`" not in text] == []


def test_its_rollout_is_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kit = replace(load_kit(), routers={GatewayApi.key: GatewayApi()})
    monkeypatch.setattr("rollouts.cli.checks.load_kit", lambda: kit)
    file = tmp_path / "web.yaml"
    file.write_text(first_yaml(PAGE))
    assert [str(each) for each in findings(list(read_documents(str(file))))] == []


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
