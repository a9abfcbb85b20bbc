"""What do the verbs do on a path: an object, a collection of them, or a subresource?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import orjson

from rollouts.devcluster import deletion
from rollouts.devcluster.errors import ApiError, bad_request, method_not_allowed, no_such_resource, not_served
from rollouts.devcluster.listing import list_objects
from rollouts.devcluster.patching import APPLY_PATCH, apply_object, decode_patch, patch_object, patched
from rollouts.devcluster.paths import parse_bool, read_body, read_write
from rollouts.devcluster.selectors import parse_filter
from rollouts.devcluster.subresources import bind, evict, no_logs, scale_of, write_scale

if TYPE_CHECKING:
    from aiohttp import web

    from rollouts.devcluster.api import Api
    from rollouts.devcluster.objects import Object
    from rollouts.devcluster.paths import Target

Answer = tuple[Any, int, list[str]]  # body, status code, warnings


class Resources:
    """The verbs, without their HTTP clothes."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def listed(self, target: Target, query: dict[str, str]) -> tuple[list[Object], Object]:
        """List a collection."""
        chosen = parse_filter(target.kind, target.namespace, query)
        return list_objects(self._api.store, target.kind, chosen, query)

    def get(self, target: Target) -> Object:
        """Read an object or a subresource."""
        obj = self._api.get(target.kind, *target.key)
        match target.subresource:
            case "":
                return target.kind.present(obj)
            case "status" if target.kind.has_status:
                return target.kind.present(obj)
            case "scale" if target.kind.scale:
                return scale_of(target.kind, target.kind.present(obj))
            case "log" if target.kind.resource == "pods":
                raise no_logs(obj)
        raise self._unserved(target)

    def _unserved(self, target: Target) -> ApiError:
        if target.kind.custom:
            return no_such_resource()
        return not_served(f"the subresource {target.subresource} of {target.kind.resource}")

    def post(self, target: Target, request: web.Request, body: bytes) -> Answer:
        """Create an object, or post to a subresource."""
        if target.name:
            return self._post_below(target, request.content_type, body)
        obj = read_body(request.content_type, body)
        if target.kind.namespaced and target.namespace is None:
            raise method_not_allowed()
        write = read_write(request.query, request.headers.get("User-Agent", ""), target)
        created = self._api.create(target.kind, target.namespace or "", obj, write)
        return target.kind.present(created), 201, write.warnings

    def _post_below(self, target: Target, media_type: str, body: bytes) -> Answer:
        if not target.subresource:
            raise method_not_allowed()
        if target.kind.resource != "pods" or target.subresource not in {"eviction", "binding"}:
            raise self._unserved(target)
        pod = self._api.get(target.kind, *target.key)
        act = evict if target.subresource == "eviction" else bind
        return act(self._api, pod, read_body(media_type, body)), 201, []

    def put(self, target: Target, request: web.Request, body: bytes) -> Answer:
        """Replace an object or a subresource."""
        obj = read_body(request.content_type, body)
        self._check_subresource(target)
        write = read_write(request.query, request.headers.get("User-Agent", ""), target)
        if target.subresource == "scale":
            return write_scale(self._api, target.kind, *target.key, obj, write), 200, write.warnings
        updated = self._api.update(target.kind, *target.key, obj, write)
        return target.kind.present(updated), 200, write.warnings

    def _check_subresource(self, target: Target) -> None:
        kind = target.kind
        served = {"": True, "status": kind.has_status, "scale": kind.scale is not None}
        if not served.get(target.subresource):
            raise self._unserved(target)

    def patch(self, target: Target, request: web.Request, body: bytes) -> Answer:
        """Patch an object or a subresource."""
        self._check_subresource(target)
        kind, media_type = target.kind, request.content_type
        patch = decode_patch(kind, media_type, body)
        applies = media_type == APPLY_PATCH
        write = read_write(request.query, request.headers.get("User-Agent", ""), target, apply=applies)
        if target.subresource == "scale":
            if applies:
                raise not_served("server-side apply on the scale subresource")
            live = scale_of(kind, kind.present(self._api.get(kind, *target.key)))
            scale = patched(kind, media_type, live, patch)
            return write_scale(self._api, kind, *target.key, scale, write), 200, write.warnings
        if applies:
            force = parse_bool(request.query, "force")
            obj, created = apply_object(self._api, kind, *target.key, patch, write, force=force)
            return kind.present(obj), 201 if created else 200, write.warnings
        obj = patch_object(self._api, kind, *target.key, media_type, patch, write)
        return kind.present(obj), 200, write.warnings

    def delete(self, target: Target, request: web.Request, body: bytes) -> Answer:
        """Delete an object or a collection."""
        options = self._delete_options(request, body)
        if target.name:
            obj = self._api.get(target.kind, *target.key)
            left, gone = deletion.delete(self._api, target.kind, obj, options)
            return deletion.answer(target.kind, left, gone=gone), 200, []
        found, meta = self.listed(target, dict(request.query))
        deleted = [deletion.delete(self._api, target.kind, obj, options)[0] for obj in found]
        items = [target.kind.present(obj) for obj in deleted]
        body_out = {
            "kind": target.kind.list_kind,
            "apiVersion": target.kind.api_version,
            "metadata": meta,
            "items": items,
        }
        return body_out, 200, []

    def _delete_options(self, request: web.Request, body: bytes) -> deletion.DeleteOptions:
        try:
            options = cast("Object", orjson.loads(body)) if body.strip() else {}
        except orjson.JSONDecodeError as error:
            raise bad_request(f"couldn't read DeleteOptions: {error}") from error
        return deletion.read_options(options, dict(request.query))
