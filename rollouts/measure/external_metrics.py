"""What does a server of Kubernetes' external metrics API say?

Its objects: https://github.com/kubernetes/metrics/blob/master/pkg/apis/external_metrics/v1beta1/types.go
"""

from collections.abc import Iterator
from typing import Any

from rollouts.api.providers import ExternalMetric
from rollouts.measure.addresses import address_problems, joined, segment
from rollouts.measure.answers import asked_for_json, at, list_at, list_text, number, numbers, unexpected
from rollouts.measure.secrets import held_by
from rollouts.ports.provider import Asked, Flow, NoData, Provider, Reading, Request, SecretRef

_TOKEN = "token"  # noqa: S105 - the name of a key
_SUFFIXES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


class ExternalMetrics(Provider[ExternalMetric]):
    """The values of a metric in the run's namespace, as floats."""

    key = "externalMetrics"
    model = ExternalMetric

    def problems(self, spec: ExternalMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("address", spec.address)
        if not spec.metric_name:
            yield "metricName", "metricName is empty: name the metric, for example datadogmetric@shop:error-rate"

    def secrets_of(self, spec: ExternalMetric, namespace: str) -> tuple[SecretRef, ...]:
        return (SecretRef(spec.secret_ref.name, namespace),) if spec.secret_ref else ()

    def flow(self, spec: ExternalMetric, asked: Asked) -> Flow:
        headers = {"Accept": "application/json"}
        if spec.secret_ref is not None:
            token = held_by(asked, SecretRef(spec.secret_ref.name, asked.namespace), _TOKEN)[_TOKEN]
            headers["Authorization"] = f"Bearer {token}"
        path = (
            f"/apis/external.metrics.k8s.io/v1beta1/namespaces/{segment(asked.namespace)}/{segment(spec.metric_name)}"
        )
        selector = {"labelSelector": spec.label_selector} if spec.label_selector else None
        request = Request("GET", joined(spec.address, path, selector), headers, timeout=10.0, verify=not spec.insecure)
        answer = yield from asked_for_json(request)
        if at(answer, "kind") != "ExternalMetricValueList":
            raise unexpected(request, "no ExternalMetricValueList")
        values = numbers(_quantity(at(item, "value")) for item in list_at(answer, "items"))
        if not values:
            return NoData("the server has no values for the metric", values, "[]")
        return Reading(values, list_text(values))


def _quantity(value: Any) -> float | None:
    """Return a quantity of Kubernetes, such as 1500m, as a number."""
    text = str(value)
    for suffix in (text[-2:], text[-1:]):
        size = _SUFFIXES.get(suffix)
        bare = number(text.removesuffix(suffix)) if size else None
        if size and bare is not None:
            return bare * size if size >= 1 else bare / (1 / size)
    return number(value)
