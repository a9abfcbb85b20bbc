"""What does a server of Kubernetes' external metrics API say?

Its objects: https://github.com/kubernetes/metrics/blob/master/pkg/apis/external_metrics/v1beta1/types.go
"""

from collections.abc import Generator, Iterator
from typing import Any

from rollouts.api.providers import ExternalMetric
from rollouts.measure.addresses import address_problems, joined, segment
from rollouts.measure.answers import asked_for_json, at, list_at, list_text, number, numbers, unexpected
from rollouts.measure.secrets import held_by
from rollouts.ports.objects import ReadPath
from rollouts.ports.provider import (
    Asked,
    Flow,
    MeasurementError,
    NoData,
    ObjectError,
    Provider,
    Reading,
    Request,
    Response,
    SecretRef,
)

_API = "/apis/external.metrics.k8s.io/v1beta1"
_KIND = "ExternalMetricValueList"
_TOKEN = "token"  # noqa: S105 - the name of a key
_SUFFIXES = {
    "n": 1e-9, "u": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50, "Ei": 2.0**60,
}  # fmt: skip


class ExternalMetrics(Provider[ExternalMetric]):
    """The values of a metric in the run's namespace, as floats."""

    key = "externalMetrics"
    model = ExternalMetric
    paths = (f"{_API}/namespaces/{{namespace}}/",)

    def problems(self, spec: ExternalMetric) -> Iterator[tuple[str, str]]:
        yield from address_problems("address", spec.address, default=True)
        if spec.address is None and (spec.secret_ref or spec.insecure):
            field = "secretRef" if spec.secret_ref else "insecure"
            yield field, f"{field} is for a server of your own: set its address, or leave {field} out"
        if not spec.metric_name:
            yield "metricName", "metricName is empty: name the metric, for example datadogmetric@shop:error-rate"

    def secrets_of(self, spec: ExternalMetric, namespace: str) -> tuple[SecretRef, ...]:
        return (SecretRef(spec.secret_ref.name, namespace),) if spec.secret_ref else ()

    def flow(self, spec: ExternalMetric, asked: Asked) -> Flow:
        path = f"{_API}/namespaces/{segment(asked.namespace)}/{segment(spec.metric_name)}"
        selector = {"labelSelector": spec.label_selector} if spec.label_selector else {}
        if spec.address is None:
            answer = yield from _from_the_cluster(ReadPath(path, selector), spec.metric_name)
        else:
            answer = yield from _from_a_server(spec, joined(spec.address, path, selector), asked)
        values = numbers(_quantity(at(item, "value")) for item in list_at(answer, "items"))
        if not values:
            return NoData("the server has no values for the metric", values, "[]")
        return Reading(values, list_text(values))


def _from_a_server(spec: ExternalMetric, url: str, asked: Asked) -> Generator[Request, Response, Any]:
    headers = {"Accept": "application/json"}
    if spec.secret_ref is not None:
        token = held_by(asked, SecretRef(spec.secret_ref.name, asked.namespace), _TOKEN)[_TOKEN]
        headers["Authorization"] = f"Bearer {token}"
    request = Request("GET", url, headers, timeout=10.0, verify=not spec.insecure)
    answer = yield from asked_for_json(request)
    if at(answer, "kind") != _KIND:
        raise unexpected(request, f"no {_KIND}")
    return answer


def _from_the_cluster(request: ReadPath, metric: str) -> Generator[ReadPath, Any, Any]:
    """Ask the API server, which knows who serves external metrics, and who we are to it."""
    try:
        answer = yield from request.ask()
    except ObjectError as error:
        if error.reason != "NotFound":
            raise
        raise MeasurementError(
            f"nothing serves the external metric {metric!r}: is an adapter installed (kubectl get apiservices), and "
            "does it know the metric in this namespace?"
        ) from None
    if at(answer, "kind") != _KIND:
        raise MeasurementError(f"the API server answered with no {_KIND}: is metricName right?")
    return answer


def _quantity(value: Any) -> float | None:
    """Return a quantity of Kubernetes, such as 1500m, as a number."""
    text = str(value)
    for suffix in (text[-2:], text[-1:]):
        size = _SUFFIXES.get(suffix)
        bare = number(text.removesuffix(suffix)) if size else None
        if size and bare is not None:
            return bare * size if size >= 1 else bare / (1 / size)
    return number(value)
