"""Which groups, versions and resources does the server announce? In the aggregated form and in the older one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollouts.devcluster.kinds import Kind, Kinds
    from rollouts.devcluster.objects import Object

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
VERSION = {"major": "1", "minor": "36"}


def version() -> Object:
    """Answer /version."""
    return {
        **VERSION,
        "gitVersion": "v1.36.0-devcluster",
        "gitCommit": "",
        "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": "python/any",
    }


def subresources(kind: Kind) -> list[tuple[str, Object, list[str]]]:
    """Return a kind's subresources: name, the kind they answer, their verbs."""
    own = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    found: list[tuple[str, Object, list[str]]] = []
    if kind.has_status:
        found.append(("status", own, ["get", "patch", "update"]))
    if kind.scale:
        scale = {"group": "autoscaling", "version": "v1", "kind": "Scale"}
        found.append(("scale", scale, ["get", "patch", "update"]))
    if kind.resource == "pods":
        found.append(("log", own, ["get"]))
        found.append(("eviction", {"group": "policy", "version": "v1", "kind": "Eviction"}, ["create"]))
        found.append(("binding", {"group": "", "version": "v1", "kind": "Binding"}, ["create"]))
    return found


def _aggregated_resource(kind: Kind) -> Object:
    resource: Object = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular_name,
        "verbs": _VERBS,
    }
    if kind.short_names:
        resource["shortNames"] = list(kind.short_names)
    if kind.categories:
        resource["categories"] = list(kind.categories)
    below = subresources(kind)
    if below:
        resource["subresources"] = [
            {"subresource": name, "responseKind": answered, "verbs": verbs} for name, answered, verbs in below
        ]
    return resource


def aggregated(kinds: Kinds, *, core: bool) -> Object:
    """Answer /api or /apis in the aggregated form."""
    items: list[Object] = []
    for group, versions in kinds.groups().items():
        if (not group) is not core:
            continue
        entries = [
            {
                "version": each,
                "resources": [_aggregated_resource(kind) for kind in kinds.of(group, each)],
                "freshness": "Current",
            }
            for each in versions
        ]
        meta: Object = {"creationTimestamp": None}
        items.append({"metadata": {**meta, "name": group} if group else meta, "versions": entries})
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def core_versions(address: str) -> Object:
    """Answer /api."""
    addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}


def _group(group: str, versions: list[str]) -> Object:
    entries = [{"groupVersion": f"{group}/{each}", "version": each} for each in versions]
    return {"name": group, "versions": entries, "preferredVersion": entries[0]}


def group_list(kinds: Kinds) -> Object:
    """Answer /apis."""
    groups = [_group(group, versions) for group, versions in kinds.groups().items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def group(kinds: Kinds, name: str) -> Object | None:
    """Answer /apis/GROUP."""
    versions = kinds.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1", **_group(name, versions)} if name and versions else None


def resource_list(kinds: Kinds, group_name: str, version_name: str) -> Object | None:
    """Answer /api/v1 or /apis/GROUP/VERSION."""
    found = kinds.of(group_name, version_name)
    if not found:
        return None
    resources: list[Any] = []
    for kind in found:
        entry: Object = {
            "name": kind.plural,
            "singularName": kind.singular_name,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": _VERBS,
        }
        if kind.short_names:
            entry["shortNames"] = list(kind.short_names)
        if kind.categories:
            entry["categories"] = list(kind.categories)
        resources.append(entry)
        for name, answered, verbs in subresources(kind):
            below = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
            resources.append({**below, **answered, "verbs": verbs})
    gv = f"{group_name}/{version_name}" if group_name else version_name
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": gv, "resources": resources}
