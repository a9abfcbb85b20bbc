"""What has Envoy taken in? It is asked itself: a controller of routes may say that it is done a moment before."""

from pathlib import Path
from typing import Any

import aiohttp

Json = dict[str, Any]
ROUTES = "http://envoy/config_dump?resource=dynamic_route_configs"


async def weights(socket: Path, host: str) -> dict[str, int]:
    """Return which weight each Service has among the requests for a host that no rule of their own is for."""
    connector = aiohttp.UnixConnector(str(socket))
    async with aiohttp.ClientSession(connector=connector, raise_for_status=True) as http, http.get(ROUTES) as answer:
        dump: Json = await answer.json(content_type=None)
    hosts = [each for config in dump.get("configs", []) for each in config["route_config"].get("virtual_hosts", [])]
    routes = [route for each in hosts if host in each["domains"] for route in each["routes"]]
    return _shares(routes[-1].get("route", {})) if routes else {}  # rules come before what is left for all others


def _shares(action: Json) -> dict[str, int]:
    """Name Services by their clusters, which Contour calls `namespace/service/port/digest`."""
    if "cluster" in action:
        return {_service(action["cluster"]): 100}
    clusters: list[Json] = action.get("weighted_clusters", {}).get("clusters", [])
    return {_service(each["name"]): each.get("weight", 0) for each in clusters}


def _service(cluster: str) -> str:
    return cluster.split("/")[1]
