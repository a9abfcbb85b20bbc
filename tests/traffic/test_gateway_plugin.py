"""Does the configuration of Argo Rollouts' plugin mean what it means there?"""

from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.ports import Selected
from rollouts.traffic.gateway_api.plugin import GatewayApiPlugin, PluginConfig, native
from tests.traffic.gateway_api import canary, live, reference, rule, spec, stable
from tests.traffic.routers import OWNER, route

ROWS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "one route": (
        {"httpRoute": "web", "namespace": "edge"},
        {
            "namespace": "edge",
            "httpRoutes": [{"name": "web", "useHeaderRoutes": True}],
            "disableInProgressLabel": False,
        },
    ),
    "one rule of it": (
        {"grpcRoute": "web", "grpcRouteRuleName": "shop", "tcpRoute": "db", "tcpRouteRuleName": "all"},
        {
            "grpcRoutes": [{"name": "web", "useHeaderRoutes": True, "rules": ["shop"]}],
            "tcpRoutes": [{"name": "db", "rules": ["all"]}],
            "disableInProgressLabel": False,
        },
    ),
    "lists": (
        {
            "httpRoutes": [{"name": "a", "useHeaderRoutes": True}, {"name": "b", "ruleName": "shop"}],
            "tlsRoutes": [{"name": "c", "useHeaderRoutes": True}],
        },
        {
            "httpRoutes": [
                {"name": "a", "useHeaderRoutes": True},
                {"name": "b", "useHeaderRoutes": False, "rules": ["shop"]},
            ],
            "tlsRoutes": [{"name": "c"}],
            "disableInProgressLabel": False,
        },
    ),
    "by labels": (
        {"httpRouteSelector": {"matchLabels": {"app": "web"}}},
        {
            "httpRoutes": [{"selector": {"matchLabels": {"app": "web"}}, "useHeaderRoutes": False}],
            "disableInProgressLabel": False,
        },
    ),
    "the label": (
        {"httpRoute": "web", "disableInProgressLabel": True, "inProgressLabelKey": "a", "inProgressLabelValue": "b"},
        {
            "httpRoutes": [{"name": "web", "useHeaderRoutes": True}],
            "disableInProgressLabel": True,
            "inProgressLabelKey": "a",
            "inProgressLabelValue": "b",
        },
    ),
    "what has no use here": (
        {"httpRoute": "web", "configMap": "argo-gatewayapi-configmap", "activeRolloutsAnnotationKey": "x"},
        {"httpRoutes": [{"name": "web", "useHeaderRoutes": True}], "disableInProgressLabel": False},
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_configuration(name: str) -> None:
    config, meant = ROWS[name]
    assert native(parse(PluginConfig, config)) == spec(**meant)


def test_it_does_the_same() -> None:
    config = parse(PluginConfig, {"httpRoute": "web", "grpcRouteSelector": {"matchLabels": {"app": "web"}}})
    plugin = GatewayApiPlugin()
    objects = live(rule(stable(100), canary(0)))
    (write,) = plugin.write(config, OWNER, route(20), objects)
    assert write.reference == reference()
    named, selected = plugin.reads(config, OWNER)
    assert named == reference()
    assert isinstance(selected, Selected)
    assert [path for path, _ in plugin.problems(config, OWNER, objects)] == ["grpcRoutes[0]"]
    assert plugin.seen(config, OWNER, objects).verified is None
