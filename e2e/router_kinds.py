"""Which definitions do the kinds of traffic routers have, and how do they get onto the control plane?

The projects' own, wherever a package registry has them. Of the others a kind is served that takes any fields: what the
API server does with objects is real then, what it would say to a field isn't known.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane

Json = dict[str, Any]

MAPPINGS = "mappings.getambassador.io"
SPLITS = "trafficsplits.split.smi-spec.io"
NAMES: Mapping[str, Sequence[str]] = {
    "gatewayAPI": [
        f"{kind}.gateway.networking.k8s.io" for kind in ("httproutes", "grpcroutes", "tcproutes", "tlsroutes")
    ],
    "istio": ["virtualservices.networking.istio.io", "destinationrules.networking.istio.io"],
    "contour": ["httpproxies.projectcontour.io"],
    "traefik": ["traefikservices.traefik.io"],
    "apisix": ["apisixroutes.apisix.apache.org"],
    "ambassador": [MAPPINGS],
    "smi": [SPLITS],
}
"""The definitions that a router needs; those of Ingresses are Kubernetes' own."""

UNPUBLISHED: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "linkerd": [("policy.linkerd.io", "v1beta3", "HTTPRoute")],
    "kuma": [("kuma.io", "v1alpha1", "MeshHTTPRoute"), ("kuma.io", "v1alpha1", "MeshTCPRoute")],
    "skipper": [("zalando.org", "v1", "RouteGroup")],
    "gloo": [("gateway.solo.io", "v1", "RouteTable")],
    "appMesh": [("appmesh.k8s.aws", "v1beta2", kind) for kind in ("VirtualService", "VirtualRouter", "VirtualNode")],
}
"""Kinds whose definitions are in no package: group, version and kind."""


@dataclass(frozen=True)
class RouterKinds:
    """Definitions, by the router that needs them; `files` have those that projects publish."""

    files: Mapping[str, Sequence[Path]]

    def of(self, router: str) -> list[Json]:
        """Return the definitions of a router's kinds."""
        names = NAMES.get(router, ())
        every = [each for file in self.files.get(router, ()) for each in yaml.safe_load_all(file.read_text())]
        published = [usable(each) for each in every if each and each["metadata"]["name"] in names]
        assert {each["metadata"]["name"] for each in published} == set(names)
        return [*published, *(open_definition(*kind) for kind in UNPUBLISHED.get(router, ()))]


async def install(plane: ControlPlane, definitions: Sequence[Json]) -> None:
    """Install definitions, and wait until they are served."""
    admin = Kubectl(plane.admin_kubeconfig)
    for each in definitions:
        await admin.apply(each, "--server-side")
    if definitions:
        await admin.serves(*(each["metadata"]["name"] for each in definitions))


def definition_in(file: Path, name: str) -> Json:
    """Return one definition of a file."""
    found: Json = next(each for each in yaml.safe_load_all(file.read_text()) if each["metadata"]["name"] == name)
    return usable(found)


def usable(definition: Json) -> Json:
    """Return a definition as an API server of today, alone, takes it."""
    today = definition if definition["apiVersion"].endswith("/v1") else _in_todays_version(definition)
    # The program that converts between versions isn't there.
    return {**today, "spec": {key: value for key, value in today["spec"].items() if key != "conversion"}}


def _in_todays_version(old: Json) -> Json:
    """Return a definition that was written for apiextensions.k8s.io/v1beta1, which no API server takes any more."""
    spec = {key: value for key, value in old["spec"].items() if key in {"group", "scope", "names"}}
    schema = {"openAPIV3Schema": {"type": "object", **old["spec"]["validation"]["openAPIV3Schema"]}}
    spec["versions"] = [{**each, "schema": schema} for each in old["spec"]["versions"]]
    return {**old, "apiVersion": "apiextensions.k8s.io/v1", "spec": spec}


def open_definition(group: str, version: str, kind: str) -> Json:
    """Return a definition that takes any fields."""
    plural = f"{kind.lower()}s"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    served = {"name": version, "served": True, "storage": True, "schema": schema}
    names = {"kind": kind, "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [served]},
    }
