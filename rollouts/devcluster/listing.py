"""What does a list request answer? At which resource version, and in which pieces."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

import orjson

from rollouts.devcluster.errors import bad_request, expired, forbidden_value, invalid, too_large_revision
from rollouts.devcluster.objects import key_of
from rollouts.devcluster.watching import parse_version

if TYPE_CHECKING:
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Key, Object
    from rollouts.devcluster.selectors import Filter
    from rollouts.devcluster.store import Collection, Store

_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def _token(revision: int, last: Key) -> str:
    return base64.urlsafe_b64encode(orjson.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": last})).decode()


def _read_token(text: str) -> tuple[int, Key]:
    try:
        token = orjson.loads(base64.urlsafe_b64decode(text))
        return int(token["rv"]), (str(token["start"][0]), str(token["start"][1]))
    except (binascii.Error, orjson.JSONDecodeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise bad_request("continue key is not valid: illegal base64 data or encoded content") from error


def list_objects(store: Store, kind: Kind, chosen: Filter, query: dict[str, str]) -> tuple[list[Object], Object]:
    """Return the objects that a list request asks for, and the list's metadata."""
    collection = store.collection(kind.resource)
    revision, after = _position(store, collection, query)
    objects = _state(store, collection, chosen, revision)
    found = sorted((obj for obj in objects if chosen.matches(obj)), key=key_of)
    if after is not None:
        found = [obj for obj in found if key_of(obj) > after]
    meta: Object = {"resourceVersion": str(revision)}
    limit = int(query.get("limit") or 0)
    if 0 < limit < len(found):
        if chosen.labels is None and chosen.fields is None:
            meta["remainingItemCount"] = len(found) - limit
        found = found[:limit]
        meta["continue"] = _token(revision, key_of(found[-1]))
    return found, meta


def _position(store: Store, collection: Collection, query: dict[str, str]) -> tuple[int, Key | None]:
    match, written = query.get("resourceVersionMatch", ""), query.get("resourceVersion", "")
    if query.get("continue"):
        if match or written not in {"", "0"}:
            raise bad_request("specifying resource version is not allowed when using continue")
        revision, after = _read_token(query["continue"])
        if revision < collection.compacted:
            raise expired(_TOO_OLD)
        return revision, after
    if match and not written:
        text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
        raise invalid("ListOptions", "meta.k8s.io", "", [forbidden_value("resourceVersionMatch", text)])
    asked = parse_version(written)
    if asked > store.revision:
        raise too_large_revision(asked, store.revision)
    if match != "Exact":
        return store.revision, None
    if not asked:
        text = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
        raise invalid("ListOptions", "meta.k8s.io", "", [forbidden_value("resourceVersionMatch", text)])
    if asked < collection.compacted:
        raise expired(f"The resourceVersion for the provided list is too old: {asked} ({collection.compacted})")
    return asked, None


def _state(store: Store, collection: Collection, chosen: Filter, revision: int) -> list[Object]:
    if revision == store.revision:
        return list(collection.objects(chosen.namespace))
    return list(collection.snapshot(revision).values())
