"""Under which version and which name does an API server serve a kind?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollouts.kube.errors import NotFound
from rollouts.kube.resources import Resource

if TYPE_CHECKING:
    from rollouts.kube.client import Api


async def discover(api: Api, group: str, kind: str) -> Resource | None:
    """Return the resource of a kind, in the version that the server prefers if it is there; None if it serves none."""
    for version in await _versions(api, group):
        try:
            served = await api.fetch(f"/apis/{group}/{version}" if group else f"/api/{version}")
        except NotFound:
            continue
        for each in served.get("resources") or ():
            if each["kind"] == kind and "/" not in each["name"]:
                return Resource(group, version, each["name"], kind, namespaced=each["namespaced"])
    return None


async def _versions(api: Api, group: str) -> list[str]:
    """Return the versions of a group, the preferred one first."""
    if not group:
        return ["v1"]
    try:
        found = await api.fetch(f"/apis/{group}")
    except NotFound:
        return []
    every = (found.get("preferredVersion") or {}, *(found.get("versions") or ()))
    return list(dict.fromkeys(each["version"] for each in every if "version" in each))
