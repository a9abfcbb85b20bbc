"""What does Apache SkyWalking say?

Its GraphQL API answers: https://skywalking.apache.org/docs/main/latest/en/api/query-protocol/
"""

from collections.abc import Iterator, Mapping
from datetime import UTC

import orjson

from rollouts.api.providers import SkyWalkingMetric
from rollouts.measure.addresses import address_problems, given, joined
from rollouts.measure.answers import asked_for_json, at, json_text
from rollouts.measure.graphql import refusals
from rollouts.measure.spans import span_of, span_problems
from rollouts.ports.provider import Asked, Flow, MeasurementError, NoData, Provider, Reading, Request

_MINUTE = "%Y-%m-%d %H%M"


class SkyWalking(Provider[SkyWalkingMetric]):
    """The data of a GraphQL answer; the query may use the variable $duration."""

    key = "skywalking"
    model = SkyWalkingMetric
    connection = frozenset({"address"})

    def problems(self, spec: SkyWalkingMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("address", spec.address, default=True)
        if not spec.query:
            yield "query", "query is missing: write it in GraphQL, with the variable $duration for the span of time"
        yield from span_problems("interval", spec.interval)

    def metadata_of(self, spec: SkyWalkingMetric) -> Mapping[str, str]:
        return {"ResolvedSkyWalkingQuery": spec.query} if spec.query else {}

    def flow(self, spec: SkyWalkingMetric, asked: Asked) -> Flow:
        end = asked.now.astimezone(UTC)
        begin = end - span_of("interval", spec.interval, "5m")
        duration = {"start": begin.strftime(_MINUTE), "end": end.strftime(_MINUTE), "step": "MINUTE"}
        body = orjson.dumps({"query": spec.query or "", "variables": {"duration": duration}})
        url = joined(given(spec.address), "/graphql")
        answer = yield from asked_for_json(Request("POST", url, {"Content-Type": "application/json"}, body))
        why = refusals(answer)
        if why:
            raise MeasurementError(f"SkyWalking says: {why}")
        data = at(answer, "data")
        if data is None:
            because = "SkyWalking returned no results for the query"
            return NoData(because, error=because)
        return Reading(data, json_text(data))
