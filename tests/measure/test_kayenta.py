"""How does Kayenta judge, step by step? Shapes: github.com/spinnaker/kayenta, docs and its Swagger page."""

from datetime import timedelta
from typing import Any

import pytest

from rollouts.api.base import parse
from rollouts.api.providers import KayentaMetric
from rollouts.measure.kayenta import Kayenta
from rollouts.ports import Asked, MeasurementError, Outcome, Pending, Request, Verdict
from rollouts.ports.testing import ProviderConformance
from tests.measure.driving import Told, problems

SCOPE = {"scope": "app", "region": "eu", "step": 60, "start": "2026-03-01T11:00:00Z", "end": "2026-03-01T12:00:00Z"}
SPEC: dict[str, Any] = {
    "address": "http://kayenta:8090",
    "application": "shop",
    "canaryConfigName": "my test",
    "metricsAccountName": "metrics",
    "configurationAccountName": "config",
    "storageAccountName": "storage",
    "threshold": {"pass": 90, "marginal": 75},
    "scopes": [{"name": "default", "controlScope": SCOPE, "experimentScope": {**SCOPE, "scope": "canary"}}],
}
CONFIGS = [{"id": "0", "name": "other"}, {"id": "1/2", "name": "my test", "applications": ["shop"]}]
LATER = Pending(timedelta(seconds=15), {"canaryExecutionId": "01HX"})


class TestConformance(ProviderConformance):
    provider = Kayenta()
    specs = (parse(KayentaMetric, SPEC),)
    answers = (b'[{"id": "1", "name": "my test"}]', b'{"canaryExecutionId": "01HX"}')


class _Begun(Kayenta):
    """Kayenta whose judgement has begun."""

    def flow(self, spec: KayentaMetric, asked: Asked) -> Any:
        return super().flow(spec, Asked(asked.now, metadata=LATER.metadata))


class TestConformanceOfALook(ProviderConformance):
    provider = _Begun()
    specs = (parse(KayentaMetric, SPEC),)
    answers = (b'{"complete": true, "status": "succeeded", "result": {"judgeResult": {"score": {"score": 99.5}}}}',)


def judged(answer: Any) -> tuple[Outcome | None, Request]:
    told = Told(Kayenta(), SPEC, [answer], metadata=LATER.metadata)
    return told.outcome, told.request


def scored(score: Any) -> dict[str, Any]:
    return {
        "complete": True,
        "status": "succeeded",
        "result": {"judgeResult": {"score": {"score": score, "classification": "Pass"}}},
    }


def test_a_judgement_is_begun_and_looked_at_later() -> None:
    told = Told(Kayenta(), SPEC, [CONFIGS, {"canaryExecutionId": "01HX"}])
    lookup, begin = told.requests
    assert lookup.url == "http://kayenta:8090/canaryConfig?application=shop&configurationAccountName=config"
    assert begin.url == (
        "http://kayenta:8090/canary/1%2F2?application=shop&metricsAccountName=metrics"
        "&configurationAccountName=config&storageAccountName=storage"
    )
    assert told.json == {
        "scopes": {"default": {"controlScope": SCOPE, "experimentScope": {**SCOPE, "scope": "canary"}}},
        "thresholds": {"pass": 90, "marginal": 75},
    }
    assert told.outcome == LATER


def test_it_is_looked_at_until_it_is_complete() -> None:
    outcome, request = judged({"complete": False, "status": "running"})
    assert outcome == LATER
    assert request.url == "http://kayenta:8090/canary/01HX"


@pytest.mark.parametrize(
    ("score", "phase"),
    [
        (100, "Successful"),
        (90, "Successful"),
        (89.9, "Inconclusive"),
        (75, "Inconclusive"),
        (74, "Failed"),
        (0, "Failed"),
    ],
)
def test_the_thresholds_judge_the_score(score: float, phase: str) -> None:
    outcome, _ = judged(scored(score))
    assert isinstance(outcome, Verdict)
    assert (outcome.phase, outcome.value) == (phase, str(int(score)))
    assert (phase == "Successful") == (outcome.message == "")


@pytest.mark.parametrize(
    "answer", [{"complete": True, "status": "terminal"}, scored(None), scored("NaN"), scored(1e308)]
)
def test_a_judgement_without_a_score_is_an_error(answer: Any) -> None:
    with pytest.raises(MeasurementError, match="complete without a score"):
        judged(answer)


def test_a_configuration_that_is_not_there_is_told() -> None:
    with pytest.raises(MeasurementError, match="no canary configuration 'my test' for application 'shop'"):
        Told(Kayenta(), SPEC, [[{"id": "0", "name": "other"}]])


def test_problems_name_the_field() -> None:
    spec = {**SPEC, "threshold": {"pass": 50, "marginal": 75}, "scopes": [{"name": "default"}]}
    assert set(problems(Kayenta(), spec)) == {"threshold", "scopes[0].controlScope", "scopes[0].experimentScope"}
    assert set(problems(Kayenta(), {**SPEC, "scopes": []})) == {"scopes"}
