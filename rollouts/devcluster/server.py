"""Which handler answers a request? The HTTP face of the embedded API server."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from rollouts.devcluster import discovery, openapi
from rollouts.devcluster.errors import ApiError, method_not_allowed, no_such_resource
from rollouts.devcluster.forms import Form
from rollouts.devcluster.paths import Target, parse_bool, parse_path, wanted_form
from rollouts.devcluster.resources import Resources
from rollouts.devcluster.selectors import parse_filter
from rollouts.devcluster.watching import Watch, WatchOptions, check_options

if TYPE_CHECKING:
    from rollouts.devcluster.api import Api
    from rollouts.devcluster.objects import Object

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
        if found is None and self._has_group(path):
            raise no_such_resource()
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

    def _has_group(self, path: str) -> bool:
        match path.strip("/").split("/"):
            case ["api", version, _, *_]:
                return discovery.resource_list(self._api.kinds, "", version) is not None
            case ["apis", group, version, _, *_]:
                return discovery.resource_list(self._api.kinds, group, version) is not None
        return False

    # --- objects --------------------------------------------------------------------------------------------------

    async def _resource(self, request: web.Request, target: Target) -> web.StreamResponse:
        wanted = wanted_form(request.headers.get("Accept", ""))
        form = Form(target.kind, self._api.clock, wanted, request.query.get("includeObject", "Metadata"))
        method = request.method
        if method in {"GET", "HEAD"} and not target.name:
            if parse_bool(request.query, "watch"):
                return await self._watch(request, target, form)
            found, meta = self._resources.listed(target, dict(request.query))
            return reply(form.listed(found, meta))
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
        return reply(form.one(obj), code, warnings)

    async def _watch(self, request: web.Request, target: Target, form: Form) -> web.StreamResponse:
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
            async with aclosing(watch.batches()) as batches:
                async for batch in batches:
                    await response.write(form.events(batch))
        except ConnectionError:
            pass  # the client is gone: nobody is left to tell
        finally:
            self._watches.discard(watch)
        return response
