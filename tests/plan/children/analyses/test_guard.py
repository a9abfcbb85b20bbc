"""What does `podHealth: true` add to the runs of a Rollout?"""

from typing import Any

import pytest

from rollouts.plan.actions import CreateChild
from rollouts.plan.analysis.guard import guarded
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.children.analyses.problems import analyses_problems
from rollouts.plan.observed import Raw
from rollouts.registry import load_kit
from tests.plan.children.analyses.given import (
    ANALYSED,
    BACKGROUND_RUN,
    METRIC,
    SETS,
    STEP_RUN,
    analysis,
    at,
    at_step,
    canary,
    in_background,
)
from tests.plan.decided import given, planned
from tests.plan.given import ONE, TWO

TEMPLATES = {TemplateKey("errors"): {"metrics": [METRIC]}}
HEALTH = {"podHealth": {"canaryHash": TWO, "stableHash": ONE}}
ALWAYS = {"name": "pod-health", "interval": "10s", "provider": HEALTH}


def made(raw: Raw, name: str) -> Raw:
    plan = planned(given(raw, *SETS, templates=TEMPLATES))
    (body,) = (each.body for each in plan.actions if isinstance(each, CreateChild) and each.name == name)
    spec: Raw = body["spec"]
    return spec


def test_one_line_watches_over_the_pods_while_the_canary_goes_through_its_steps() -> None:
    raw = at({**in_background(), **at_step()}, raw=canary(analysis={"podHealth": True}))
    assert made(raw, BACKGROUND_RUN) == {"metrics": [ALWAYS]}


def test_a_step_watches_as_long_as_its_longest_metric_takes() -> None:
    steps = (ANALYSED[0], {"analysis": analysis(podHealth=True)}, ANALYSED[2])
    # Five measurements a minute apart take four minutes.
    assert made(at(at_step(), raw=canary(steps=steps)), STEP_RUN) == {"metrics": [METRIC, {**ALWAYS, "count": 25}]}


def test_a_step_needs_no_template() -> None:
    steps = (ANALYSED[0], {"analysis": {"podHealth": True}}, ANALYSED[2])
    assert made(at(at_step(), raw=canary(steps=steps)), STEP_RUN) == {"metrics": [{**ALWAYS, "count": 7}]}


@pytest.mark.parametrize(
    ("metric", "count"),
    [
        ({}, 7),
        ({"interval": "1m"}, 7),  # its end is not in its numbers
        ({"interval": "1m", "count": "{{args.count}}"}, 7),
        ({"interval": "25s", "count": 4}, 9),
        ({"interval": "10s", "count": 3, "initialDelay": "1m"}, 9),
    ],
)
def test_how_long_is_read_off_the_other_metrics(metric: Raw, count: int) -> None:
    other: dict[str, Any] = {"name": "errors", "provider": {"web": {"url": "http://web"}}, **metric}
    assert guarded([other], TWO, ONE, is_endless=False) == [other, {**ALWAYS, "count": count}]


def test_without_a_stable_version_nothing_is_compared() -> None:
    for stable in ("", TWO):
        (guard,) = guarded([], TWO, stable, is_endless=True)
        assert guard["provider"] == {"podHealth": {"canaryHash": TWO}}


def test_a_metric_of_its_name_in_a_template_stays_as_it_is() -> None:
    own = {**METRIC, "name": "pod-health"}
    assert guarded([own], TWO, ONE, is_endless=True) == [own]


@pytest.mark.parametrize(
    "raw",
    [
        canary(analysis={"podHealth": True, "dryRun": [{"metricName": "pod-health"}]}),
        canary(steps=({"analysis": {"podHealth": True}},)),
        canary(steps=({"analysis": analysis(podHealth=True)},)),
    ],
)
def test_an_analysis_needs_no_template_beside_it(raw: Raw) -> None:
    assert [*analyses_problems(raw, load_kit(), TEMPLATES.get)] == []


def test_a_template_that_is_named_beside_it_must_exist() -> None:
    raw = canary(steps=({"analysis": analysis("missing", podHealth=True)},))
    (problem,) = analyses_problems(raw, load_kit(), {TemplateKey("missing"): None}.get)
    assert str(problem) == (
        'spec.strategy.canary.steps[0].analysis.templates[0].templateName: AnalysisTemplate "missing" does not exist'
    )
