"""Does a real API server take sessions of a Gateway where its channel has them, and say so where it hasn't?"""

from dataclasses import replace
from pathlib import Path

import pytest

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.router_course import sticky
from e2e.test_gateway_objects import GROUP, STABLE, installed, route
from e2e.waiting import eventually
from rollouts.api.base import parse
from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.controller.router_writes import write_object
from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.errors import BadRequest
from rollouts.kube.resources import Resource
from rollouts.plan.router_actions import as_action
from rollouts.ports import Owner, Reference, Session
from rollouts.ports.affinity import session_name, update_of
from rollouts.ports.router import Raw
from rollouts.traffic.gateway_api.router import GatewayApi

ROUTER = GatewayApi()
ROUTES = Resource(GROUP, "v1", "httproutes", "HTTPRoute")
SPEC = parse(GatewayApiTrafficRouting, {"httpRoutes": [{"name": "web"}]})


async def test_sessions_need_the_experimental_channel(plane: ControlPlane, kubectl: Kubectl, gateway_api: Path) -> None:
    admin = Kubectl(plane.admin_kubeconfig)
    await installed(admin, gateway_api)
    body = {"parentRefs": [{"name": "public"}], "rules": [{"backendRefs": [STABLE]}]}
    await kubectl.create({"apiVersion": f"{GROUP}/v1", "kind": "HTTPRoute", "metadata": {"name": "web"}, "spec": body})
    owner = Owner("web", kubectl.namespace, "uid-web", "web-canary", "web-stable", has_affinity=True, has_sessions=True)
    reference = Reference(GROUP, "HTTPRoute", owner.namespace, "web")

    session = Session(session_name("rollout-web", update_of(owner.rollout, "canary", "stable")), "cookie", 86400)
    kept = replace(route(20), affinity=replace(sticky(owner), session=session))
    async with await connect(kubeconfig=str(plane.admin_kubeconfig)) as connection:
        api = Api(connection)
        begin = await api.get(ROUTES, owner.namespace, "web")

        async def written(raw: Raw) -> Raw:
            (write,) = ROUTER.write(SPEC, owner, kept, {reference: raw})
            return await write_object(api, ROUTES, as_action(write, {reference: raw}))

        with pytest.raises(
            BadRequest, match=r'^[^{]*unknown field "spec.rules\[0\].sessionPersistence".*experimental channel'
        ):
            await written(begin)
        assert await api.get(ROUTES, owner.namespace, "web") == begin, "not even the weight is written"

        try:
            await admin("apply", "--server-side", "-f", str(_experimental(gateway_api)))
            taken: list[Raw] = []

            async def is_taken() -> bool:
                taken.append(await written(begin))
                return True

            await eventually(is_taken)
            assert ROUTER.write(SPEC, owner, kept, {reference: taken[0]}) == (), "it is as it was written"
            (write,) = ROUTER.write(SPEC, owner, route(0), {reference: taken[0]})
            end = await write_object(api, ROUTES, as_action(write, {reference: taken[0]}))
            assert "sessionPersistence" not in end["spec"]["rules"][0]
        finally:
            await installed(admin, gateway_api)


def _experimental(definitions: Path) -> Path:
    return next((definitions / "experimental").glob(f"{GROUP}_httproutes.yaml"))
