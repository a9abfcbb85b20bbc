"""What is wrong with a judge, and what does lint say about it?"""

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from rollouts.measure.judge import Judge
from rollouts.plan.analysis.observed import observe_run
from rollouts.plan.analysis.validate import run_problems
from rollouts.ports import Asked, Flow, Kit, Pending, Provider, Reading, Request
from rollouts.ports.checked_provider import CheckedProvider
from tests.measure.driving import Told, problems
from tests.measure.test_judge import INSTALLED, JUDGE, REQUESTS, SAMPLES, SPEC, spec
from tests.plan.analysis.given import run

LATENCIES = {"query": "latency{v='$version'}[$window]"}


def of_metric(judge: Mapping[str, Any], **metric: Any) -> dict[str, str]:
    """Return the problems of a run with such a metric."""
    raw = run({"name": "errors", "provider": {"judge": judge}, **metric})
    observed = observe_run(raw)
    assert observed.spec is not None, observed.unreadable
    kit = Kit(steps={}, providers={"judge": JUDGE})
    found = run_problems(raw["spec"], observed.spec, kit)
    return {each.path.removeprefix("spec.metrics[0]."): each.message for each in found}


@pytest.mark.parametrize(
    "fine",
    [
        SPEC,
        SAMPLES,
        spec(margin=0.01, ratio=1.25, alpha="5%", burst=3, minimum="200", endEarly=True),
        spec(margin="{{args.margin}}", alpha="{{args.alpha}}", canary="{{args.canary}}", baseline="{{args.canary}} "),
        spec(source={"web": {"url": "http://shop/$version?s=$seconds"}}, requests={"total": "{$.a}", "good": "{$.b}"}),
        {**SAMPLES, "margin": 12},
    ],
)
def test_what_is_fine(fine: Mapping[str, Any]) -> None:
    assert problems(JUDGE, fine) == {}


@pytest.mark.parametrize(
    ("wrong", "path", "message"),
    [
        pytest.param(spec(requests=None), "requests", "has neither of requests and samples", id="nothing to judge"),
        pytest.param(spec(samples=LATENCIES), "requests", "has both of requests and samples", id="both"),
        pytest.param(spec(requests={"total": "x"}), "requests.bad", "there is neither of bad and good", id="no bad"),
        pytest.param(spec(requests={**REQUESTS, "good": "x"}), "requests.bad", "there is both", id="bad and good"),
        pytest.param(spec(canary=""), "canary", "is empty", id="no canary"),
        pytest.param(spec(baseline="abc"), "baseline", "'abc' is the canary, too", id="the same"),
        pytest.param(spec(source={}), "source", "must have exactly one provider, has none", id="no source"),
        pytest.param(spec(source={"web": {}, "graphite": {}}), "source", "has web, graphite", id="two sources"),
        pytest.param(
            spec(source={"kayenta": {}}),
            "source.kayenta",
            "takes a query; there are datadog, graphite, newRelic, prometheus, web",
            id="one that judges",
        ),
        pytest.param(spec(source={"promtheus": {}}), "source.promtheus", "is no provider that", id="a typing error"),
        pytest.param(spec(source={"prometheus": 7}), "source.prometheus", "7 is no configuration", id="a number"),
        pytest.param(
            spec(source={"prometheus": {"query": "up"}}), "source.prometheus.query", "by the judge", id="a query"
        ),
        pytest.param(
            spec(source={"prometheus": {"adress": "http://p"}}), "source.prometheus.adress", "is no field", id="a field"
        ),
        pytest.param(
            spec(source={"prometheus": {"address": "p"}}), "source.prometheus.address", "is no URL", id="an address"
        ),
        pytest.param(
            spec(source={"prometheus": {"timeout": "1s"}}), "source.prometheus.timeout", "integer", id="a shape"
        ),
        pytest.param(
            spec(requests={**REQUESTS, "bad": "sum(errors[$window])"}),
            "requests.bad",
            "has no $version",
            id="one for both",
        ),
        pytest.param(spec(requests={**REQUESTS, "bad": ""}), "requests.bad", "query is missing", id="no query"),
        pytest.param(
            spec(requests={"total": "a $version", "bad": "b $version $window"}), "requests", "in one way", id="mixed"
        ),
        pytest.param(spec(margin=0.5), "margin", "0.5 is out of range: write what may be added", id="half"),
        pytest.param(spec(margin="-1%"), "margin", "-1% is out of range", id="negative"),
        pytest.param(spec(margin="nan"), "margin", "nan is out of range", id="nan"),
        pytest.param(spec(margin="half"), "margin", "'half' is no number", id="text"),
        pytest.param(spec(ratio=0.9), "ratio", "0.9 is out of range: write 1.25", id="better"),
        pytest.param(spec(alpha=0), "alpha", "0.0 is out of range", id="never wrong"),
        pytest.param(spec(alpha="95%"), "alpha", "95% is out of range: write the chance", id="confidence"),
        pytest.param(spec(burst="1.5"), "burst", "1.5 is out of range: write a whole number", id="half a request"),
        pytest.param(spec(minimum=0), "minimum", "0 is out of range", id="no minimum"),
        pytest.param({**SAMPLES, "ratio": 2}, "ratio", "is about requests", id="ratio of samples"),
        pytest.param({**SAMPLES, "burst": 2}, "burst", "is about requests", id="burst of samples"),
        pytest.param({**SAMPLES, "margin": -1}, "margin", "-1.0 is out of range: write a shift", id="negative shift"),
    ],
)
def test_what_is_wrong(wrong: Mapping[str, Any], path: str, message: str) -> None:
    found = problems(JUDGE, wrong)
    assert set(found) == {path}
    assert message in found[path]


class Logs(BaseModel):
    """What a stranger's provider wants to know."""

    query: str
    index: str = "web"


class LogCount(Provider[Logs]):
    """A stranger's provider that takes a query."""

    key = "example.com/logs"
    model = Logs

    def flow(self, spec: Logs, asked: Asked) -> Flow:
        del asked
        yield Request("GET", f"https://logs/{spec.index}?{spec.query}")
        return Reading(400, "400")


def test_a_strangers_provider_is_a_source_too() -> None:
    stranger = CheckedProvider(LogCount(), LogCount.key, "logs 1.0")
    judge = Judge({**INSTALLED, LogCount.key: stranger})
    asks = spec(source={LogCount.key: {"index": "shop"}}, requests={"total": "v=$version", "bad": "v=$version&bad"})
    assert problems(judge, SPEC) == {}
    assert problems(judge, asks) == {}
    told = Told(judge, asks, [b""] * 4)
    assert told.request.url == "https://logs/shop?v=xyz"
    assert isinstance(told.outcome, Pending)


def test_a_judge_that_knows_nobody_says_so() -> None:
    assert problems(Judge(), SPEC)["source.prometheus"].startswith("is no provider")
    assert problems(Judge().beside(INSTALLED), SPEC) == {}


@pytest.mark.parametrize(
    ("judge", "metric", "path", "message"),
    [
        (spec(), {"successCondition": "true"}, "successCondition", "isn't looked at"),
        (spec(), {"failureCondition": "true"}, "failureCondition", "isn't looked at"),
        (spec(), {"interval": "1m", "consecutiveSuccessLimit": 3}, "consecutiveSuccessLimit", "endEarly"),
        (SAMPLES, {"interval": "1m"}, "count", "must be 1: samples are judged once"),
        (SAMPLES, {"interval": "1m", "count": 5}, "count", "must be 1"),
        (
            spec(requests={"total": "a $version", "good": "b $version"}),
            {},
            "provider.judge.requests.total",
            "reads a counter, once",
        ),
        (spec(tooFew="later"), {}, "provider.judge.tooFew", "Input should be 'wait'"),
        (spec(undecided="maybe"), {}, "provider.judge.undecided", "Input should be 'successful'"),
        (
            {**SAMPLES, "samples": {**LATENCIES, "worse": "up"}},
            {},
            "provider.judge.samples.worse",
            "Input should be 'higher'",
        ),
        (spec(source=None), {}, "provider.judge.source", "Field required"),
    ],
)
def test_what_does_not_fit_the_metric(
    judge: Mapping[str, Any], metric: Mapping[str, Any], path: str, message: str
) -> None:
    raw = run({"name": "errors", "provider": {"judge": judge}, **metric})
    observed = observe_run(raw)
    told = observed.unreadable
    if observed.spec is not None:
        told = of_metric(judge, **metric)[path]
    assert message in told


@pytest.mark.parametrize(
    ("judge", "metric"),
    [
        (spec(), {"interval": "1m", "count": 10}),
        (spec(), {"initialDelay": "5m"}),
        (SAMPLES, {"initialDelay": "10m"}),
        (SAMPLES, {"interval": "1m", "count": 1}),
        (spec(requests={"total": "a $version", "good": "b $version"}), {"interval": "1m"}),
    ],
)
def test_what_fits_it(judge: Mapping[str, Any], metric: Mapping[str, Any]) -> None:
    assert of_metric(judge, **metric) == {}
