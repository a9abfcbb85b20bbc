"""Which analyses can't be carried out, and which sentence says why? Field, template, way out."""

from collections.abc import Mapping
from typing import Any

import pytest

from rollouts.api.rollout import parse_rollout
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.children.analyses.problems import OUT_OF_SIGHT
from rollouts.plan.observed import Observed, Raw
from rollouts.plan.validate import problems
from rollouts.registry import load_kit
from tests.plan.children.analyses.given import ANALYSED, METRIC, PROVIDER, STEP_RUN, analysis, at, at_step, canary, run
from tests.plan.decided import decided, given, planned
from tests.plan.given import TWO, blue_green, live, replica_set, rollout

KIT = load_kit()
ERRORS = TemplateKey("errors")
STEP = "spec.strategy.canary.steps[1].analysis"
BACKGROUND = "spec.strategy.canary.analysis"
PRE = "spec.strategy.blueGreen.prePromotionAnalysis"
ENDLESS: Raw = {**METRIC, "count": 0}

Templates = Mapping[TemplateKey, Raw | None]
GOOD: Templates = {ERRORS: {"metrics": [METRIC]}}


def found(raw: Raw, templates: Templates) -> list[str]:
    whole = live(dict(raw))
    return [str(each) for each in problems(parse_rollout(whole), whole, KIT, templates=templates.get)]


def step(**fields: Any) -> Raw:
    return canary(steps=(ANALYSED[0], {"analysis": analysis(**fields)}))


def background(**fields: Any) -> Raw:
    return rollout(canary={"analysis": analysis(**fields)})


def args(*declared: Raw) -> Templates:
    return {ERRORS: {"metrics": [METRIC], "args": list(declared)}}


def given_args(*given_: Raw) -> Raw:
    return step(args=list(given_))


CASES: dict[str, tuple[Raw, Templates, list[str]]] = {
    "a good one": (step(), GOOD, []),
    "an empty one in the background asks for nothing": (rollout(canary={"analysis": {}}), {}, []),
    "an empty one at a step": (
        canary(steps=({"analysis": {}},)),
        {},
        [
            (
                "spec.strategy.canary.steps[0].analysis.templates: is empty, so nothing would ever end this step: name"
                " a template, or set podHealth: true"
            )
        ],
    ),
    "an empty one before the promotion": (
        blue_green(strategy={"prePromotionAnalysis": {}}),
        {},
        [f"{PRE}.templates: is empty: name a template, set podHealth: true, or remove the analysis"],
    ),
    "a template that doesn't exist": (
        step(),
        {ERRORS: None},
        [f'{STEP}.templates[0].templateName: AnalysisTemplate "errors" does not exist'],
    ),
    "one that a template refers to doesn't": (
        background(),
        {ERRORS: {"templates": [{"templateName": "cpu", "clusterScope": True}]}},
        [
            (
                f'{BACKGROUND}.templates[0].templateName: ClusterAnalysisTemplate "cpu", which AnalysisTemplate'
                ' "errors" refers to, does not exist'
            )
        ],
    ),
    "templates that refer to each other": (
        background(),
        {ERRORS: {"templates": [{"templateName": "errors"}]}},
        [f"{BACKGROUND}.templates[0]: goes in a circle: errors -> errors; take one of these references out"],
    ),
    "a template without metrics": (
        step(),
        {ERRORS: {"metrics": []}},
        [f"{STEP}.templates: hold no metric together: add one to a template"],
    ),
    "an argument without a value": (
        step(),
        args({"name": "url"}),
        [
            (
                f"{STEP}.args: args.url was not resolved, it has no value: give it one here, or a default in the"
                " template that declares it"
            )
        ],
    ),
    "an argument with a default": (step(), args({"name": "url", "value": "x"}), []),
    "an argument with a secret": (
        step(),
        args({"name": "url", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}),
        [],
    ),
    "a hash that there isn't": (
        given_args({"name": "url", "valueFrom": {"podTemplateHashValue": "Newest"}}),
        args({"name": "url"}),
        [f'{STEP}.args[0].valueFrom.podTemplateHashValue: "Newest" is neither Latest nor Stable'],
    ),
    "a hash that there is": (
        given_args({"name": "url", "valueFrom": {"podTemplateHashValue": "Stable"}}),
        args({"name": "url"}),
        [],
    ),
    "a field below metadata that there isn't": (
        given_args({"name": "url", "valueFrom": {"fieldRef": {"fieldPath": "metadata.generation"}}}),
        args({"name": "url"}),
        [
            (
                f'{STEP}.args: argument "url": metadata.generation is not supported: below metadata there are'
                " metadata.name, metadata.namespace, metadata.uid, metadata.labels['x'] and metadata.annotations['x']"
            )
        ],
    ),
    "a field of the status is looked at when the run is made": (
        given_args({"name": "url", "valueFrom": {"fieldRef": {"fieldPath": "status.canary.weights"}}}),
        args({"name": "url"}),
        [],
    ),
    "a metric that is measured without end, at a step": (
        step(),
        {ERRORS: {"metrics": [ENDLESS]}},
        [
            (
                f'{STEP}.templates: AnalysisTemplate "errors": metric "error-rate" is measured without end: give it a'
                " count, or use it in a background analysis"
            )
        ],
    ),
    "the same in the background": (background(), {ERRORS: {"metrics": [ENDLESS]}}, []),
    "one that a number of successes ends": (
        step(),
        {ERRORS: {"metrics": [{**ENDLESS, "consecutiveSuccessLimit": 3}]}},
        [],
    ),
    "a count that comes from an argument": (
        given_args({"name": "count", "value": "3"}),
        {ERRORS: {"metrics": [{**METRIC, "count": "{{args.count}}"}], "args": [{"name": "count"}]}},
        [],
    ),
    "a condition that is none": (
        background(),
        {ERRORS: {"metrics": [METRIC, {**METRIC, "name": "cpu", "successCondition": "result <"}]}},
        [
            (
                f"{BACKGROUND}.templates: AnalysisTemplate \"errors\": metrics[1].successCondition: 'result <' is no"
                " condition: unexpected token EOF (1:8)"
            )
        ],
    ),
    "an unknown argument": (
        background(),
        {ERRORS: {"metrics": [{**METRIC, "successCondition": "result < {{args.limit}}"}]}},
        [
            (
                f'{BACKGROUND}.templates: AnalysisTemplate "errors": metrics[0]: failed to resolve {{{{args.limit}}}}:'
                " declared arguments are none"
            )
        ],
    ),
    "two metrics of one name": (
        background(),
        {ERRORS: {"metrics": [METRIC, METRIC]}},
        [
            (
                f'{BACKGROUND}.templates: AnalysisTemplate "errors": metrics[1].name: "error-rate" is the name of two'
                " metrics: rename one"
            )
        ],
    ),
    "a rule for no metric": (
        step(dryRun=[{"metricName": "cpu"}]),
        GOOD,
        [
            (
                f"{STEP}.dryRun: with those of its templates: dryRun[0]: Rule didn't match any metric name(s): metrics"
                " are error-rate"
            )
        ],
    ),
    "a rule twice, here and in the template": (
        step(dryRun=[{"metricName": "error-rate"}]),
        {ERRORS: {"metrics": [METRIC], "dryRun": [{"metricName": "error-rate"}]}},
        [
            (
                f'{STEP}.dryRun: with those of its templates: dryRun[1].metricName: "error-rate" is there twice: keep'
                " one of them"
            )
        ],
    ),
    "a label that is none": (
        step(analysisRunMetadata={"labels": {"team": "a b"}}),
        GOOD,
        [
            (
                f'{STEP}.analysisRunMetadata.labels: team: "a b" is no label\'s value: up to 63 letters, digits, "-",'
                ' "_" and ".", with a letter or digit at both ends; put other texts into annotations'
            )
        ],
    ),
    "a start beyond the last step": (
        rollout(steps=ANALYSED[:1], canary={"analysis": analysis(startingStep=2)}),
        GOOD,
        [f"{BACKGROUND}.startingStep: 2 is the index of no step: they go from 0 to 0"],
    ),
    "a start after the last step": (
        rollout(steps=ANALYSED[:1], canary={"analysis": analysis(startingStep=1)}),
        GOOD,
        [],
    ),
    "a name too long for its runs": (
        {**step(), "metadata": {"name": "w" * 221}},
        GOOD,
        ["metadata.name: must have at most 220 characters: analysis runs are named after it"],
    ),
    "a template out of sight": (step(dryRun=[{"metricName": "cpu"}]), {ERRORS: OUT_OF_SIGHT}, []),
    "a broken provider": (
        step(),
        {ERRORS: {"metrics": [{**METRIC, "provider": {**PROVIDER, "web": {"url": "http://x"}}}]}},
        [
            (
                f'{STEP}.templates: AnalysisTemplate "errors": metrics[0].provider: must have exactly one provider, has'
                " prometheus, web"
            )
        ],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_every_problem_is_told(name: str) -> None:
    raw, templates, wanted = CASES[name]
    assert found(raw, templates) == wanted


def test_a_template_that_vanishes_is_told_and_what_measures_goes_on_until_it_is_back() -> None:
    sets = (replica_set("app:1", 4), replica_set("app:2", 1, revision=2))
    raw, measuring = (
        at(at_step(status="Running")),
        run(f"{at_step()['currentStepAnalysisRunStatus']['name']}", "Running"),
    )
    gone = planned(given(raw, *sets, runs=[measuring], templates={ERRORS: None}))
    assert gone.problem is not None
    assert gone.actions == ()
    assert gone.status is not None
    assert gone.status["phase"] == "Degraded"
    assert gone.status["canary"] == at_step(status="Running")
    back = decided(given({**raw, "status": gone.status}, *sets, runs=[measuring], templates=GOOD))
    assert back.does == ()
    assert (back.status["phase"], back.status["conditions"]["InvalidSpec"]) == ("Progressing", None)


def lost(raw: Raw, *runs: Raw) -> Observed:
    """Return what is observed of an update whose analysis template has been deleted."""
    sets = (replica_set("app:1", 4), replica_set("app:2", 1, revision=2))
    return given(raw, *sets, runs=runs, templates={ERRORS: None})


def test_a_template_that_vanishes_keeps_no_failed_analysis_from_aborting() -> None:
    told = decided(lost(at(at_step(status="Running")), run(STEP_RUN, "Failed", "too many")))
    assert told.status["abort"] is True
    assert "too many" in told.status["message"]


@pytest.mark.parametrize("request_", ["abort", "promoteFull"])
def test_a_template_that_vanishes_keeps_nobody_from_going_back_or_forward(request_: str) -> None:
    asked: dict[str, Any] = {request_: True}
    told = decided(lost(at(at_step(status="Running"), **asked), run(STEP_RUN, "Running")))
    assert f"terminate AnalysisRun {STEP_RUN}" in told.does
    assert "InvalidSpec" not in told.status.get("message", "")


def test_an_update_that_follows_an_abort_needs_its_templates() -> None:
    raw = at(at_step(status="Running"), canary("app:3"), abort=True, currentPodHash=TWO)
    assert planned(lost(raw, run(STEP_RUN, "Failed"))).problem is not None
