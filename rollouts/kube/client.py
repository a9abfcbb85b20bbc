"""What we say to an API server: typed verbs over plain JSON objects, which are dicts as orjson makes them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from rollouts.kube.depth import shallow
from rollouts.kube.errors import Conflict, Gone, Invalid, Unreachable, from_status
from rollouts.kube.patches import PatchType
from rollouts.kube.transport import Request, Transport

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from rollouts.kube.connection import Connection
    from rollouts.kube.resources import Resource
    from rollouts.kube.transport import OnRequest

PAGE = 500
TIMEOUT = 30.0
WATCH_SECONDS = 280
WATCH_GRACE = 15.0
FIELD_MANAGER = "rollouts-controller"

# What kube-apiserver says, without causes, when an operation of a JSON Patch (a `test`, above all) doesn't hold.
_PATCH_DOES_NOT_APPLY = "the server rejected our request due to an error in our request"


class Listing(NamedTuple):
    """All objects of a collection, and the resourceVersion at which they were so."""

    items: list[dict[str, Any]]
    resource_version: str


class Api:
    """One API server's verbs. Every method raises the errors of `rollouts.kube.errors`."""

    def __init__(
        self,
        connection: Connection,
        *,
        on_request: OnRequest | None = None,
        field_manager: str = FIELD_MANAGER,
        timeout: float = TIMEOUT,
    ) -> None:
        self.connection = connection
        self._transport = Transport(connection, on_request)
        self._field_manager = field_manager
        self._timeout = timeout

    async def get(
        self, resource: Resource, namespace: str | None, name: str, *, subresource: str | None = None
    ) -> dict[str, Any]:
        """Read one object."""
        path = resource.path(namespace, name, subresource)
        return await self._answer(Request("get", "GET", path, resource.kind, subresource or ""))

    async def fetch(self, path: str, query: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Read a path that is no object: `/version`, `/apis`, what an aggregated API serves."""
        return await self._answer(Request("get", "GET", path, query=tuple((query or {}).items())))

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        label_selector: str | None = None,
        field_selector: str | None = None,
        limit: int = PAGE,
    ) -> Listing:
        """Read a collection in pages of `limit`; a listing that grows too old on the way starts again, unpaged."""
        request = Request("list", "GET", resource.path(namespace), resource.kind)
        selectors = _query(labelSelector=label_selector, fieldSelector=field_selector)
        items: list[dict[str, Any]] = []
        token = None
        while True:
            query = (*selectors, *_query(limit=limit or None, **{"continue": token}))
            try:
                page = await self._answer(dataclasses.replace(request, query=query))
            except Gone:
                if token is None:
                    raise
                items, token, limit = [], None, 0
                continue
            items += _complete(page, resource)
            metadata = page.get("metadata") or {}
            token = metadata.get("continue")
            if not token:
                return Listing(items, str(metadata.get("resourceVersion", "")))

    async def create(
        self,
        resource: Resource,
        namespace: str | None,
        body: Mapping[str, Any],
        *,
        name: str | None = None,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Create an object, or with name and subresource act on one (`eviction`, `token`)."""
        return await self._answer(
            Request(
                "create",
                "POST",
                resource.path(namespace, name, subresource),
                resource.kind,
                subresource or "",
                _query(fieldManager=self._field_manager, dryRun="All" if dry_run else None),
                _dumps(body),
            )
        )

    async def replace(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Mapping[str, Any],
        *,
        subresource: str | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Write a whole object; Conflict when its resourceVersion is no longer the current one."""
        return await self._answer(
            Request(
                "update",
                "PUT",
                resource.path(namespace, name, subresource),
                resource.kind,
                subresource or "",
                _query(fieldManager=self._field_manager, dryRun="All" if dry_run else None),
                _dumps(body),
            )
        )

    async def patch(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        body: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        patch_type: PatchType = PatchType.MERGE,
        subresource: str | None = None,
        field_manager: str | None = None,
        force: bool = False,
        dry_run: bool = False,
        strict: bool = False,
    ) -> dict[str, Any]:
        """Change an object; `force` takes fields over from other managers (APPLY only).

        With `strict` a field that the server doesn't know is a BadRequest; else it is dropped.

        Put `metadata.resourceVersion` into the body to get a Conflict when somebody else was faster. A JSON Patch whose
        `test` doesn't hold is a Conflict too: the document isn't as the caller assumed.
        """
        query = _query(
            fieldManager=field_manager or self._field_manager,
            force="true" if force else None,
            dryRun="All" if dry_run else None,
            fieldValidation="Strict" if strict else None,
        )
        path = resource.path(namespace, name, subresource)
        request = Request(
            "patch", "PATCH", path, resource.kind, subresource or "", query, _dumps(body), patch_type.value
        )
        try:
            return await self._answer(request)
        except Invalid as error:
            if not _is_failed_test(error, body):
                raise
            raise Conflict(
                "a test of the JSON patch doesn't hold: the object is not as assumed",
                status=error.status,
                reason="Conflict",
                details=error.details,
                method=error.method,
                path=error.path,
            ) from error

    async def delete(
        self,
        resource: Resource,
        namespace: str | None,
        name: str,
        *,
        propagation: str | None = None,
        uid: str | None = None,
        resource_version: str | None = None,
        grace_period_seconds: int | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Delete an object; with preconditions only if it is still the one meant (else Conflict).

        `propagation` is Background, Foreground or Orphan. The answer is the object while finalizers hold it, else a
        Status.
        """
        preconditions = _present(uid=uid, resourceVersion=resource_version)
        options = _present(
            apiVersion="v1",
            kind="DeleteOptions",
            propagationPolicy=propagation,
            preconditions=preconditions or None,
            gracePeriodSeconds=grace_period_seconds,
            dryRun=["All"] if dry_run else None,
        )
        path = resource.path(namespace, name)
        return await self._answer(Request("delete", "DELETE", path, resource.kind, body=_dumps(options)))

    async def evict(
        self, resource: Resource, namespace: str, name: str, *, uid: str | None = None, dry_run: bool = False
    ) -> dict[str, Any]:
        """Ask for a pod's eviction; TooManyRequests while a PodDisruptionBudget forbids it."""
        body = _present(
            apiVersion="policy/v1",
            kind="Eviction",
            metadata={"name": name, "namespace": namespace},
            deleteOptions={"preconditions": {"uid": uid}} if uid else None,
        )
        return await self.create(resource, namespace, body, name=name, subresource="eviction", dry_run=dry_run)

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str | None = None,
        label_selector: str | None = None,
        field_selector: str | None = None,
        send_initial_events: bool = False,
        seconds: int = WATCH_SECONDS,
        silence: float | None = None,
        on_open: Callable[[], None] | None = None,
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Yield `{type, object}` events, bookmarks too, until the server ends the stream after about `seconds`.

        An ERROR event is raised as what it says (Gone, mostly). With `send_initial_events` the collection comes first,
        as ADDED events up to a bookmark annotated `k8s.io/initial-events-end`. `on_open` is
        called when the server has accepted. Close the generator when done.
        """
        query = _query(
            watch="true",
            allowWatchBookmarks="true",
            resourceVersion=resource_version,
            sendInitialEvents="true" if send_initial_events else None,
            resourceVersionMatch="NotOlderThan" if send_initial_events else None,
            labelSelector=label_selector,
            fieldSelector=field_selector,
            timeoutSeconds=seconds,
        )
        request = Request("watch", "GET", resource.path(namespace), resource.kind, query=query)
        silence = seconds + WATCH_GRACE if silence is None else silence
        async with contextlib.aclosing(self._transport.lines(request, silence=silence, on_open=on_open)) as lines:
            async for line in lines:
                event = _loads(line, request)
                if event.get("type") == "ERROR":
                    raise from_status(event.get("object") or {}, method="GET", path=request.path)
                yield event

    async def _answer(self, request: Request) -> dict[str, Any]:
        return _loads(await self._transport.send(request, timeout=self._timeout), request)


def _complete(page: Mapping[str, Any], resource: Resource) -> list[dict[str, Any]]:
    """Give list items the kind and apiVersion that servers leave out of them."""
    items: list[dict[str, Any]] = page.get("items") or []
    for item in items:
        item.setdefault("kind", resource.kind)
        item.setdefault("apiVersion", resource.api_version)
    return items


def _is_failed_test(error: Invalid, body: object) -> bool:
    tests = (
        not isinstance(body, Mapping) and isinstance(body, list | tuple) and any(o.get("op") == "test" for o in body)
    )
    return tests and not error.causes and error.message.startswith(_PATCH_DOES_NOT_APPLY)


def _loads(body: bytes, request: Request) -> dict[str, Any]:
    answer = _read(body)
    if answer is None:
        # An object may be too deep to be read. That is rare: only then all of it is looked at.
        answer = _read(shallow(body))
    if not isinstance(answer, dict):
        text = " ".join(body[:200].decode(errors="replace").split())
        raise Unreachable(
            f"the answer is no JSON object, is this an API server? {text!r}",
            reason="Unreachable",
            method=request.method,
            path=request.path,
        )
    return answer


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _dumps(body: object) -> bytes:
    return orjson.dumps(body, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def _query(**values: object) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(value)) for key, value in values.items() if value is not None)


def _present(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
