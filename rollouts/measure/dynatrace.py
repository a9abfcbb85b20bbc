"""What does Dynatrace say?

Its metrics API answers: https://docs.dynatrace.com/docs/discover-dynatrace/references/dynatrace-api/environment-api/metric-v2/get-data-points
"""

from collections.abc import Iterator, Mapping

from rollouts.api.providers import DynatraceMetric
from rollouts.measure.addresses import address_problems, given, joined
from rollouts.measure.answers import asked_for_json, json_text, list_at, list_text, numbers
from rollouts.measure.secrets import token_of, token_problems
from rollouts.measure.spans import span_of, span_problems
from rollouts.ports.provider import Asked, Flow, NoData, Provider, Reading, Request, SecretRef

_TOKEN = "dynatrace_token"  # noqa: S105 - the name of a key
_MOST_WARNINGS = 5


class Dynatrace(Provider[DynatraceMetric]):
    """One value over the interval for each series that the selector finds."""

    key = "dynatrace"
    model = DynatraceMetric
    connection = frozenset({"address", "secretRef"})

    def problems(self, spec: DynatraceMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("address", spec.address, default=True)
        yield from token_problems(spec.address, spec.secret_ref, _TOKEN)
        if not spec.query:
            yield "query", "query is empty: write a metric selector, for example builtin:service.errors.total.rate:avg"
        yield from span_problems("interval", spec.interval)

    def secrets_of(self, spec: DynatraceMetric, namespace: str) -> tuple[SecretRef, ...]:
        return () if spec.secret_ref is None else (SecretRef(spec.secret_ref.name, namespace),)

    def metadata_of(self, spec: DynatraceMetric) -> Mapping[str, str]:
        return {"ResolvedDynatraceQuery": spec.query}

    def flow(self, spec: DynatraceMetric, asked: Asked) -> Flow:
        token = token_of(asked, spec.secret_ref, _TOKEN)
        end = int(asked.now.timestamp() * 1000)
        begin = end - int(span_of("interval", spec.interval, "5m").total_seconds() * 1000)
        query = {"metricSelector": spec.query, "resolution": "Inf", "from": str(begin), "to": str(end)}
        url = joined(given(spec.address), "/api/v2/metrics/query", query)
        answer = yield from asked_for_json(Request("GET", url, {"Authorization": f"Api-Token {token}"}, timeout=10.0))
        results = list_at(answer, "result")
        found = (list_at(series, "values") for result in results for series in list_at(result, "data"))
        values = numbers(value for series in found for value in series)
        warnings = [warning for result in results for warning in list_at(result, "warnings")][:_MOST_WARNINGS]
        metadata = {"warnings": json_text(warnings)[:500]} if warnings else {}
        if not values:
            return NoData("Dynatrace has no values for the selector", values, "[]", metadata=metadata)
        return Reading(values, list_text(values), metadata)
