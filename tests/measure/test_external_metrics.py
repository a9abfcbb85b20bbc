"""What does a server of the external metrics API answer? Shapes: kubernetes/metrics, external_metrics/v1beta1."""

from typing import Any

import orjson
import pytest

from rollouts.api.base import parse
from rollouts.api.providers import ExternalMetric
from rollouts.expr import Floats
from rollouts.measure.external_metrics import ExternalMetrics
from rollouts.ports import MeasurementError, NoData, ObjectError, Reading, ReadPath, SecretRef
from rollouts.ports.testing import SECRET, ProviderConformance
from tests.measure.driving import Told, problems

SPEC = {
    "address": "https://agent.datadog:8443",
    "metricName": "datadogmetric@shop:errors",
    "labelSelector": "app=shop",
    "secretRef": {"name": "agent"},
}
HELD = {SecretRef("agent", "shop"): {"token": "t"}}


def values(*quantities: str) -> dict[str, Any]:
    return {
        "kind": "ExternalMetricValueList",
        "apiVersion": "external.metrics.k8s.io/v1beta1",
        "metadata": {},
        "items": [
            {"metricName": "a", "metricLabels": {}, "timestamp": "2026-03-01T12:00:00Z", "value": each}
            for each in quantities
        ],
    }


class TestConformance(ProviderConformance):
    provider = ExternalMetrics()
    specs = (
        parse(ExternalMetric, SPEC),
        parse(ExternalMetric, {"address": "http://keda:80", "metricName": "queue", "insecure": True}),
    )
    answers = (orjson.dumps(values("1500m", "2")),)
    secrets = {"token": SECRET}  # noqa: RUF012 - as the superclass has it


class TestConformanceOnTheCluster(ProviderConformance):
    provider = ExternalMetrics()
    specs = (parse(ExternalMetric, {"metricName": "queue"}),)
    answers = (values("1500m", "2"),)


@pytest.mark.parametrize(
    ("quantity", "number", "text"),
    [("2", 2, "2"), ("1500m", 1.5, "1.5"), ("3k", 3000, "3000"), ("1Ki", 1024, "1024"), ("5u", 5e-6, "0.000005")],
)
def test_quantities_are_floats(quantity: str, number: float, text: str) -> None:
    outcome = Told(ExternalMetrics(), SPEC, [values(quantity)], secrets=HELD).outcome
    assert outcome == Reading(Floats([number]), f"[{text}]")


def test_only_the_run_s_own_namespace_is_read() -> None:
    request = Told(ExternalMetrics(), SPEC, [], secrets=HELD).request
    assert request.url == (
        "https://agent.datadog:8443/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/"
        "datadogmetric%40shop%3Aerrors?labelSelector=app%3Dshop"
    )
    assert request.headers["Authorization"] == "Bearer t"
    path = Told(ExternalMetrics(), {**SPEC, "metricName": "../../kube-system/a"}, [], secrets=HELD).request.url
    assert "/namespaces/shop/..%2F..%2Fkube-system%2Fa" in path


@pytest.mark.parametrize("quantities", [(), ("much",), ("",)])
def test_no_values_are_no_data(quantities: tuple[str, ...]) -> None:
    outcome = Told(ExternalMetrics(), SPEC, [values(*quantities)], secrets=HELD).outcome
    assert outcome == NoData("the server has no values for the metric", Floats(), "[]")


def test_another_server_is_told_apart() -> None:
    with pytest.raises(MeasurementError, match="has no ExternalMetricValueList"):
        Told(ExternalMetrics(), SPEC, [{"kind": "PodList", "items": []}], secrets=HELD)


def test_without_an_address_the_api_server_is_asked() -> None:
    spec = {"metricName": "queue", "labelSelector": "app=shop"}
    told = Told(ExternalMetrics(), spec, [values("3k")])
    assert told.outcome == Reading(Floats([3000.0]), "[3000]")
    path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue"
    assert told.asked_of == [ReadPath(path, {"labelSelector": "app=shop"})]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (ObjectError("there is nothing", "NotFound"), "nothing serves the external metric 'queue': is an adapter"),
        (ObjectError("may not read it", "Forbidden"), "may not read it"),
        ({"kind": "PodList", "items": []}, "the API server answered with no ExternalMetricValueList"),
    ],
)
def test_what_the_api_server_refuses_is_told(answer: Any, error: str) -> None:
    with pytest.raises(MeasurementError, match=error):
        Told(ExternalMetrics(), {"metricName": "queue"}, [answer])


def test_problems_name_the_field() -> None:
    assert set(problems(ExternalMetrics(), {"metricName": "queue"})) == set()
    assert set(problems(ExternalMetrics(), {"metricName": "queue", "secretRef": {"name": "a"}})) == {"secretRef"}
    assert set(problems(ExternalMetrics(), {"metricName": "queue", "insecure": True})) == {"insecure"}
    assert set(problems(ExternalMetrics(), {"address": "agent", "metricName": ""})) == {"address", "metricName"}
