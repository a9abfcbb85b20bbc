"""Which columns does `kubectl get` show?"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson

from rollouts.api.timestamps import parse_time
from rollouts.devcluster.columns import BUILTIN, age, elapsed
from rollouts.jsonpath import compile_template

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Object


def _definition(name: str, kind: str = "string", priority: int = 0, text: str = "") -> Object:
    return {
        "name": name,
        "type": kind,
        "format": "name" if name == "Name" else "",
        "description": text,
        "priority": priority,
    }


class Printer:
    """Turns the objects of one kind into rows."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._columns: list[tuple[Object, Callable[[Object, datetime], Any]]] = [
            (_definition("Name"), lambda obj, _now: obj["metadata"]["name"])
        ]
        if kind.custom:
            self._columns += [_custom(column) for column in kind.columns]
        else:
            shown = BUILTIN.get(kind.kind, [("Age", 0, age)])
            self._columns += [(_definition(name, priority=wide), read) for name, wide, read in shown]

    def table(self, objects: Iterable[Object], now: datetime, include: str, *, headers: bool = True) -> Object:
        """Return a Table of objects."""
        return {
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {},
            "columnDefinitions": [definition for definition, _ in self._columns] if headers else None,
            "rows": [self._row(obj, now, include) for obj in objects],
        }

    def _row(self, obj: Object, now: datetime, include: str) -> Object:
        row: Object = {"cells": [read(obj, now) for _, read in self._columns]}
        if include == "Object":
            row["object"] = self._kind.present(obj)
        elif include != "None":
            row["object"] = {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": obj["metadata"],
            }
        return row


def _custom(column: Object) -> tuple[Object, Callable[[Object, datetime], Any]]:
    path = column["jsonPath"]
    template = compile_template(f"{{{path}}}")
    kind = column["type"]

    def read(obj: Object, now: datetime) -> Any:
        try:
            groups = template.find(obj, allow_missing_keys=True, whole_numbers=True)
        except ValueError:
            groups = []
        value = groups[0][0] if groups and groups[0] else None
        return _cell(value, kind, now)

    text = column.get("description", "")
    definition = _definition(column["name"], kind, column.get("priority", 0), text)
    return {**definition, "format": column.get("format", "")}, read


def _cell(value: Any, kind: str, now: datetime) -> Any:
    if value is None:
        return None if kind != "date" else "<unknown>"
    if kind == "date":
        try:
            return elapsed(parse_time(value), now)
        except ValueError:
            return "<invalid>"
    if kind == "string":
        return value if isinstance(value, str) else orjson.dumps(value).decode()
    return value
