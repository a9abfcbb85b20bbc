"""Does a real API server, with the real definitions, take what the Gateway API's router writes, as it is written?"""

import json
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from rollouts.api.base import parse
from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.ports import Destination, Owner, Patch, Reference, Route
from rollouts.traffic.gateway_api.router import GatewayApi

Json = dict[str, Any]

GROUP = "gateway.networking.k8s.io"
ROUTER = GatewayApi()
KINDS = ("httproutes", "grpcroutes", "tcproutes", "tlsroutes")
STABLE: Json = {"name": "web-stable", "port": 80}
RULES: dict[str, list[Json]] = {
    "HTTPRoute": [
        {"backendRefs": [STABLE]},
        {"matches": [{"path": {"value": "/api"}}, {"method": "GET"}], "backendRefs": [STABLE]},
        {"name": "docs", "matches": [{"path": {"value": "/docs"}}], "backendRefs": [{"name": "docs", "port": 80}]},
    ],
    "GRPCRoute": [{"backendRefs": [STABLE, {"name": "web-canary", "port": 80, "weight": 0}]}],
    "TCPRoute": [{"backendRefs": [STABLE]}],
    "TLSRoute": [{"backendRefs": [STABLE, {"name": "docs", "port": 80}]}],
}
BETA = {
    "name": "Beta",
    "match": [
        {"headerName": "X-Version", "headerValue": {"prefix": "v1.2 (beta)"}},
        {"headerName": "X-Team", "headerValue": {"exact": "shop"}},
    ],
}
COPY = {
    "name": "copy",
    "percentage": 30,
    "match": [{"headers": {"X-Test": {"exact": "1"}}}, {"path": {"exact": "/api"}}],
}


def route(weight: int, whole: int = 100, **more: Any) -> Route:
    experiment = (Destination("web-1-baseline", "b", 5),) if "experiment" in more else ()
    return Route(
        Destination("web-canary", "c", weight),
        Destination("web-stable", "s", whole - weight - sum(each.weight for each in experiment)),
        experiment,
        whole,
        tuple(parse(SetHeaderRoute, each) for each in more.get("headers", ())),
        tuple(parse(SetMirrorRoute, each) for each in more.get("mirrors", ())),
    )


COURSE = (
    route(0),
    route(0, headers=[BETA]),
    route(1, 1_000_000, headers=[BETA]),
    route(5, headers=[BETA], mirrors=[COPY]),
    route(20, mirrors=[COPY], experiment=True),
    route(100),
    route(0),
)


async def installed(kubectl: Kubectl, definitions: Path, channel: str = "standard") -> None:
    """Install the definitions of a channel, and wait until they are served."""
    files = [next((definitions / channel).glob(f"{GROUP}_{kind}.yaml")) for kind in KINDS]
    for file in files:
        await kubectl.apply(file, "--server-side")
    await kubectl.serves(*(f"{kind}.{GROUP}" for kind in KINDS))


async def test_what_is_written_is_taken_and_stays_as_it_is(
    plane: ControlPlane, kubectl: Kubectl, gateway_api: Path
) -> None:
    await installed(Kubectl(plane.admin_kubeconfig), gateway_api)
    owner = Owner("web", kubectl.namespace, "uid-web", "web-canary", "web-stable")
    async with plane.admin.session() as api:
        for kind, rules in RULES.items():
            await _goes_its_course(api, kubectl, owner, kind, rules)


async def _goes_its_course(
    api: aiohttp.ClientSession, kubectl: Kubectl, owner: Owner, kind: str, rules: list[Json]
) -> None:
    field = f"{kind[:-5].lower()}Routes"
    spec = parse(GatewayApiTrafficRouting, {field: [{"name": "web"}]})
    reference = Reference(GROUP, kind, owner.namespace, "web")
    hosts = {"hostnames": ["shop.example.com"]} if kind == "TLSRoute" else {}
    body = {"parentRefs": [{"name": "public"}], "rules": rules, **hosts}
    manifest = {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": {"name": "web"}, "spec": body}
    await kubectl.create(manifest)
    place = f"/apis/{GROUP}/v1/namespaces/{owner.namespace}/{kind.lower()}s/web"
    begin = raw = await _read(api, place)
    assert list(ROUTER.problems(spec, owner, {reference: raw})) == []
    for wanted in COURSE:
        for write in ROUTER.write(spec, owner, wanted, {reference: raw}):
            assert isinstance(write, Patch)
            raw = await _patched(api, place, raw, write.body)
        again = ROUTER.write(spec, owner, wanted, {reference: raw})
        assert again == (), f"{kind}: {wanted} is written twice: {again}"
    assert len(raw["spec"]["rules"]) == len(begin["spec"]["rules"])
    assert raw["metadata"].get("annotations") is None
    assert raw["metadata"].get("labels") is None


async def _read(api: aiohttp.ClientSession, place: str) -> Json:
    async with api.get(place) as answer:
        found: Json = json.loads(await answer.read())
        assert answer.status == 200, found
        return found


async def _patched(api: aiohttp.ClientSession, place: str, raw: Json, patch: Any) -> Json:
    version = {"resourceVersion": raw["metadata"]["resourceVersion"]}
    body = {**patch, "metadata": {**patch.get("metadata", {}), **version}}
    headers = {"Content-Type": "application/merge-patch+json"}
    async with api.patch(place, data=json.dumps(body), headers=headers) as answer:
        found: Json = json.loads(await answer.read())
        if answer.status != 200:
            pytest.fail(f"{found['message']}: {json.dumps(patch)}")
        return found
