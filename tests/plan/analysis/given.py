"""Which analysis runs do the tests begin with? Builders of raw objects, and providers that measure nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rollouts.api.providers import PrometheusMetric, WebMetric
from rollouts.ports import Kit
from rollouts.ports.provider import Asked, Flow, Provider, Reading
from tests.plan.given import stamp

Raw = dict[str, Any]


class Silent(Provider[PrometheusMetric]):
    """Stands in for a provider whose outcomes a test writes down itself."""

    key = "prometheus"
    model = PrometheusMetric

    def problems(self, spec: PrometheusMetric) -> Iterator[tuple[str, str]]:
        if not spec.query:
            yield "query", "is missing: write a query"

    def metadata_of(self, spec: PrometheusMetric) -> Mapping[str, str]:
        return {"ResolvedPrometheusQuery": spec.query or ""} if spec.headers else {}

    def flow(self, spec: PrometheusMetric, asked: Asked) -> Flow:
        del spec, asked
        yield from ()
        return Reading(None, "")


class SilentWeb(Provider[WebMetric]):
    """The same for the web."""

    key = "web"
    model = WebMetric

    def flow(self, spec: WebMetric, asked: Asked) -> Flow:
        del spec, asked
        yield from ()
        return Reading(None, "")


KIT = Kit(steps={}, providers={"prometheus": Silent(), "web": SilentWeb()}, broken={"job": "jobs are not installed"})


def metric(name: str = "errors", **fields: Any) -> Raw:
    """Return a metric that is good while its result is at most 0.05."""
    whole = {
        "name": name,
        "successCondition": "result[0] <= 0.05",
        "provider": {"prometheus": {"query": "up"}},
        **fields,
    }
    return {key: value for key, value in whole.items() if value is not None}


def run(*metrics: Raw, status: Mapping[str, Any] | None = None, **spec: Any) -> Raw:
    """Return an AnalysisRun as an API server delivers it."""
    metadata = {
        "name": "web-1",
        "namespace": "default",
        "uid": "uid-run",
        "resourceVersion": "7",
        "creationTimestamp": stamp(0),
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": metadata,
        "spec": {"metrics": list(metrics), **spec},
        **({} if status is None else {"status": dict(status)}),
    }


def template(*metrics: Raw, args: Sequence[Raw] = (), **spec: Any) -> Raw:
    """Return the spec of a template."""
    whole = {"metrics": list(metrics), "args": list(args), **spec}
    return {key: value for key, value in whole.items() if value}
