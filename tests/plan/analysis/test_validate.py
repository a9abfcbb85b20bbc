"""Which specs can't be carried out, and what is said about them?"""

from typing import Any

import pytest

from rollouts.plan.analysis.observed import observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.plan.analysis.validate import run_problems
from tests.plan.analysis.given import KIT, metric, run
from tests.plan.given import after

EVERY = {"interval": "10s"}
M = "spec.metrics[0]"

BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no metrics": (run(), "spec.metrics: is empty: at least one metric is needed"),
    "two of a name": (run(metric(), metric()), 'spec.metrics[1].name: "errors" is the name of two metrics: rename one'),
    "no name": (run(metric(name="")), f"{M}.name: is empty: a metric needs a name"),
    "no provider": (run(metric(provider={})), f"{M}.provider: must have exactly one provider, has none"),
    "two providers": (
        run(metric(provider={"prometheus": {"query": "up"}, "web": {"url": "http://x"}})),
        f"{M}.provider: must have exactly one provider, has prometheus, web",
    ),
    "a provider that is not installed": (
        run(metric(provider={"graphite": {"query": "x"}})),
        f"{M}.provider.graphite: no such metric provider is installed; installed are prometheus, web",
    ),
    "a broken provider": (run(metric(provider={"job": {"spec": {}}})), f"{M}.provider.job: jobs are not installed"),
    "two plugins": (
        run(metric(provider={"plugin": {"a": {}, "b": {}}})),
        f"{M}.provider.plugin: must have exactly one plugin, has a, b",
    ),
    "what the provider says": (
        run(metric(provider={"prometheus": {}})),
        f"{M}.provider.prometheus.query: is missing: write a query",
    ),
    "a count without an interval": (
        run(metric(count=2)),
        f"{M}.interval: is missing: count is 2, so there is a time between measurements",
    ),
    "a count of less than nothing": (run(metric(count=-1)), f"{M}.count: -1 is too small: must be 0 or more"),
    "a count that is no number": (run(metric(count="many")), f"{M}.count: 'many' is no whole number"),
    "a huge count": (run(metric(count="9" * 30)), f"{M}.count: '{'9' * 30}' is out of range: at most 2147483647"),
    "more failures than measurements": (
        run(metric(**EVERY, count=2, failureLimit=3)),
        f"{M}.failureLimit: 3 is more than count (2): it could never be exceeded",
    ),
    "failures and successes in a row": (
        run(metric(**EVERY, count=4, failureLimit=3, consecutiveSuccessLimit=2)),
        f"{M}.count: 4 is less than failureLimit (3) and consecutiveSuccessLimit (2) together",
    ),
    "more successes in a row than measurements": (
        run(metric(**EVERY, count=4, failureLimit=-1, consecutiveSuccessLimit=5)),
        f"{M}.consecutiveSuccessLimit: 5 is more than count (4): it could never be reached",
    ),
    "more inconclusive than measurements": (
        run(metric(**EVERY, count=4, inconclusiveLimit=5)),
        f"{M}.inconclusiveLimit: 5 is more than count (4): it could never be exceeded",
    ),
    "failureLimit below -1": (run(metric(failureLimit=-2)), f"{M}.failureLimit: -2 is too small: must be -1 or more"),
    "nothing decides": (
        run(metric(failureLimit=-1)),
        f"{M}.failureLimit: -1 tolerates every failure: set consecutiveSuccessLimit, or nothing decides",
    ),
    "a negative inconclusiveLimit": (
        run(metric(inconclusiveLimit=-1)),
        f"{M}.inconclusiveLimit: -1 is too small: must be 0 or more",
    ),
    "a negative error limit": (
        run(metric(consecutiveErrorLimit=-1)),
        f"{M}.consecutiveErrorLimit: -1 is too small: must be 0 or more",
    ),
    "an interval that is none": (
        run(metric(interval="5 min")),
        (
            f"{M}.interval: '5 min' is no duration: unknown unit ' min'; "
            "write numbers with units h, m, s, ms, us or ns, for example 90s or 1h30m"
        ),
    ),
    "a negative delay": (run(metric(initialDelay="-5s")), f"{M}.initialDelay: '-5s' is negative: must be 0s or more"),
    "a condition that doesn't compile": (
        run(metric(successCondition="results[0] > 1")),
        f"{M}.successCondition: 'results[0] > 1' is no condition: unknown name results (1:1)",
    ),
    "a condition that answers with a number": (
        run(metric(failureCondition="len(result)")),
        f"{M}.failureCondition: 'len(result)' is no condition: expected bool, but got int",
    ),
    "an argument without a value": (
        run(metric(), args=[{"name": "unused"}]),
        "spec.args[0]: args.unused was not resolved: give it a value",
    ),
    "a field of no Rollout": (
        run(metric(), args=[{"name": "env", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]),
        "spec.args[0].valueFrom.fieldRef: is a field of a Rollout, which this run doesn't have: give a value instead",
    ),
    "an argument that isn't declared": (
        run(metric(successCondition="result < {{args.most}}"), args=[{"name": "least", "value": "1"}]),
        f"{M}: failed to resolve {{{{args.most}}}}: declared arguments are least",
    ),
    "a tag that is none": (
        run(metric(provider={"prometheus": {"query": "{{ pod }}"}})),
        f"{M}: failed to resolve {{{{pod}}}}: declared arguments are none",
    ),
    "a tag without an end": (
        run(metric(provider={"prometheus": {"query": "{{args.a"}})),
        f"{M}: {{{{args.a has no end: write }}}} behind the name of the argument",
    ),
    "an argument that makes a count of nonsense": (
        run(metric(count="{{args.n}}"), args=[{"name": "n", "value": "x"}]),
        f"{M}.count: 'x' is no whole number",
    ),
    "a dry run of nothing": (
        run(metric(), dryRun=[{"metricName": "latency"}]),
        "spec.dryRun[0]: Rule didn't match any metric name(s): metrics are errors",
    ),
    "a pattern that is none": (
        run(metric(), dryRun=[{"metricName": "*"}]),
        (
            "spec.dryRun[0]: Rule didn't match any metric name(s): error parsing regexp: "
            "no argument for repetition operator: *; write .* for every metric"
        ),
    ),
    "a retention rule that is there twice": (
        run(metric(), measurementRetention=[{"metricName": "errors", "limit": 2}] * 2),
        'spec.measurementRetention[1].metricName: "errors" is there twice: keep one of them',
    ),
}


def problems_of(raw: dict[str, Any]) -> list[str]:
    here = observe_run(raw)
    assert here.spec is not None, here.unreadable
    return [str(each) for each in run_problems(raw["spec"], here.spec, KIT)]


@pytest.mark.parametrize("case", BROKEN)
def test_a_rule(case: str) -> None:
    raw, problem = BROKEN[case]
    assert problems_of(raw) == [problem]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"count": 0},
        {"count": 1},
        {**EVERY, "failureLimit": 3},
        {**EVERY, "count": 3, "failureLimit": 3},
        {**EVERY, "count": 3, "failureLimit": 1, "consecutiveSuccessLimit": 2},
        {**EVERY, "failureLimit": -1, "consecutiveSuccessLimit": 2},
        {"successCondition": None},
        {"successCondition": "all(result, # < 1) && default(result[1], 0) == 0"},
        {"count": "{{args.n}}", "interval": "{{args.i}}", "successCondition": "result[0] < {{args.most}}"},
        {"interval": "0s"},
    ],
    ids=str,
)
def test_nothing_is_wrong_with(fields: dict[str, Any]) -> None:
    secret = {"name": "most", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
    args = [{"name": "n", "value": "2"}, {"name": "i", "value": "10s"}, secret]
    assert problems_of(run(metric(**fields), args=args)) == []


def test_a_long_value_in_many_places_is_refused_before_it_fills_the_memory() -> None:
    query = " ".join(["{{args.long}}"] * 20_000)
    wide = metric(provider={"prometheus": {"query": query}})
    plan = plan_analysis(observe_run(run(wide, args=[{"name": "long", "value": "x" * 500_000}])), after(0), KIT)
    assert "with {{args.long}} filled in it has more than 1000000 characters" in str(plan.problem)
