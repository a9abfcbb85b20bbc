"""Which handler answers a request? The HTTP face of the embedded API server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from rollouts.devcluster import discovery, openapi
from rollouts.devcluster.errors import ApiError, method_not_allowed
from rollouts.devcluster.objects import Object
from rollouts.devcluster.paths import Target, parse_bool, parse_path, wanted_form
from rollouts.devcluster.resources import Resources
from rollouts.devcluster.selectors import parse_filter
from rollouts.devcluster.tables import Printer
from rollouts.devcluster.watching import Watch, WatchOptions, check_options, encode_event

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api
    from rollouts.devcluster.kinds import Kind

_WATCH_TIMEOUT = 3600.0
_JSON = "application/json"


def reply(obj: Any, code: int = 200, warnings: list[str] | None = None, content_type: str = _JSON) -> web.Response:
    """Answer with JSON."""
    headers = {"Content-Type": content_type}
    response = web.Response(body=orjson.dumps(obj), status=code, headers=headers)
    for text in warnings or ():
        response.headers.add("Warning", f"299 - {orjson.dumps(text).decode()}")
    return response


class Server:
    """The embedded API server."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._resources = Resources(api)
        self._watches: set[Watch] = set()
        self._printers: dict[Kind, Printer] = {}
        self._watches_expire = False

    def app(self) -> web.Application:
        """Return the aiohttp application."""
        app = web.Application(client_max_size=16 * 1024**2)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    def drop_watches(self) -> None:
        """End every watch connection; clients must come back."""
        for watch in tuple(self._watches):
            watch.close()

    def compact(self, *, refuse: bool = False) -> None:
        """Forget the watch history, so that older resource versions are gone.

        A watch from one of them then begins with an ERROR event, as a real server's does; with `refuse` it is
        answered by 410 at once, as proxies and older servers do.
        """
        self._api.store.compact()
        self._watches_expire = refuse

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer any request."""
        try:
            target = parse_path(self._api.kinds, request.path)
            if target is not None:
                return await self._resource(request, target)
            return self._other(request)
        except ApiError as error:
            response = reply(error.status(), error.code)
            if error.details and error.details.get("retryAfterSeconds"):
                response.headers["Retry-After"] = str(error.details["retryAfterSeconds"])
            return response

    # --- everything that is no object -----------------------------------------------------------------------------

    def _other(self, request: web.Request) -> web.Response:
        path = request.path.rstrip("/")
        if path in {"/healthz", "/readyz", "/livez"}:
            return web.Response(text="ok")
        if path == "/version":
            return reply(discovery.version())
        if path.startswith("/devcluster/"):
            return self._control(request, path)
        found = self._discovered(request, path) if request.method == "GET" else None
        if found is None:
            return web.Response(text="404 page not found\n", status=404)
        return found

    def _control(self, request: web.Request, path: str) -> web.Response:
        """Answer the switches that only this server has: tests make trouble with them."""
        if path == "/devcluster/compact" and request.method == "POST":
            self.compact(refuse=request.query.get("as") == "http")
        elif path == "/devcluster/drop-watches" and request.method == "POST":
            self.drop_watches()
        else:
            return web.Response(text="404 page not found\n", status=404)
        return reply({"resourceVersion": str(self._api.store.revision)})

    def _discovered(self, request: web.Request, path: str) -> web.Response | None:
        kinds = self._api.kinds
        parts = path.strip("/").split("/")
        found: Object | None = None
        match parts:
            case ["api"] | ["apis"] if "as=APIGroupDiscoveryList" in request.headers.get("Accept", ""):
                body = discovery.aggregated(kinds, core=parts[0] == "api")
                return reply(body, content_type=discovery.AGGREGATED)
            case ["api"]:
                found = discovery.core_versions(request.host)
            case ["apis"]:
                found = discovery.group_list(kinds)
            case ["api", version]:
                found = discovery.resource_list(kinds, "", version)
            case ["apis", group]:
                found = discovery.group(kinds, group)
            case ["apis", group, version]:
                found = discovery.resource_list(kinds, group, version)
            case ["openapi", "v3"]:
                found = openapi.index(kinds, self._api.store.revision)
            case ["openapi", "v3", "api", version]:
                found = openapi.document(kinds, "", version)
            case ["openapi", "v3", "apis", group, version]:
                found = openapi.document(kinds, group, version)
        return None if found is None else reply(found)

    # --- objects --------------------------------------------------------------------------------------------------

    async def _resource(self, request: web.Request, target: Target) -> web.StreamResponse:
        form = wanted_form(request.headers.get("Accept", ""))
        method = request.method
        if method in {"GET", "HEAD"} and not target.name:
            if parse_bool(request.query, "watch"):
                return await self._watch(request, target, form)
            found, meta = self._resources.list(target, dict(request.query))
            return reply(self._listed(target.kind, found, meta, form, request.query.get("includeObject", "Metadata")))
        body = await request.read()
        if method in {"GET", "HEAD"}:
            obj, code, warnings = self._resources.get(target), 200, list[str]()
        elif method == "POST":
            obj, code, warnings = self._resources.post(target, request, body)
        elif method == "PUT" and target.name:
            obj, code, warnings = self._resources.put(target, request, body)
        elif method == "PATCH" and target.name:
            obj, code, warnings = self._resources.patch(target, request, body)
        elif method == "DELETE" and not target.subresource:
            obj, code, warnings = self._resources.delete(target, request, body)
        else:
            raise method_not_allowed()
        include = request.query.get("includeObject", "Metadata")
        return reply(self._shown(target.kind, obj, form, include), code, warnings)

    def _printer(self, kind: Kind) -> Printer:
        printer = self._printers.get(kind)
        if printer is None:
            printer = self._printers[kind] = Printer(kind)
        return printer

    def _listed(self, kind: Kind, found: list[Object], meta: Object, form: str, include: str) -> Object:
        if form == "Table":
            table = self._printer(kind).table(found, self._api.clock.now(), include)
            return {**table, "metadata": meta}
        if form == "PartialObjectMetadata":
            items = [_partial(obj) for obj in found]
            return {
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
                "items": items,
            }
        items = [kind.present(obj) for obj in found]
        return {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta, "items": items}

    def _shown(self, kind: Kind, obj: Object, form: str, include: str) -> Object:
        if form == "Object" or obj.get("kind") != kind.kind:
            return obj
        if form == "Table":
            table = self._printer(kind).table([obj], self._api.clock.now(), include)
            return {**table, "metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]}}
        return _partial(obj)

    async def _watch(self, request: web.Request, target: Target, form: str) -> web.StreamResponse:
        query = dict(request.query)
        chosen = parse_filter(target.kind, target.namespace, query)
        seconds = float(query.get("timeoutSeconds") or 0)
        initial = parse_bool(query, "sendInitialEvents") if "sendInitialEvents" in query else None
        options = WatchOptions(
            resource_version=query.get("resourceVersion", ""),
            bookmarks=parse_bool(query, "allowWatchBookmarks"),
            initial_events=initial,
            timeout=seconds or _WATCH_TIMEOUT,
        )
        check_options(options, query.get("resourceVersionMatch", ""))
        watch = Watch(self._api.store, target.kind, chosen, options)
        if self._watches_expire:
            watch.check()
        response = web.StreamResponse(headers={"Content-Type": _JSON})
        await response.prepare(request)
        self._watches.add(watch)
        try:
            headers = True
            async for batch in watch.batches():
                if form != "Object":
                    batch, headers = self._in_form(target.kind, batch, form, query, headers=headers)
                await response.write(b"".join(encode_event(*event) for event in batch))
        except (ConnectionResetError, ConnectionError):
            pass  # the client is gone: nobody is left to tell
        finally:
            self._watches.discard(watch)
        return response

    def _in_form(
        self, kind: Kind, batch: list[tuple[str, Any]], form: str, query: dict[str, str], *, headers: bool
    ) -> tuple[list[tuple[str, Any]], bool]:
        shown: list[tuple[str, Any]] = []
        for event, encoded in batch:
            obj = orjson.loads(encoded) if isinstance(encoded, bytes) else encoded
            if event == "ERROR" or form == "PartialObjectMetadata":
                shown.append((event, obj if event == "ERROR" else _partial(obj)))
                continue
            rows = [] if event == "BOOKMARK" else [obj]
            include = query.get("includeObject", "Metadata")
            table = self._printer(kind).table(rows, self._api.clock.now(), include, headers=headers)
            headers = False
            table["metadata"] = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            if event == "BOOKMARK":
                table["rows"] = [{"cells": [], "object": _partial(obj)}]
            shown.append((event, table))
        return shown, headers


def _partial(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
