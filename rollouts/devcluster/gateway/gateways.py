"""Who carries out the Gateways of the cluster? Objects change, Envoy takes it in, and only then is it reported."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import tempfile
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from rollouts.devcluster.api import INTERNAL
from rollouts.devcluster.builtin import builtin
from rollouts.devcluster.gateway.attachment import Verdict
from rollouts.devcluster.gateway.envoy import Envoy
from rollouts.devcluster.gateway.report import conditions, gateway_status, route_status
from rollouts.devcluster.gateway.translate import translate
from rollouts.devcluster.gateway.world import CLASS, CONTROLLER, GROUP, World, by_service
from rollouts.devcluster.objects import is_terminating, key_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from rollouts.devcluster.api import Api
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.network import Loopback
    from rollouts.devcluster.objects import Key, Object

_LOG = logging.getLogger(__name__)
_RETRY = 1.0

DEFINITIONS = files("rollouts.devcluster.gateway").joinpath("definitions.yaml")


class Gateways:
    """Plays the implementation of the GatewayClass `devcluster`."""

    def __init__(self, api: Api, network: Loopback) -> None:
        self._api, self._network = api, network
        self._changed = asyncio.Event()
        self._addresses: dict[Key, str] = {}
        self._class, self._gateway, self._route = (
            self._kind(name) for name in ("GatewayClass", "Gateway", "HTTPRoute")
        )
        self._service, self._slice = builtin("Service"), builtin("EndpointSlice")
        for kind in (self._gateway, self._route, self._service, self._slice):
            api.collection(kind).subscribe(lambda _: self._changed.set())

    def _kind(self, name: str) -> Kind:
        found = self._api.kinds.by_name(f"{GROUP}/v1", name)
        if found is None:
            raise LookupError(f"{name} of {GROUP} is not served")
        return found

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve, until left."""
        self._create_class()
        with tempfile.TemporaryDirectory(prefix="devcluster-envoy-") as directory:
            envoy = Envoy(Path(directory), self._network.own)
            async with envoy.running():
                task = asyncio.create_task(self._run(envoy))
                try:
                    yield
                finally:
                    task.cancel()
                    await asyncio.gather(task, return_exceptions=True)

    def _create_class(self) -> None:
        spec = {"controllerName": CONTROLLER, "description": "an Envoy of the dev cluster, on loopback"}
        made = self._api.create(self._class, "", {"metadata": {"name": CLASS}, "spec": spec}, INTERNAL)
        accepted = {"Accepted": Verdict(holds=True, reason="Accepted", message="the dev cluster serves it")}
        now = self._api.clock.stamp()
        self._api.put_status(self._class, made, {"conditions": conditions(None, accepted, 1, now)})

    async def _run(self, envoy: Envoy) -> None:
        while True:
            self._changed.clear()
            try:
                world = self._observe()
                if await envoy.has_taken_in(envoy.publish(translate(world, envoy.source))):
                    self._report(world)
            except Exception:  # noqa: BLE001 - one broken object must not end the others' traffic
                _LOG.exception("the dev cluster failed to serve its Gateways; it tries again")
                asyncio.get_running_loop().call_later(_RETRY, self._changed.set)
            await self._changed.wait()

    def _observe(self) -> World:
        gateways = [each for each in self._objects(self._gateway) if each["spec"]["gatewayClassName"] == CLASS]
        self._assign({key_of(each) for each in gateways})
        return World(
            tuple(gateways),
            tuple(self._objects(self._route)),
            {key_of(each): each for each in self._objects(self._service)},
            by_service(self._objects(self._slice)),
            dict(self._addresses),
        )

    def _objects(self, kind: Kind) -> list[Object]:
        return [each for each in self._api.collection(kind).objects() if not is_terminating(each)]

    def _assign(self, gateways: set[Key]) -> None:
        for gone in self._addresses.keys() - gateways:
            self._network.give_back(self._addresses.pop(gone))
        for each in gateways - self._addresses.keys():
            self._addresses[each] = self._network.take()

    def _report(self, world: World) -> None:
        now = self._api.clock.stamp()
        for gateway in world.gateways:
            self._put(self._gateway, gateway, partial(gateway_status, world, gateway, now=now))
        for route in world.routes:
            self._put(self._route, route, partial(route_status, world, route, now=now))

    def _put(self, kind: Kind, obj: Object, status: Callable[[Object], Object]) -> None:
        """Write the status of an object that is still there, beside whatever has been written meanwhile."""
        live = self._api.collection(kind).get(key_of(obj))
        if live is not None and live["metadata"]["uid"] == obj["metadata"]["uid"]:
            self._api.put_status(kind, live, status(live))
