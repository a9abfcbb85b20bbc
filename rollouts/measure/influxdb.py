"""What does InfluxDB say to a query in Flux?

It answers annotated CSV: https://docs.influxdata.com/influxdb/v2/reference/syntax/annotated-csv/
"""

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any

import orjson

from rollouts.api.providers import InfluxdbMetric
from rollouts.expr import Int64, go_text
from rollouts.measure.addresses import joined
from rollouts.measure.answers import accepted, number
from rollouts.measure.secrets import held_by
from rollouts.ports.provider import Asked, Flow, MeasurementError, NoData, Provider, Reading, Request, SecretRef
from rollouts.ports.refusal import host_of

_DIALECT = {"header": True, "delimiter": ",", "annotations": ["datatype", "group", "default"]}
_VALUE = "_value"
_ERROR = "error"


class Influxdb(Provider[InfluxdbMetric]):
    """The values of all tables in one list."""

    key = "influxdb"
    model = InfluxdbMetric

    def problems(self, spec: InfluxdbMetric) -> Iterator[tuple[str, str]]:
        if not spec.query:
            yield "query", 'query is missing: write it in Flux, for example from(bucket: "shop") |> range(start: -5m)'

    def secrets_of(self, spec: InfluxdbMetric, namespace: str) -> tuple[SecretRef, ...]:
        del namespace
        return (_reference(spec),)

    def metadata_of(self, spec: InfluxdbMetric) -> dict[str, str]:
        return {"ResolvedInfluxdbQuery": spec.query} if spec.query else {}

    def flow(self, spec: InfluxdbMetric, asked: Asked) -> Flow:
        held = held_by(asked, _reference(spec), "address", "authToken", "org")
        request = Request(
            "POST",
            joined(held["address"], "/api/v2/query", {"org": held["org"]}),
            {
                "Authorization": f"Token {held['authToken']}",
                "Content-Type": "application/json",
                "Accept": "application/csv",
            },
            orjson.dumps({"query": spec.query or "", "type": "flux", "dialect": _DIALECT}),
        )
        response = yield request
        text = accepted(request, response).body.decode(errors="replace")
        try:
            values = list(_values(text))
        except csv.Error as error:
            raise MeasurementError(f"the answer of {host_of(request.url)} is no CSV: {error}") from None
        if not values:
            because = "InfluxDB returned no results for the query"
            return NoData(because, [], "[]", error=because)
        return Reading(values, go_text(values))


def _reference(spec: InfluxdbMetric) -> SecretRef:
    return SecretRef(spec.profile or "influxdb")


def _values(text: str) -> Iterator[Any]:
    """Yield the values of all tables. Raises MeasurementError where the query failed while it was answered."""
    types: list[str] = []
    defaults: list[str] = []
    names: list[str] | None = None
    for row in csv.reader(StringIO(text)):
        match row:
            case []:
                names = None
            case ["#datatype", *_]:
                types, defaults, names = row, [], None
            case ["#default", *_]:
                defaults = row
            case [first, *_] if first.startswith("#"):
                pass
            case _ if names is None:
                names = row
            case _:
                yield from _value(names, row, types, defaults)


def _value(names: list[str], row: list[str], types: list[str], defaults: list[str]) -> Iterator[Any]:
    if _ERROR in names and _VALUE not in names:
        raise MeasurementError(f"InfluxDB says: {' '.join(_cell(row, names.index(_ERROR))[:500].split())}")
    if _VALUE in names:
        at = names.index(_VALUE)
        yield _typed(_cell(row, at) or _cell(defaults, at), _cell(types, at))


def _cell(row: list[str], at: int) -> str:
    return row[at] if at < len(row) else ""


def _typed(text: str, kind: str) -> Any:
    """Return a value as the client of the existing controller reads it."""
    if kind == "string":
        return text
    if not text:
        return None
    if kind == "boolean":
        return text == "true"
    if kind in ("long", "unsignedLong") and text.lstrip("-").isdecimal() and len(text) <= 20:
        return Int64(text)
    found = number(text) if kind == "double" else None
    return text if found is None else found
