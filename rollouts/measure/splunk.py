"""What does Splunk Observability Cloud say? It runs a program in SignalFlow and streams what comes of it.

The stream: https://dev.splunk.com/observability/docs/signalflow/messages/ (server-sent events). With an end in the past
and `immediate` it ends by itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from rollouts.api.providers import SplunkMetric
from rollouts.expr import Floats
from rollouts.measure.addresses import address_problems, given, joined
from rollouts.measure.answers import accepted, at, list_at, list_text, number
from rollouts.measure.secrets import token_of, token_problems
from rollouts.measure.spans import span_of, span_problems
from rollouts.ports.provider import Asked, Flow, MeasurementError, NoData, Provider, Reading, Request, SecretRef
from rollouts.ports.refusal import host_of

_TOKEN = "sf_token_key"  # noqa: S105 - the name of a key


class Splunk(Provider[SplunkMetric]):
    """The latest value of each time series that the program publishes."""

    key = "splunk"
    model = SplunkMetric
    connection = frozenset({"address", "secretRef"})

    def problems(self, spec: SplunkMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("address", spec.address, default=True)
        yield from token_problems(spec.address, spec.secret_ref, _TOKEN)
        if not spec.query:
            yield "query", "query is empty: write a program, for example data('requests.errors').mean().publish()"
        yield from span_problems("interval", spec.interval)

    def secrets_of(self, spec: SplunkMetric, namespace: str) -> tuple[SecretRef, ...]:
        return () if spec.secret_ref is None else (SecretRef(spec.secret_ref.name, namespace),)

    def metadata_of(self, spec: SplunkMetric) -> Mapping[str, str]:
        return {"ResolvedSplunkQuery": spec.query}

    def flow(self, spec: SplunkMetric, asked: Asked) -> Flow:
        token = token_of(asked, spec.secret_ref, _TOKEN)
        end = int(asked.now.timestamp() * 1000)
        begin = end - int(span_of("interval", spec.interval, "5m").total_seconds() * 1000)
        query = {"start": str(begin), "stop": str(end), "immediate": "true"}
        request = Request(
            "POST",
            joined(given(spec.address), "/v2/signalflow/execute", query),
            {"X-SF-Token": token, "Content-Type": "text/plain", "Accept": "text/event-stream"},
            spec.query.encode(),
        )
        response = yield request
        latest = _latest(request, accepted(request, response).body)
        if not latest:
            return NoData("Splunk has no values for the program", Floats(), "[]")
        values = Floats(latest.values())
        return Reading(values, list_text(values))


def _latest(request: Request, body: bytes) -> dict[str, float]:
    """Return the latest value by time series. Raises MeasurementError."""
    latest: dict[str, float] = {}
    for kind, data in _events(body):
        if kind == "error" or at(data, "error") is not None:
            why = at(data, "message") or at(data, "errors", 0, "code") or at(data, "error") or "no reason is given"
            raise MeasurementError(f"{host_of(request.url)} says: {' '.join(str(why)[:500].split())}")
        for point in list_at(data, "data") if kind == "data" else []:
            value = number(at(point, "value"))
            if value is not None:
                latest[str(at(point, "tsId"))] = value
    return latest


def _events(body: bytes) -> Iterator[tuple[str, Any]]:
    """Yield the events of a stream: kind and JSON. What is no JSON, such as half an event at the end, is left out."""
    text = body.decode(errors="replace").replace("\r\n", "\n")
    for event in text.split("\n\n"):
        fields = [line.partition(":") for line in event.split("\n")]
        kind = next((value.strip() for name, _, value in fields if name == "event"), "message")
        data = "\n".join(value for name, _, value in fields if name == "data")
        try:
            yield kind, orjson.loads(data)
        except orjson.JSONDecodeError:
            continue
