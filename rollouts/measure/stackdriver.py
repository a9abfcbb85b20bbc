"""What does Google Cloud Monitoring say?

The method timeSeries.query answers: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/query
The token is that of the controller's own service account, which the metadata server of its node gives out.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from rollouts.api.providers import StackdriverMetric
from rollouts.measure.addresses import joined, segment
from rollouts.measure.answers import asked_for_json, at, json_of, list_at, list_text, number, numbers
from rollouts.ports.provider import Asked, Flow, MeasurementError, NoData, Provider, Reading, Request

_TOKENS = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
_API = "https://monitoring.googleapis.com"


class Stackdriver(Provider[StackdriverMetric]):
    """The latest value of each time series."""

    key = "stackdriver"
    model = StackdriverMetric

    def problems(self, spec: StackdriverMetric) -> Iterator[tuple[str, str]]:
        if not spec.project:
            yield "project", "project is empty: name the project whose metrics are meant"
        if not spec.query:
            yield "query", "query is empty: write it in MQL, for example fetch k8s_service :: istio.io/... | within 5m"

    def metadata_of(self, spec: StackdriverMetric) -> Mapping[str, str]:
        return {"ResolvedStackdriverQuery": spec.query}

    def flow(self, spec: StackdriverMetric, asked: Asked) -> Flow:
        del asked
        asking = Request("GET", _TOKENS, {"Metadata-Flavor": "Google"}, timeout=5.0, reuse="default")
        response = yield asking
        token = at(json_of(asking, response), "access_token") if response.status == 200 else None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
            raise MeasurementError(
                f"the metadata server gave no token (status {response.status}): "
                "does the controller run on Google Cloud, with a service account that may read metrics?"
            )
        url = joined(_API, f"/v3/projects/{segment(spec.project)}/timeSeries:query")
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        answer = yield from asked_for_json(Request("POST", url, headers, orjson.dumps({"query": spec.query})))
        series = (at(each, "pointData", 0, "values", 0) for each in list_at(answer, "timeSeriesData"))
        values = numbers(map(_number, series))
        if not values:
            return NoData("Google Cloud Monitoring has no values for the query", values, "[]")
        return Reading(values, list_text(values))


def _number(value: Any) -> float | None:
    """Return a typed value as a number; the points come latest first."""
    return next(
        (number(at(value, kind)) for kind in ("doubleValue", "int64Value") if at(value, kind) is not None), None
    )
