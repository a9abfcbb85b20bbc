"""What does Envoy have to know? Its listeners, routes, clusters and endpoints, made of the cluster's objects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollouts.devcluster.gateway.attachment import attachments, hostnames, is_found
from rollouts.devcluster.gateway.requests import acted, matches_of, matching, modified, precedence
from rollouts.devcluster.objects import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rollouts.devcluster.gateway.attachment import Attachment
    from rollouts.devcluster.gateway.world import Listener, World
    from rollouts.devcluster.objects import Key, Object

Json = dict[str, Any]
Source = Callable[[str, str], Json]

ROUTE = "devcluster-route"  # the header of each answer that says by which generation of which route it was sent

_TYPES = "type.googleapis.com/envoy"
_HTTP = f"{_TYPES}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


@dataclass(frozen=True, slots=True)
class Resources:
    """Envoy's configuration, by the names that its parts have for each other."""

    listeners: dict[str, Json]
    routes: dict[str, Json]
    clusters: dict[str, Json]
    endpoints: dict[str, Json]


def translate(world: World, source: Source) -> Resources:
    """Return all of it; `source` says where a part is found.

    Every Service is a cluster, so that a route never names one that Envoy must get to know first.
    """
    attached = list(attachments(world))
    listeners: dict[str, list[Listener]] = {}
    for each in (listener for gateway in world.gateways for listener in world.listeners(gateway)):
        listeners.setdefault(each.title, []).append(each)
    ports = {
        _cluster(key, port["port"]): world.endpoints(key, port.get("name") or "")
        for key, service in world.services.items()
        for port in service["spec"].get("ports") or ()
    }
    return Resources(
        {title: _listener(each[0], world.addresses[each[0].gateway], source) for title, each in listeners.items()},
        {title: _routes(world, title, each, attached) for title, each in listeners.items()},
        {name: _upstream(name, source) for name in ports},
        {name: _endpoints(name, addresses) for name, addresses in ports.items()},
    )


def _cluster(service: Key, port: int | None) -> str:
    return f"{'/'.join(service)}:{port}"


def _listener(listener: Listener, address: str, source: Source) -> Json:
    http = {
        "@type": _HTTP,
        "stat_prefix": listener.title,
        "rds": {"route_config_name": listener.title, "config_source": source("routes", listener.title)},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPES}.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    name = "envoy.filters.network.http_connection_manager"
    return {
        "@type": f"{_TYPES}.config.listener.v3.Listener",
        "name": listener.title,
        "address": {"socket_address": {"address": address, "port_value": listener.port}},
        "filter_chains": [{"filters": [{"name": name, "typed_config": http}]}],
    }


def _upstream(name: str, source: Source) -> Json:
    http = {
        "@type": f"type.googleapis.com/{_OPTIONS}",
        "common_http_protocol_options": {"idle_timeout": "30s"},
        "explicit_http_config": {"http_protocol_options": {}},
    }
    return {
        "@type": f"{_TYPES}.config.cluster.v3.Cluster",
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": source("endpoints", name)},
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {_OPTIONS: http},
    }


def _endpoints(name: str, addresses: list[tuple[str, int]]) -> Json:
    places = [{"socket_address": {"address": address, "port_value": port}} for address, port in addresses]
    return {
        "@type": f"{_TYPES}.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": [{"endpoint": {"address": each}} for each in places]}],
    }


def _routes(world: World, title: str, listeners: list[Listener], attached: list[Attachment]) -> Json:
    hosts: dict[str, list[tuple[tuple[Any, ...], Json]]] = {}
    for each in attached:
        served = [listener for listener in listeners if listener in each.listeners]
        for host in {host for listener in served for host in hostnames(listener, each.route)}:
            hosts.setdefault(host, []).extend(_entries(world, each.route))
    return {
        "@type": f"{_TYPES}.config.route.v3.RouteConfiguration",
        "name": title,
        "ignore_port_in_host_matching": True,
        "virtual_hosts": [
            {"name": host, "domains": [host], "routes": [entry for _, entry in sorted(found, key=lambda one: one[0])]}
            for host, found in sorted(hosts.items())
        ],
    }


def _entries(world: World, route: Object) -> Iterator[tuple[tuple[Any, ...], Json]]:
    """Yield the entries of a route, each with its place in the order; of two alike the older route's comes first."""
    meta = route["metadata"]
    sign = {"header": {"key": ROUTE, "value": f"{meta['namespace']}/{meta['name']}@{meta['generation']}"}}
    for number, rule in enumerate(route["spec"].get("rules") or ()):
        headers = modified(rule.get("filters") or ())
        headers["response_headers_to_add"] = [*headers.get("response_headers_to_add", ()), sign]
        for place, match in enumerate(matches_of(rule)):
            action = acted(rule, match, lambda each: _backend(route, each), lambda each: is_found(world, route, each))
            order = (*precedence(match), meta["creationTimestamp"], key_of(route), number, place)
            yield order, {"match": matching(match), **action, **headers}


def _backend(route: Object, backend: Object) -> str:
    return _cluster((backend.get("namespace") or route["metadata"]["namespace"], backend["name"]), backend.get("port"))
