"""Who owns which field? managedFields after a plain write, and the whole of server-side apply."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import orjson

from rollouts.devcluster.errors import ApiError
from rollouts.devcluster.fields import (
    Fields,
    Path,
    child_schema,
    is_granular,
    item_element,
    keys_of_list,
    leaves,
    read_fields,
    shown_path,
    write_fields,
)
from rollouts.devcluster.objects import with_metadata

if TYPE_CHECKING:
    from rollouts.devcluster.objects import Object


@dataclass(frozen=True, slots=True)
class Manager:
    """Someone who writes fields."""

    name: str
    operation: str  # Apply or Update
    api_version: str
    subresource: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """What a manager owns, and since when."""

    manager: Manager
    fields: Fields
    time: str

    def entry(self) -> Object:
        """Write it as an entry of managedFields."""
        entry: Object = {
            "manager": self.manager.name,
            "operation": self.manager.operation,
            "apiVersion": self.manager.api_version,
            "time": self.time,
            "fieldsType": "FieldsV1",
            "fieldsV1": write_fields(self.fields),
        }
        return {**entry, "subresource": self.manager.subresource} if self.manager.subresource else entry


def shares_of(obj: Object) -> list[Share]:
    """Read an object's managedFields."""
    shares = []
    for entry in obj["metadata"].get("managedFields") or []:
        manager = Manager(
            entry.get("manager", ""),
            entry.get("operation", ""),
            entry.get("apiVersion", ""),
            entry.get("subresource", ""),
        )
        shares.append(Share(manager, read_fields(entry.get("fieldsV1") or {}), entry.get("time", "")))
    return shares


def with_shares(obj: Object, shares: list[Share]) -> Object:
    """Return the object with these managedFields."""
    entries = [share.entry() for share in shares if share.fields]
    return with_metadata(obj, managedFields=entries or None)


def after_update(schema: Object, before: Object | None, obj: Object, manager: Manager, now: str) -> Object:
    """Give a plain write's changes to who made them."""
    old = leaves(schema, before) if before is not None else {}
    new = leaves(schema, obj)
    changed = frozenset(path for path, value in new.items() if path not in old or old[path] != value)
    removed = frozenset(old) - frozenset(new)
    shares = shares_of(before) if before is not None else []
    own = next((share for share in shares if share.manager == manager), None)
    others = [replace(share, fields=share.fields - changed - removed) for share in shares if share is not own]
    kept = (own.fields if own else frozenset()) - removed
    if changed - kept or own is None:
        others.append(Share(manager, kept | changed, now))
    elif own:
        others.append(replace(own, fields=kept))
    return with_shares(obj, others)


def applied(schema: Object, live: Object, config: Object, manager: Manager, *, force: bool, now: str) -> Object:
    """Return the live object after server-side apply of a configuration; raises the conflict where there is one."""
    wanted = leaves(schema, config)
    current = leaves(schema, live)
    shares = shares_of(live)
    own = next((share for share in shares if share.manager == manager), None)
    others = [share for share in shares if share is not own]
    changed = frozenset(path for path, value in wanted.items() if path not in current or current[path] != value)
    disputed = [(share, share.fields & changed) for share in others if share.fields & changed]
    if disputed and not force:
        raise _conflict(disputed)
    others = [replace(share, fields=share.fields - changed) for share in others]
    fields = frozenset(wanted)
    merged = merge(schema, live, config)
    dropped = (own.fields if own else frozenset()) - fields - _owned(others)
    result = without(schema, merged, dropped)
    time = own.time if own and own.fields == fields and result == live else now
    return with_shares(result, [*others, Share(manager, fields, time)])


def _owned(shares: list[Share]) -> Fields:
    return frozenset[Path]().union(*(share.fields for share in shares))


def _conflict(disputed: list[tuple[Share, Fields]]) -> ApiError:
    causes, parts = [], []
    count = 0
    for share, fields in disputed:
        manager = share.manager
        by = f'conflict with "{manager.name}"'
        if manager.subresource:
            by += f' with subresource "{manager.subresource}"'
        if manager.operation == "Update":
            by += f" using {manager.api_version}"
        paths = [shown_path(path) for path in sorted(fields)]
        count += len(paths)
        causes += [{"reason": "FieldManagerConflict", "message": by, "field": path} for path in paths]
        parts.append(f"{by}: {paths[0]}" if len(paths) == 1 else "\n- ".join([f"conflicts with {by[14:]}:", *paths]))
    noun = "conflict" if count == 1 else "conflicts"
    text = f"Apply failed with {count} {noun}: " + "\n".join(parts)
    return ApiError(409, "Conflict", text, {"causes": causes})


def merge(schema: Object, live: Any, config: Any) -> Any:
    """Lay a configuration over a live value."""
    if isinstance(live, dict) and isinstance(config, dict) and is_granular(schema):
        laid = {name: merge(child_schema(schema, name), live.get(name), each) for name, each in config.items()}
        return {**live, **laid}
    if isinstance(live, list) and isinstance(config, list) and "items" in schema:
        keys = keys_of_list(schema)
        if keys:
            items = schema["items"]
            new = {item_element(each, keys, items): each for each in config}
            old = {item_element(each, keys, items): each for each in live}
            kept = [merge(items, each, new[name]) if name in new else each for name, each in old.items()]
            return kept + [each for name, each in new.items() if name not in old]
        if schema.get("x-kubernetes-list-type") == "set":
            return live + [each for each in config if each not in live]
    return config


def without(schema: Object, value: Any, dropped: Fields) -> Any:
    """Remove fields from a value."""
    tree = write_fields(dropped)
    return _without(schema, value, tree) if tree else value


def _without(schema: Object, value: Any, tree: Object) -> Any:
    if isinstance(value, dict):
        return _fields_without(schema, value, tree)
    if isinstance(value, list) and (keys := keys_of_list(schema)):
        branches = [tree.get(item_element(each, keys, schema["items"]), {}) for each in value]
        kept = [(each, branch) for each, branch in zip(value, branches, strict=True) if "." not in branch]
        return [_without(schema["items"], each, branch) if branch else each for each, branch in kept]
    if isinstance(value, list) and schema.get("x-kubernetes-list-type") == "set":
        gone = [name for name in tree if name.startswith("v:")]
        return [each for each in value if "v:" + orjson.dumps(each).decode() not in gone]
    return value


def _fields_without(schema: Object, value: Object, tree: Object) -> Object:
    result = {}
    for name, each in value.items():
        branch = tree.get(f"f:{name}")
        if branch is None:
            result[name] = each
        elif branch:
            inner = _without(child_schema(schema, name), each, branch)
            if inner not in ({}, []):
                result[name] = inner
    return result
