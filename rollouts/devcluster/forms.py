"""In which form does a client read objects: whole, as rows of a table, or their metadata only?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from rollouts.devcluster.tables import Printer

if TYPE_CHECKING:
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Clock, Object

Event = tuple[str, Any]  # type, and the object or its JSON


def _partial(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _bare(obj: Object) -> Object:
    """Leave out what a list of a built-in kind says once for all items."""
    return {name: value for name, value in obj.items() if name not in {"apiVersion", "kind"}}


class Form:
    """One request's form: Object, Table or PartialObjectMetadata."""

    def __init__(self, kind: Kind, clock: Clock, name: str, include: str) -> None:
        self._kind = kind
        self._clock = clock
        self._name = name
        self._include = include
        self._printer = Printer(kind) if name == "Table" else None
        self._has_headers = False

    def listed(self, found: list[Object], meta: Object) -> Object:
        """Return a list of objects."""
        if self._printer:
            return {**self._table(self._printer, found), "metadata": meta}
        if self._name == "PartialObjectMetadata":
            items = [_partial(obj) for obj in found]
            kind, api_version = "PartialObjectMetadataList", "meta.k8s.io/v1"
        else:
            items = [self._kind.present(obj) if self._kind.custom else _bare(obj) for obj in found]
            kind, api_version = self._kind.list_kind, self._kind.api_version
        return {"kind": kind, "apiVersion": api_version, "metadata": meta, "items": items}

    def one(self, obj: Object) -> Object:
        """Return an object; what is no object of the kind, such as a Status, stays whole."""
        if self._name == "Object" or obj.get("kind") != self._kind.kind:
            return obj
        if self._printer:
            meta = {"resourceVersion": obj["metadata"]["resourceVersion"]}
            return {**self._table(self._printer, [obj]), "metadata": meta}
        return _partial(obj)

    def events(self, batch: list[Event]) -> bytes:
        """Return events of a watch as lines of its stream."""
        return b"".join(self._line(*event) for event in batch)

    def _line(self, event: str, obj: Any) -> bytes:
        if self._name == "Object" or event == "ERROR":
            if isinstance(obj, bytes):
                return b'{"type":"' + event.encode() + b'","object":' + obj + b"}\n"
            return orjson.dumps({"type": event, "object": obj}) + b"\n"
        return orjson.dumps({"type": event, "object": self._shown(event, obj)}) + b"\n"

    def _shown(self, event: str, encoded: Any) -> Object:
        obj = orjson.loads(encoded) if isinstance(encoded, bytes) else encoded
        if self._printer is None:
            return _partial(obj)
        table = self._table(self._printer, [] if event == "BOOKMARK" else [obj])
        if event == "BOOKMARK":
            table["rows"] = [{"cells": [], "object": _partial(obj)}]
        return {**table, "metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]}}

    def _table(self, printer: Printer, found: list[Object]) -> Object:
        headers, self._has_headers = not self._has_headers, True  # a stream tells its columns once
        return printer.table(found, self._clock.now(), self._include, headers=headers)
