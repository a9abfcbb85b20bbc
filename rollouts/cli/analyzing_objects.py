"""Which objects may an analysis on a laptop create and read? Those that a kubeconfig gives access to; no Job is left.

The run itself is on no cluster, so nothing there can be owned by it.
"""

import asyncio
import contextlib
from types import TracebackType
from typing import Self

from rollouts.cli.session import FIELD_MANAGER, Where
from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.errors import KubeError
from rollouts.kube.objects import Objects
from rollouts.ports.objects import CreateObject, DeleteObject, Home, ObjectAnswer, ObjectKind, ObjectRequest
from rollouts.ports.provider import MeasurementError


class ClusterObjects:
    """Connects when a metric asks for the first object, and deletes in the end what was created."""

    def __init__(self, where: Where) -> None:
        self._where = where
        self._open = contextlib.AsyncExitStack()
        self._connecting = asyncio.Lock()
        self._objects: Objects | None = None
        self._created: dict[tuple[ObjectKind, str], Home] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for (each, name), home in self._created.items():
            with contextlib.suppress(MeasurementError):  # it was about to end
                await self(DeleteObject(each, name), home)
        await self._open.aclose()

    async def __call__(self, request: ObjectRequest, home: Home) -> ObjectAnswer:
        """Return the answer. Raises MeasurementError."""
        objects = await self._connected()
        if not isinstance(request, CreateObject):
            return await objects(request, home)
        metadata = {name: value for name, value in request.body["metadata"].items() if name != "ownerReferences"}
        self._created[request.kind, metadata["name"]] = home
        return await objects(CreateObject(request.kind, {**request.body, "metadata": metadata}), home)

    async def _connected(self) -> Objects:
        async with self._connecting:
            if self._objects is None:
                try:
                    connection = await connect(kubeconfig=self._where.kubeconfig, context=self._where.context)
                except KubeError as error:
                    raise MeasurementError(
                        f"this metric is about objects of a cluster: name one by --kubeconfig and --context ({error})"
                    ) from None
                await self._open.enter_async_context(connection)
                self._objects = Objects(Api(connection, field_manager=FIELD_MANAGER))
                self._open.push_async_callback(self._objects.close)
        return self._objects
