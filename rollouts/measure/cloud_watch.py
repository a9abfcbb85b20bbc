"""What does Amazon CloudWatch say?

The action GetMetricData of its API answers:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from rollouts.api.providers import CloudWatchMetric, CloudWatchMetricDataQuery
from rollouts.aws.credentials import credentials_for
from rollouts.aws.signature import address_of, sign
from rollouts.expr import Moment, go_text
from rollouts.measure.answers import asked_for_json, at, json_text, list_at, number, numbers
from rollouts.measure.spans import span_of, span_problems
from rollouts.ports.provider import Asked, Flow, MeasurementError, NoData, Provider, Reading, Request

_TARGET = "GraniteServiceVersion20100801.GetMetricData"
_MOST_PAGES = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = 253402300799  # of the year 9999


class CloudWatch(Provider[CloudWatchMetric]):
    """A list with one result for each query that returns data: its Id, Label, Timestamps and Values."""

    key = "cloudWatch"
    model = CloudWatchMetric

    def problems(self, spec: CloudWatchMetric) -> Iterator[tuple[str, str]]:
        yield from span_problems("interval", spec.interval)
        if not spec.metric_data_queries:
            yield "metricDataQueries", "metricDataQueries is empty: name at least one query"
        for index, query in enumerate(spec.metric_data_queries):
            yield from _query_problems(f"metricDataQueries[{index}]", query)

    def flow(self, spec: CloudWatchMetric, asked: Asked) -> Flow:
        region = asked.settings.get("AWS_REGION") or asked.settings.get("AWS_DEFAULT_REGION")
        if not region:
            raise MeasurementError("no AWS region is known: set AWS_REGION in the controller's environment")
        end = int(asked.now.timestamp())
        begin = end - int(span_of("interval", spec.interval, "5m").total_seconds())
        queries = [_query(query) for query in spec.metric_data_queries]
        body = {"StartTime": begin, "EndTime": end, "MetricDataQueries": queries}
        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": _TARGET}
        request = Request("POST", address_of("monitoring", region, asked.settings), headers)
        credentials = yield from credentials_for(asked, region)
        results: list[Mapping[str, Any]] = []
        messages: list[Any] = []
        page: Any = None
        for _ in range(_MOST_PAGES):
            asking = replace(request, body=orjson.dumps(body | ({"NextToken": page} if page else {})))
            answer = yield from asked_for_json(sign(asking, credentials, region, "monitoring", asked.now))
            _add(list_at(answer, "MetricDataResults"), results)
            messages += list_at(answer, "Messages")
            page = at(answer, "NextToken")
            if not page:
                break
        else:
            raise MeasurementError(f"CloudWatch has more than {_MOST_PAGES} pages of values: ask for less")
        value = go_text([each["Values"] for each in results])
        metadata = {"messages": json_text(messages)[:500]} if messages else {}
        if not any(each["Values"] for each in results):
            return NoData("CloudWatch has no values for the queries", results, value, metadata=metadata)
        return Reading(results, value, metadata)


def _query_problems(where: str, query: CloudWatchMetricDataQuery) -> Iterator[tuple[str, str]]:
    if not query.id:
        yield f"{where}.id", "id is missing: give the query a name that begins with a small letter"
    if (query.metric_stat is None) == (not query.expression):
        yield where, "set either metricStat or expression"
    stat = query.metric_stat
    for path, period in (("period", query.period), ("metricStat.period", stat.period if stat else None)):
        if period is not None and "{{" not in str(period) and _seconds(period) is None:
            yield f"{where}.{path}", f"{period!r} is no number of seconds: write it as in 60"
    if stat is not None and stat.metric is None:
        yield f"{where}.metricStat.metric", "metric is missing: say which one, by namespace, metricName and dimensions"


def _seconds(period: int | str | None) -> int | None:
    text = str(period)
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def _query(query: CloudWatchMetricDataQuery) -> dict[str, Any]:
    """Return a query as the API wants it, without what isn't set."""
    stat = query.metric_stat
    metric = stat.metric if stat else None
    dimensions = [{"Name": each.name, "Value": each.value} for each in metric.dimensions] if metric else []
    return _given(
        Id=query.id,
        Label=query.label,
        Expression=query.expression,
        Period=_seconds(query.period),
        ReturnData=query.return_data,
        MetricStat=stat
        and _given(
            Metric=metric and _given(Namespace=metric.namespace, MetricName=metric.metric_name, Dimensions=dimensions),
            Period=_seconds(stat.period),
            Stat=stat.stat,
            Unit=stat.unit or None,
        ),
    )


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _add(page: Iterable[Any], results: list[Mapping[str, Any]]) -> None:
    """Add the results of a page: it may go on with the values of series that earlier ones have begun."""
    begun = {_name(each): place for place, each in enumerate(results)}
    for each in map(_result, page):
        place = begun.get(_name(each))
        if place is None:
            results.append(each)
            continue
        before = results[place]
        results[place] = {**each, **{name: before[name] + each[name] for name in ("Timestamps", "Values")}}


def _name(result: Mapping[str, Any]) -> str:
    return f"{result['Id']} {result['Label']}"


def _result(raw: Any) -> Mapping[str, Any]:
    """Return a result with the fields that conditions use, whatever else is in it."""
    stamps = (number(each) for each in list_at(raw, "Timestamps"))
    known = [stamp for stamp in stamps if stamp is not None and 0 <= stamp <= _LAST_SECOND]
    return {
        **{name: at(raw, name) for name in ("Id", "Label", "StatusCode", "Messages")},
        "Timestamps": [Moment(_EPOCH + timedelta(seconds=stamp)) for stamp in known],
        "Values": numbers(list_at(raw, "Values")),
    }
