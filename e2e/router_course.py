"""What becomes of a router's objects on a real API server, with the project's own definitions, during an update?"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from rollouts.api.base import parse
from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.controller.router_writes import write_object
from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.discovery import discover
from rollouts.kube.errors import NotFound
from rollouts.kube.resources import Resource
from rollouts.plan.actions import CreateObject, DeleteObject, ObjectAction, PatchObject
from rollouts.ports import (
    Ability,
    Affinity,
    Create,
    Destination,
    Objects,
    Owner,
    Patch,
    Reference,
    Returning,
    Route,
    Write,
)
from rollouts.ports.affinity import canary_value, stable_value, update_of
from rollouts.ports.router import AnyRouter, Raw

Json = dict[str, Any]

BY_PARAMETER = {"name": "beta", "match": [{"queryParamName": "version", "queryParamValue": {"prefix": "v2"}}]}
BETA = {
    "name": "beta",
    "match": [
        {"headerName": "X-Version", "headerValue": {"exact": "v1.2 (beta)"}},
        {"headerName": "X-Team", "headerValue": {"exact": "shop"}},
    ],
}
COPY = {
    "name": "copy",
    "percentage": 30,
    "match": [{"method": {"exact": "GET"}, "path": {"prefix": "/"}, "headers": {"X-Team": {"regex": "shop|api"}}}],
}
ROLLOUT: Json = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Rollout",
    "metadata": {"name": "web"},
    "spec": {
        "replicas": 0,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "web:1"}]},
        },
        "strategy": {"canary": {}},
    },
}


def sticky(owner: Owner) -> Affinity:
    """Return the affinity of an update of a Rollout, whose canary has had the weights 1, 2 and 5."""
    update = update_of(owner.rollout, "canary", "stable")
    canary, stable = canary_value(update), stable_value(update, 5)
    return Affinity(
        cookie="rollout-web",
        attributes="Max-Age=604800; Path=/; HttpOnly; SameSite=Lax",
        canary=canary,
        stable=stable,
        returning=(
            Returning((canary,), 100, 0),
            Returning((stable,), 0, 100),
            Returning((stable_value(update, 2), stable_value(update, 1)), 3, 95),
        ),
    )


def routes(router: AnyRouter, owner: Owner) -> Iterator[Route]:
    """Yield the routes of an update, forth and back."""
    for weight in (0, 5, 100):
        yield Route(Destination("web-canary", "c", weight), Destination("web-stable", "s", 100 - weight))
    five = Route(Destination("web-canary", "c", 5), Destination("web-stable", "s", 95))
    if Ability.HEADER_ROUTES in router.abilities:
        yield replace(five, headers=(parse(SetHeaderRoute, BETA),))
    if Ability.QUERY_PARAMETERS in router.abilities:
        yield replace(five, headers=(parse(SetHeaderRoute, BY_PARAMETER),))
    if Ability.MIRROR_ROUTES in router.abilities:
        yield replace(five, mirrors=(parse(SetMirrorRoute, COPY),))
    if Ability.SESSION_AFFINITY in router.abilities:
        yield replace(five, affinity=sticky(owner))
    if Ability.EXPERIMENTS in router.abilities:
        stable = replace(five.stable, weight=85)
        yield replace(five, stable=stable, additional=(Destination("web-1-baseline", "b", 10),))
    yield Route(Destination("web-canary", "c", 0), Destination("web-stable", "s", 100))


class Course:
    """A router and its objects on a real control plane."""

    def __init__(self, api: Api, router: AnyRouter, spec: Any, owner: Owner) -> None:
        self._api = api
        self._router = router
        self._spec = spec
        self._owner = owner

    async def run(self) -> Objects:
        """Write each route, as the controller does it; return the objects at the end."""
        objects = await self._objects()
        assert list(self._router.problems(self._spec, self._owner, objects)) == []
        for route in routes(self._router, self._owner):
            for write in self._router.write(self._spec, self._owner, route, objects):
                await write_object(self._api, await self._resource(write.reference), _action(write, objects))
            objects = await self._objects()
            again = self._router.write(self._spec, self._owner, route, objects)
            assert again == (), f"{self._router.key}: {route} is written twice: {again}"
            assert list(self._router.problems(self._spec, self._owner, objects)) == []
        return objects

    async def _objects(self) -> dict[Reference, Raw | None]:
        reads = self._router.reads(self._spec, self._owner)
        return {read: await self._read(read) for read in reads if isinstance(read, Reference)}

    async def _read(self, reference: Reference) -> Raw | None:
        try:
            return await self._api.get(await self._resource(reference), reference.namespace, reference.name)
        except NotFound:
            return None

    async def _resource(self, reference: Reference) -> Resource:
        found = await discover(self._api, reference.group, reference.kind)
        assert found is not None, f"{reference.kind} isn't served"
        return found


def _action(write: Write, objects: Objects) -> ObjectAction:
    if isinstance(write, Create):
        return CreateObject(write.reference, write.body)
    metadata = (objects[write.reference] or {})["metadata"]
    if isinstance(write, Patch):
        return PatchObject(write.reference, metadata["uid"], metadata["resourceVersion"], write.body, write.needs)
    return DeleteObject(write.reference, metadata["uid"], metadata["resourceVersion"])


async def owner(kubectl: Kubectl) -> Owner:
    """Create a Rollout that nobody looks after: objects belong to one that exists, or they are collected."""
    await kubectl.create(ROLLOUT)
    uid = (await kubectl.json("get", "rollout", "web"))["metadata"]["uid"]
    return Owner("web", kubectl.namespace, uid, "web-canary", "web-stable", managed_routes=("beta", "copy"))


async def run(plane: ControlPlane, router: AnyRouter, spec: Any, whose: Owner) -> Objects:
    async with await connect(kubeconfig=str(plane.admin_kubeconfig)) as connection:
        return await Course(Api(connection), router, spec, whose).run()


async def installed(plane: ControlPlane, definition: Path | Json, name: str) -> None:
    """Install a definition, and wait until it is served."""
    admin = Kubectl(plane.admin_kubeconfig)
    await admin.apply(definition, "--server-side")
    await admin.serves(name)
