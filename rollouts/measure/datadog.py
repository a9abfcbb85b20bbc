"""What does Datadog say, by version 1 or 2 of its API?

The answers: https://docs.datadoghq.com/api/latest/metrics/ (query timeseries points, query scalar data).
"""

from collections.abc import Generator, Iterator, Mapping
from typing import Any

import orjson

from rollouts.api.providers import DatadogMetric
from rollouts.expr import Floats
from rollouts.measure.addresses import joined
from rollouts.measure.answers import asked_for_json, at, json_text, list_at, list_text, number, number_text
from rollouts.measure.secrets import held_by
from rollouts.measure.spans import span_of, span_problems
from rollouts.ports.provider import (
    Asked,
    Flow,
    MeasurementError,
    NoData,
    Outcome,
    Provider,
    Reading,
    Request,
    Response,
    SecretRef,
)

_SITE = "https://api.datadoghq.com"
_MOST_GROUPS = 100
_ONLY_QUERY = "query"


class Datadog(Provider[DatadogMetric]):
    """The last value of a query; with version 2 also arithmetic over queries, and a value of each group."""

    key = "datadog"
    model = DatadogMetric

    def problems(self, spec: DatadogMetric) -> Iterator[tuple[str, str]]:
        yield from _query_problems(spec)
        if spec.api_version == "v1" and spec.aggregator is not None:
            yield "aggregator", "aggregator works with version 2 only: set apiVersion to v2, or leave it out"
        yield from span_problems("interval", spec.interval)
        yield from span_problems("requestTimeout", spec.request_timeout)

    def secrets_of(self, spec: DatadogMetric, namespace: str) -> tuple[SecretRef, ...]:
        return (_reference(spec, namespace),)

    def metadata_of(self, spec: DatadogMetric) -> Mapping[str, str]:
        queries = spec.queries or ({_ONLY_QUERY: spec.query} if spec.query else {})
        formula = {"ResolvedDatadogFormula": spec.formula} if spec.formula else {}
        if not queries:
            return formula
        only = spec.query if not spec.queries else json_text(dict(queries))
        return {"ResolvedDatadogQuery": only or "", **formula}

    def flow(self, spec: DatadogMetric, asked: Asked) -> Flow:
        credentials = _credentials(spec, asked)
        headers = {"DD-API-KEY": credentials["api-key"], "DD-APPLICATION-KEY": credentials["app-key"]}
        address = credentials.get("address") or _SITE
        return (yield from (_second if spec.api_version == "v2" else _first)(spec, asked, address, headers))


def _query_problems(spec: DatadogMetric) -> Iterator[tuple[str, str]]:
    if spec.query and spec.queries:
        yield "queries", "query and queries are both set: choose one of them"
    if not spec.query and not spec.queries:
        yield "query", "query is missing: write one, for example avg:requests.errors{service:shop}.as_rate()"
    if spec.api_version == "v1" and (spec.queries or spec.formula):
        yield "apiVersion", "queries and formula work with version 2 only: set apiVersion to v2"
    if spec.queries and len(spec.queries) > 1 and not spec.formula:
        yield "formula", "formula is missing: say how the queries become one value, for example a / b"
    if spec.formula and not spec.queries:
        yield "formula", "formula works with queries only: give the query a name there, or leave formula out"


def _reference(spec: DatadogMetric, namespace: str) -> SecretRef:
    ref = spec.secret_ref
    if ref is None:
        return SecretRef("datadog")
    return SecretRef(ref.name or "datadog", namespace if ref.namespaced else "")


def _credentials(spec: DatadogMetric, asked: Asked) -> Mapping[str, str]:
    """Return those of the metric's own Secret; without one the controller's environment comes first."""
    settings = asked.settings
    if spec.secret_ref is None and settings.get("DD_API_KEY") and settings.get("DD_APP_KEY"):
        return {
            "api-key": settings["DD_API_KEY"],
            "app-key": settings["DD_APP_KEY"],
            "address": settings.get("DD_ADDRESS", ""),
        }
    return held_by(asked, _reference(spec, asked.namespace), "api-key", "app-key")


def _first(spec: DatadogMetric, asked: Asked, address: str, headers: Mapping[str, str]) -> Flow:
    end = int(asked.now.timestamp())
    begin = end - int(span_of("interval", spec.interval, "5m").total_seconds())
    query = {"query": spec.query or "", "from": str(begin), "to": str(end)}
    answer = yield from _asked(Request("GET", joined(address, "/api/v1/query", query), headers), spec)
    points = (number(at(point, 1)) for point in reversed(list_at(answer, "series", 0, "pointlist")))
    last = next((value for value in points if value is not None), None)
    if last is None:
        return NoData(f"Datadog has no values for the query within the last {spec.interval}", None, "[]")
    return Reading(last, number_text(last))


def _second(spec: DatadogMetric, asked: Asked, address: str, headers: Mapping[str, str]) -> Flow:
    end = int(asked.now.timestamp() * 1000)
    begin = end - int(span_of("interval", spec.interval, "5m").total_seconds() * 1000)
    queries = spec.queries or {_ONLY_QUERY: spec.query or ""}
    attributes = {
        "from": begin,
        "to": end,
        "queries": [
            {"name": name, "query": query, "data_source": "metrics", "aggregator": spec.aggregator or "last"}
            for name, query in sorted(queries.items())
        ],
        "formulas": [{"formula": spec.formula or min(queries)}],
    }
    body = orjson.dumps({"data": {"type": "scalar_request", "attributes": attributes}})
    url = joined(address, "/api/v2/query/scalar")
    answer = yield from _asked(Request("POST", url, {**headers, "Content-Type": "application/json"}, body), spec)
    return _scalar(answer, spec.interval)


def _asked(request: Request, spec: DatadogMetric) -> Generator[Request, Response, Any]:
    timeout = span_of("requestTimeout", spec.request_timeout, "10s").total_seconds()
    answer = yield from asked_for_json(
        Request(request.method, request.url, request.headers, request.body, timeout=min(max(timeout, 0.1), 600))
    )
    error = at(answer, "error") or at(answer, "errors")
    if isinstance(error, str | list) and error:
        raise MeasurementError(f"Datadog says: {' '.join(str(error)[:500].split())}")
    return answer


def _scalar(answer: Any, interval: str) -> Outcome:
    """Return the value of a table with one row, or a list where there are groups, one row each."""
    columns = list_at(answer, "data", "attributes", "columns")
    groups = [column for column in columns if at(column, "type") == "group"]
    values = next((list_at(column, "values") for column in columns if at(column, "type") == "number"), [])
    found = [(row, value) for row, value in enumerate(map(number, values)) if value is not None]
    if not found:
        return NoData(f"Datadog has no values for the query within the last {interval}", None, "[]")
    if not groups:
        _, value = found[0]
        return Reading(value, number_text(value))
    results = Floats(value for _, value in found)
    tags = [{str(at(group, "name")): at(group, "values", row) for group in groups} for row, _ in found[:_MOST_GROUPS]]
    return Reading(results, list_text(results), {"groups": json_text(tags)})
