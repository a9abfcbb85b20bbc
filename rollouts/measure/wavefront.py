"""What does Wavefront (Operations for Applications) say? By its chart API, /api/v2/chart/api."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.api.providers import WavefrontMetric
from rollouts.expr import Floats
from rollouts.jsonpath.gotext import float_text
from rollouts.measure.addresses import given, is_templated, joined
from rollouts.measure.answers import asked_for_json, at, list_at, number, number_text
from rollouts.measure.secrets import held_by
from rollouts.ports.provider import Asked, Flow, MeasurementError, NoData, Provider, Reading, Request, SecretRef

TOKENS = SecretRef("wavefront-api-tokens")
_LOOK_BACK = 5 * 60  # seconds: series that are reported once a minute are found


class Wavefront(Provider[WavefrontMetric]):
    """The latest value of a series, or those of several."""

    key = "wavefront"
    model = WavefrontMetric
    connection = frozenset({"address"})

    def problems(self, spec: WavefrontMetric) -> Iterator[tuple[str, str]]:
        if spec.address and "/" in spec.address and not is_templated(spec.address):
            yield "address", f"{spec.address!r} is no host name: write it as in example.wavefront.com"
        if not spec.query:
            yield "query", "query is missing: write it in Wavefront's language, for example ts(requests.latency)"

    def secrets_of(self, spec: WavefrontMetric, namespace: str) -> tuple[SecretRef, ...]:
        del spec, namespace
        return (TOKENS,)

    def metadata_of(self, spec: WavefrontMetric) -> Mapping[str, str]:
        return {"ResolvedWavefrontQuery": spec.query} if spec.query else {}

    def flow(self, spec: WavefrontMetric, asked: Asked) -> Flow:
        host = given(spec.address)
        token = held_by(asked, TOKENS, host)[host]
        end = int(asked.now.timestamp())
        query = {
            "q": spec.query or "",
            "s": str((end - _LOOK_BACK) * 1000),
            "e": str(end * 1000),
            "g": "s",
            "strict": "true",
        }
        url = joined(f"https://{host}", "/api/v2/chart/api", query)
        answer = yield from asked_for_json(Request("GET", url, {"Authorization": f"Bearer {token}"}))
        if at(answer, "errorMessage"):
            raise MeasurementError(f"Wavefront says: {' '.join(str(at(answer, 'errorMessage'))[:500].split())}")
        points = [point for each in list_at(answer, "timeseries") if (point := _last(each)) is not None]
        warnings = at(answer, "warnings")
        metadata = {"warnings": warnings[:500]} if isinstance(warnings, str) and warnings else {}
        if not points:
            because = f"Wavefront has no series with a value within the last {_LOOK_BACK // 60} minutes"
            return NoData(because, error=because, metadata=metadata)
        metadata["timestamps"] = ",".join(number_text(stamp) for stamp, _ in points)
        metadata["drift"] = ",".join(number_text(end - stamp) for stamp, _ in points)
        if len(points) == 1:
            return Reading(points[0][1], _rounded(points[0][1]), metadata)
        values = Floats(value for _, value in points)
        return Reading(values, f"[{','.join(map(_rounded, values))}]", metadata)


def _last(series: Any) -> tuple[float, float] | None:
    """Return time and value of the latest point."""
    for point in reversed(list_at(series, "data")):
        stamp, value = number(at(point, 0)), number(at(point, 1))
        if stamp is not None and value is not None:
            return stamp, value
    return None


def _rounded(value: float) -> str:
    return f"{value:.2f}" if math.isfinite(value) else float_text(value)
