"""What does Prometheus say, for one instant or over a span of time?

The answers: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import orjson

from rollouts.api.durations import parse_duration
from rollouts.api.providers import PrometheusMetric, PrometheusRangeQuery
from rollouts.expr import ExpressionError, Floats, Moment, compile_expression
from rollouts.measure.addresses import address_problems, is_templated, joined
from rollouts.measure.answers import (
    accepted,
    at,
    json_of,
    list_at,
    list_text,
    number,
    number_text,
    unexpected,
)
from rollouts.measure.authentication import authenticated, authentication_problems
from rollouts.measure.headers import header_problems, headers_of
from rollouts.ports.provider import (
    SHARED_SETTINGS,
    Asked,
    Flow,
    MeasurementError,
    NoData,
    Outcome,
    Provider,
    Reading,
    Request,
    Response,
)
from rollouts.ports.refusal import host_of

ADDRESS = "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS"


class Prometheus(Provider[PrometheusMetric]):
    """A query in PromQL: a float of a scalar, floats of a vector, all values of a range."""

    key = "prometheus"
    model = PrometheusMetric
    connection = frozenset({"address", "authentication", "headers", "insecure"})

    def problems(self, spec: PrometheusMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("address", spec.address, default=True)
        if not spec.query:
            yield "query", "query is missing: write it in PromQL, for example sum(rate(http_requests_total[1m]))"
        if spec.timeout is not None and spec.timeout < 0:
            yield "timeout", f"timeout {spec.timeout} is negative: leave it out for 30 seconds"
        yield from header_problems(spec.headers)
        yield from authentication_problems(spec.authentication)
        if spec.range_query is not None:
            yield from _range_problems(spec.range_query)

    def metadata_of(self, spec: PrometheusMetric) -> Mapping[str, str]:
        return {"ResolvedPrometheusQuery": spec.query} if spec.query else {}

    def flow(self, spec: PrometheusMetric, asked: Asked) -> Flow:
        address = spec.address or asked.settings.get(ADDRESS)
        if not address:
            raise MeasurementError(
                "no address of Prometheus: set it in the metric, or once for all metrics in the Secret "
                f"{SHARED_SETTINGS.name} in the controller's namespace, or by {ADDRESS} in the controller's environment"
            )
        path, form = "/api/v1/query", {"query": spec.query or "", "time": _seconds(Moment(asked.now))}
        if spec.range_query is not None:
            path, form = "/api/v1/query_range", {"query": spec.query or "", **_range(spec.range_query, asked.now)}
        request = Request(
            "POST",
            joined(address, path),
            {**headers_of(spec.headers), "Content-Type": "application/x-www-form-urlencoded"},
            urlencode(form).encode(),
            timeout=float(spec.timeout or 30),
            verify=not spec.insecure,
        )
        response = yield from _sent(request, spec, asked)
        if response.status in {405, 501}:  # something in between allows GET only
            url = joined(address, path, form)
            request = replace(request, method="GET", url=url, headers=headers_of(spec.headers), body=None)
            response = yield from _sent(request, spec, asked)
        return _outcome(request, response)


def _sent(request: Request, spec: PrometheusMetric, asked: Asked) -> Generator[Request, Response, Response]:
    request = yield from authenticated(request, spec.authentication, asked)
    return (yield request)


def _range_problems(query: PrometheusRangeQuery) -> Iterator[tuple[str, str]]:
    for name, source in (("start", query.start), ("end", query.end)):
        if not source:
            yield f"rangeQuery.{name}", f'{name} is missing: write an expression such as now() - duration("1h")'
        elif not is_templated(source):
            try:
                compile_expression(source, {})
            except ExpressionError as error:
                yield f"rangeQuery.{name}", f"{source!r} is no expression: {error}"
    if not query.step:
        yield "rangeQuery.step", "step is missing: write the time between two values, for example 1m"
    elif not is_templated(query.step):
        try:
            parse_duration(query.step)
        except ValueError as error:
            yield "rangeQuery.step", str(error)


def _range(query: PrometheusRangeQuery, now: datetime) -> dict[str, str]:
    try:
        step = parse_duration(query.step or "")
    except ValueError as error:
        raise MeasurementError(f"rangeQuery.step: {error}") from None
    return {
        "start": _seconds(_moment("start", query.start or "", now)),
        "end": _seconds(_moment("end", query.end or "", now)),
        "step": f"{step.total_seconds():g}",
    }


def _moment(name: str, source: str, now: datetime) -> Moment:
    try:
        value = compile_expression(source, {}).run({}, now)
    except ExpressionError as error:
        raise MeasurementError(f"rangeQuery.{name}: {source!r} fails: {error}") from None
    if not isinstance(value, Moment):
        raise MeasurementError(f'rangeQuery.{name}: {source!r} gives no time: write it as in now() - duration("1h")')
    return value


def _seconds(moment: Moment) -> str:
    return f"{moment.since_epoch / 1e9:.3f}"


def _outcome(request: Request, response: Response) -> Outcome:
    answer = _answer(request, response)
    kind, result = at(answer, "data", "resultType"), at(answer, "data", "result")
    metadata = _warnings(answer)
    if kind == "scalar":
        value = number(at(result, 1))
        if value is None:
            raise unexpected(request, "a scalar without a value")
        return Reading(value, number_text(value), metadata)
    if kind not in ("vector", "matrix") or not isinstance(result, list):
        raise unexpected(request, f"a result of type {str(kind)[:40]!r} instead of scalar, vector or matrix")
    samples = list(_samples(request, result, is_matrix=kind == "matrix"))
    if not samples:
        return NoData("Prometheus has no series for the query", Floats(), "[]", metadata=metadata)
    return Reading(Floats(samples), list_text(samples), metadata)


def _answer(request: Request, response: Response) -> Any:
    """Return the answer's JSON. Raises MeasurementError with what Prometheus says about the query."""
    try:
        said = orjson.loads(response.body)
    except orjson.JSONDecodeError:
        said = None
    if at(said, "status") == "error":
        kind, why = (str(at(said, name))[:500] for name in ("errorType", "error"))
        raise MeasurementError(f"{host_of(request.url)} answered {response.status}: {kind}: {why}")
    return json_of(request, accepted(request, response))


def _samples(request: Request, series: list[Any], *, is_matrix: bool) -> Iterator[float]:
    for each in series:
        if not is_matrix and at(each, "histogram") is not None:
            raise unexpected(request, "a native histogram, which is no number: ask for histogram_quantile() of it")
        for sample in list_at(each, "values") if is_matrix else [at(each, "value")]:
            value = number(at(sample, 1))
            if value is None:
                raise unexpected(request, "a sample without a value")
            yield value


def _warnings(answer: Any) -> dict[str, str]:
    warnings = ", ".join(f'"{str(warning)[:500]}"' for warning in list_at(answer, "warnings")[:10])
    return {"warnings": warnings} if warnings else {}
