"""How does an API server answer what metric providers ask about objects? A refusal comes with the way out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from rollouts.kube.client import Api
from rollouts.kube.connection import connect
from rollouts.kube.errors import ApiError, ConfigError, Forbidden, KubeError, NotFound
from rollouts.kube.resources import Resource
from rollouts.ports.objects import (
    CreateObject,
    DeleteObject,
    Home,
    ListObjects,
    ObjectAnswer,
    ObjectKind,
    ObjectRequest,
    ReadObject,
    ReadPath,
)
from rollouts.ports.provider import ObjectError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rollouts.kube.connection import Connection


class Objects:
    """Answers by a connection that is there already, or by one to the cluster that a home's kubeconfig names."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._elsewhere: dict[str, Connection] = {}
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Close the connections to other clusters."""
        for connection in self._elsewhere.values():
            await connection.close()
        self._elsewhere.clear()

    async def __call__(self, request: ObjectRequest, home: Home) -> ObjectAnswer:
        """Return the answer. Raises ObjectError."""
        try:
            api = await self._at(home)
            return await _answered(api, request, home.namespace)
        except KubeError as error:
            raise ObjectError(_told(error, request, home), getattr(error, "reason", "")) from error

    async def _at(self, home: Home) -> Api:
        if not home.kubeconfig:
            return self._api
        async with self._opening:
            if home.kubeconfig not in self._elsewhere:
                self._elsewhere[home.kubeconfig] = await connect(kubeconfig=home.kubeconfig, in_cluster=False)
            return Api(self._elsewhere[home.kubeconfig])


async def _answered(api: Api, request: ObjectRequest, namespace: str) -> ObjectAnswer:
    match request:
        case ReadObject(kind, name):
            return await _unless_gone(lambda: api.get(_resource(kind), namespace, name))
        case ListObjects(kind, labels, fields):
            listing = await api.list(
                _resource(kind), namespace, label_selector=labels or None, field_selector=fields or None
            )
            return listing.items
        case CreateObject(kind, body):
            metadata = {**body["metadata"], "namespace": namespace}
            return await api.create(_resource(kind), namespace, {**body, "metadata": metadata})
        case DeleteObject(kind, name, propagation):
            await _unless_gone(lambda: api.delete(_resource(kind), namespace, name, propagation=propagation))
            return None
        case ReadPath(path, query):
            return await api.fetch(path, query)


async def _unless_gone(call: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any] | None:
    """Return None for an object that doesn't exist; that there is no such kind is an error."""
    try:
        return await call()
    except NotFound as error:
        if not error.details.get("name"):
            raise
        return None


def _resource(kind: ObjectKind) -> Resource:
    return Resource(kind.group, kind.version, kind.plural, kind.kind)


def _told(error: KubeError, request: ObjectRequest, home: Home) -> str:
    what = f"read {request.path}" if isinstance(request, ReadPath) else f"{request.verb} {request.kind}"
    where = f"{what} in namespace {home.namespace}"
    if isinstance(error, ConfigError):
        return f"can't {where}: {error}"
    if isinstance(error, Forbidden):
        return f"may not {where}: allow it by a Role, if that is what is missing ({error.message})"
    return f"can't {where}: {error.message if isinstance(error, ApiError) else error}"
