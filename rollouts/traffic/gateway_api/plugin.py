"""How is the configuration of Argo Rollouts' Gateway API plugin understood, which many people have in their manifests?

Each of its fields means what it means there. Two have no use here: the plugin's ConfigMap, because a route itself says
what was added to it, and the name of its annotation, because all Rollouts of a route must use the same one.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from rollouts.api.base import Model
from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.api.meta import LabelSelector
from rollouts.ports import Objects, Owner, Reads, Route, Router, Seen, Write
from rollouts.traffic.gateway_api.backends import MOST_WEIGHT
from rollouts.traffic.gateway_api.router import ABILITIES, GatewayApi

_KINDS = ("http", "grpc", "tcp", "tls")
_OF_REQUESTS = frozenset({"http", "grpc"})
_NATIVE = GatewayApi()


class PluginRoute(Model):
    """One route of a list."""

    name: str
    use_header_routes: bool = False
    rule_name: str = ""


class PluginConfig(Model):
    """What stands in trafficRouting.plugins."""

    model_config = ConfigDict(title="argoproj-labs/gatewayAPI")

    namespace: str = ""
    http_route: str = ""
    grpc_route: str = ""
    tcp_route: str = ""
    tls_route: str = ""
    http_route_rule_name: str = ""
    grpc_route_rule_name: str = ""
    tcp_route_rule_name: str = ""
    tls_route_rule_name: str = ""
    http_routes: tuple[PluginRoute, ...] = Field(())
    grpc_routes: tuple[PluginRoute, ...] = Field(())
    tcp_routes: tuple[PluginRoute, ...] = Field(())
    tls_routes: tuple[PluginRoute, ...] = Field(())
    http_route_selector: LabelSelector | None = None
    grpc_route_selector: LabelSelector | None = None
    tcp_route_selector: LabelSelector | None = None
    tls_route_selector: LabelSelector | None = None
    disable_in_progress_label: bool = False
    in_progress_label_key: str = ""
    in_progress_label_value: str = ""


class GatewayApiPlugin(Router[PluginConfig]):
    """The router of the Gateway API, configured as the plugin is."""

    key = "argoproj-labs/gatewayAPI"
    model: ClassVar = PluginConfig
    abilities = ABILITIES
    most_weight = MOST_WEIGHT

    def problems(self, spec: PluginConfig, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        yield from _NATIVE.problems(native(spec), owner, objects)

    def unserved(self, spec: PluginConfig, managed: SetHeaderRoute | SetMirrorRoute) -> Iterator[tuple[str, str]]:
        yield from _NATIVE.unserved(native(spec), managed)

    def reads(self, spec: PluginConfig, owner: Owner) -> Reads:
        return _NATIVE.reads(native(spec), owner)

    def seen(self, spec: PluginConfig, owner: Owner, objects: Objects) -> Seen:
        return _NATIVE.seen(native(spec), owner, objects)

    def write(self, spec: PluginConfig, owner: Owner, route: Route, objects: Objects) -> tuple[Write, ...]:
        return _NATIVE.write(native(spec), owner, route, objects)


def native(config: PluginConfig) -> GatewayApiTrafficRouting:
    """Return the same in the words of trafficRouting.gatewayAPI."""
    return GatewayApiTrafficRouting.model_validate(
        {
            "namespace": config.namespace or None,
            **{f"{kind}_routes": list(_routes(config, kind)) for kind in _KINDS},
            "disable_in_progress_label": config.disable_in_progress_label,
            "in_progress_label_key": config.in_progress_label_key or None,
            "in_progress_label_value": config.in_progress_label_value or None,
        }
    )


def _routes(config: PluginConfig, kind: str) -> Iterator[dict[str, Any]]:
    """Yield the entries of a kind: the one that stands by itself, those of the list, those that a selector finds."""
    if name := getattr(config, f"{kind}_route"):
        yield _entry(kind, getattr(config, f"{kind}_route_rule_name"), name=name, use_header_routes=True)
    for route in getattr(config, f"{kind}_routes"):
        yield _entry(kind, route.rule_name, name=route.name, use_header_routes=route.use_header_routes)
    if (selector := getattr(config, f"{kind}_route_selector")) is not None:
        yield _entry(kind, "", selector=selector, use_header_routes=False)


def _entry(kind: str, rule: str, **settings: Any) -> dict[str, Any]:
    if kind not in _OF_REQUESTS:
        settings.pop("use_header_routes")
    return {**settings, "rules": (rule,) if rule else ()}
