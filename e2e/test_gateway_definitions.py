"""Does the dev cluster take only what the Gateway API's own definitions take, and read it in the same way?

Its definitions are a part of the real ones: a field may be missing, for it is pruned with a warning, and a value may be
refused that would not be carried out. But nothing may pass that a real cluster refuses, and no default may differ.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from rollouts.devcluster.gateway.gateways import DEFINITIONS
from tests.devcluster.gateways import GROUP, serving

Json = dict[str, Any]

OURS: dict[str, Json] = {each["spec"]["names"]["plural"]: each for each in yaml.safe_load_all(DEFINITIONS.read_text())}
SAME = {"type": None, "default": None, "x-kubernetes-list-type": "atomic", "x-kubernetes-list-map-keys": None}
LEAST = ("minimum", "minLength", "minItems")
MOST = ("maximum", "maxLength", "maxItems")
FORMS = ("pattern", "format")


def differences(ours: Json, theirs: Json, path: str) -> Iterator[str]:
    """Yield where ours takes what theirs refuses, or reads it in another way."""
    for key in _differing(ours, theirs):
        yield f"{path}: {key} is {ours.get(key)!r}, really {theirs.get(key)!r}"
    if "items" in ours:
        yield from differences(ours["items"], theirs["items"], f"{path}[]")
    for name, schema in ours.get("properties", {}).items():
        if name in theirs["properties"]:
            yield from differences(schema, theirs["properties"][name], f"{path}.{name}")
        else:
            yield f"{path}.{name} is no field"


def _differing(ours: Json, theirs: Json) -> Iterator[str]:
    yield from (key for key, unsaid in SAME.items() if ours.get(key, unsaid) != theirs.get(key, unsaid))
    yield from (key for key in LEAST if ours.get(key, 0) < theirs.get(key, 0))
    yield from (key for key in MOST if ours.get(key, float("inf")) > theirs.get(key, float("inf")))
    yield from (key for key in FORMS if key in theirs and "enum" not in ours and ours.get(key) != theirs[key])
    if "enum" in theirs and not set(ours.get("enum", ["anything"])) <= set(theirs["enum"]):
        yield "enum"
    if not set(theirs.get("required", ())) <= set(ours.get("required", ())):
        yield "required"


@pytest.mark.parametrize("plural", OURS)
def test_the_dev_cluster_s_definitions_are_a_part_of_the_real_ones(gateway_api: Path, plural: str) -> None:
    (ours, theirs) = (OURS[plural]["spec"], yaml.safe_load(_real(gateway_api, plural).read_text())["spec"])
    assert (ours["group"], ours["scope"]) == (theirs["group"], theirs["scope"])
    assert ours["names"] == {name: each for name, each in theirs["names"].items() if name != "categories"}
    assert list(differences(_spec(ours), _spec(theirs), plural)) == []


def _real(definitions: Path, plural: str) -> Path:
    return definitions / "standard" / f"{GROUP}_{plural}.yaml"


def _spec(definition: Json) -> Json:
    (found,) = (each for each in definition["versions"] if each["name"] == "v1")
    schema: Json = found["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return schema


async def test_what_the_dev_cluster_reports_is_taken_by_the_real_definitions(
    plane: ControlPlane, kubectl: Kubectl, gateway_api: Path
) -> None:
    admin = Kubectl(plane.admin_kubeconfig, kubectl.namespace)
    for plural in OURS:
        await admin.apply(_real(gateway_api, plural), "--server-side")
    await admin.serves(*(f"{plural}.{GROUP}" for plural in OURS))
    async with serving() as served:
        await served.start(stable="web:1")
        await served.route("- backendRefs: [{name: stable, port: 80}]")
        objects = [served.get("Gateway", "public"), served.get("HTTPRoute", "web")]
    for each in objects:
        bare = {name: each[name] for name in ("apiVersion", "kind", "spec")}
        await admin.create({**bare, "metadata": {"name": each["metadata"]["name"]}})
        place = f"{each['kind'].lower()}/{each['metadata']['name']}"
        patch = json.dumps({"status": each["status"]})
        await admin("patch", place, "--subresource=status", "--type=merge", "-p", patch)
        real = await admin.json("get", place)
        assert (real["spec"], real["status"]) == (each["spec"], each["status"])
