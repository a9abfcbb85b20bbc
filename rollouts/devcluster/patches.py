"""What does an object become under a JSON patch, a merge patch or a strategic merge patch?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonpatch

from rollouts.devcluster.errors import ApiError, bad_request, unprocessable
from rollouts.devcluster.fields import child_schema
from rollouts.devcluster.objects import clone

if TYPE_CHECKING:
    from rollouts.devcluster.objects import Object

_DELETE, _REPLACE = "delete", "replace"
_IGNORED = "$setElementOrder/"
_DELETE_FROM = "$deleteFromPrimitiveList/"


def json_patched(obj: Object, operations: Any) -> Object:
    """Apply an RFC 6902 patch."""
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    result: Object = clone(obj)
    try:
        for each in operations:
            if isinstance(each, dict) and each.get("op") == "replace":
                _make_room(result, each.get("path", ""))
            result = jsonpatch.JsonPatch([each]).apply(result, in_place=True)
    except jsonpatch.InvalidJsonPatch as error:
        raise bad_request(f"error decoding patch: {error}") from error
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, KeyError) as error:
        raise unprocessable() from error
    return result


def _make_room(obj: Any, path: str) -> None:
    """Let `replace` add a key that isn't there, as the API server's implementation does, against the RFC."""
    if not isinstance(path, str):
        return
    pointer = jsonpatch.JsonPointer(path)
    parent, name = pointer.to_last(obj)
    if isinstance(parent, dict):
        parent.setdefault(name, None)


def strategic_patched(schema: Object, value: Any, patch: Any) -> Any:
    """Apply a strategic merge patch: lists of maps are merged by key, `$patch` directives followed."""
    if not isinstance(patch, dict):
        return patch
    directive = patch.get("$patch")
    if directive == _REPLACE:
        return {name: each for name, each in patch.items() if name != "$patch"}
    if directive == _DELETE:
        return {}
    if directive not in {None, "merge"}:
        raise bad_request(f"invalid $patch directive {directive!r}")
    result = dict(value) if isinstance(value, dict) else {}
    for name, each in patch.items():
        if name == "$retainKeys":
            result = {kept: old for kept, old in result.items() if kept in each}
    for name, each in patch.items():
        if name.startswith(_DELETE_FROM):
            field = name.removeprefix(_DELETE_FROM)
            result[field] = [old for old in result.get(field) or [] if old not in each]
        elif not name.startswith("$"):
            _patch_field(child_schema(schema, name), result, name, each)
    _reorder(schema, result, patch)
    return result


def _patch_field(schema: Object, result: Object, name: str, patch: Any) -> None:
    if patch is None:
        result.pop(name, None)
    elif isinstance(patch, list):
        result[name] = _patched_list(schema, result.get(name), patch)
    else:
        result[name] = strategic_patched(schema, result.get(name), patch)


def _patched_list(schema: Object, value: Any, patch: list[Any]) -> list[Any]:
    old = value if isinstance(value, list) else []
    key = schema.get("x-kubernetes-patch-merge-key")
    if schema.get("x-kubernetes-patch-strategy") != "merge" or any(
        isinstance(each, dict) and each.get("$patch") == _REPLACE for each in patch
    ):
        return [each for each in patch if not (isinstance(each, dict) and each.get("$patch") == _REPLACE)]
    if key is None:
        return old + [each for each in patch if each not in old]
    result = list(old)
    for each in patch:
        _patch_item(schema["items"], result, each, key)
    return result


def _patch_item(schema: Object, items: list[Any], patch: Any, key: str) -> None:
    if not isinstance(patch, dict) or key not in patch:
        text = f"map: {patch} does not contain declared merge key: {key}"
        raise ApiError(422, "Invalid", text)
    place = next((index for index, each in enumerate(items) if each.get(key) == patch[key]), None)
    if patch.get("$patch") == _DELETE:
        if place is not None:
            del items[place]
    elif place is None:
        items.append(strategic_patched(schema, {}, patch))
    else:
        items[place] = strategic_patched(schema, items[place], patch)


def _reorder(schema: Object, result: Object, patch: Object) -> None:
    """Put the items that a `$setElementOrder` lists into its order; what it doesn't list keeps its place after them."""
    for name, order in patch.items():
        field = name.removeprefix(_IGNORED)
        if field == name or not isinstance(result.get(field), list):
            continue
        key = child_schema(schema, field).get("x-kubernetes-patch-merge-key")
        wanted = [each.get(key) if key and isinstance(each, dict) else each for each in order]
        places = {value: place for place, value in enumerate(wanted)}
        names = [each.get(key) if key else each for each in result[field]]
        ranks = [places.get(each, len(places)) for each in names]
        result[field] = [result[field][place] for place in sorted(range(len(ranks)), key=ranks.__getitem__)]
