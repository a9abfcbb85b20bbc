"""Which experiments of a Rollout can't be carried out, and what is said about them?"""

from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.rollout import parse_rollout
from rollouts.plan.children.analyses.problems import OUT_OF_SIGHT
from rollouts.plan.children.experiments.problems import experiments_problems
from rollouts.plan.validate import problems
from rollouts.ports import Ability
from rollouts.registry import load_kit
from tests.plan.children.analyses.given import TEMPLATES
from tests.plan.children.experiments.given import SIDES, canary, step
from tests.routing import KEY, KIT, RecordingRouter, by_router

E = "spec.strategy.canary.steps[1].experiment"
T, A = f"{E}.templates[0]", f"{E}.analyses[0]"


ALL = replace(load_kit(), routers=KIT.routers)


class Plain(RecordingRouter):
    """A router that knows nothing of experiments."""

    abilities = frozenset({Ability.MAX_WEIGHT})


def analysis(template: str = "errors", **fields: Any) -> dict[str, Any]:
    return {"name": "a", "templateName": template, **fields}


def side(**fields: Any) -> dict[str, Any]:
    return {"name": "x", "specRef": "canary", **fields}


def weighed(*weights: int) -> dict[str, Any]:
    sides = [side(name=f"w{index}", specRef="stable", weight=each) for index, each in enumerate(weights)]
    return by_router("app:2", steps=({"setWeight": 20}, step(*sides)))


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no templates": (
        canary(tried={"experiment": {"templates": []}}),
        f"{E}.templates: is empty: name at least one template, with specRef canary or stable",
    ),
    "two of a name": (
        canary(tried=step(*SIDES, SIDES[0])),
        f'{T[:-3]}[2].name: "baseline" is the name of two templates: rename one',
    ),
    "whose pods": (canary(tried=step(side(specRef="latest"))), f'{T}.specRef: "latest" is neither canary nor stable'),
    "less than no pods": (canary(tried=step(side(replicas=-1))), f"{T}.replicas: -1 is negative: must be 0 or more"),
    "less than no delay": (
        canary(tried=step(scaleDownDelaySeconds=-1)),
        f"{E}.scaleDownDelaySeconds: -1 is negative: must be 0 or more",
    ),
    "a duration of less than nothing": (
        canary(tried=step(duration="-5s")),
        f"{E}.duration: '-5s' is negative: must be 0s or more",
    ),
    "a selector of other pods": (
        canary(tried=step(side(selector={"matchLabels": {"app": "other"}}))),
        f"{T}.selector: doesn't select the template's pods, whose labels are {{'app': 'web'}}",
    ),
    "a label that isn't ours to set": (
        canary(tried=step(side(metadata={"labels": {"a b": "c"}}))),
        (
            f"{T}.metadata.labels: \"a b\" is no label's key: a key is a name of up to 63 letters, digits, '-', '_' "
            "and '.', with or without a domain in lower case and a slash before it"
        ),
    ),
    "the name of a Service": (
        canary(tried=step(side(service={"name": "A"}))),
        (
            f'{T}.service.name: "A" is no name of a Service: write one of lower-case letters, digits and "-", with a '
            "letter first and at most 63 of them"
        ),
    ),
    "a weight without a router": (
        canary(tried=step(side(weight=5))),
        f"{T}.weight: needs trafficRouting: without a router nothing sends traffic to these pods",
    ),
    "a weight of less than nothing": (weighed(-5), f"{T}.weight: -5 is negative: must be 0 or more"),
    "more than there is": (
        weighed(60, 60),
        f"{E}.templates: have a weight of 120 together: 100 is all that there is",
    ),
    "more than stable has": (
        weighed(60, 40),
        f"{E}.templates: have a weight of 100 together, and the canary has 20: stable has 80 to give",
    ),
    "a weight for pods without ports": (
        by_router("app:2", steps=({"setWeight": 20}, step(side(weight=5)))),
        f"{T}.weight: needs a Service for these pods, which needs ports: declare containerPorts in spec.template",
    ),
    "two analyses of a name": (
        canary(tried=step(analyses=[analysis(), analysis()])),
        f'{E}.analyses[1].name: "a" is the name of two analyses: rename one',
    ),
    "a template that doesn't exist": (
        canary(tried=step(analyses=[analysis("missing")])),
        f'{A}.templateName: AnalysisTemplate "missing" does not exist',
    ),
    "a required analysis without an end": (
        canary(tried=step(analyses=[analysis("always", requiredForCompletion=True)])),
        (
            f'{A}.templateName: AnalysisTemplate "always": metric "endless" is measured without end: give it a count, '
            "or use it in a background analysis"
        ),
    ),
    "an argument's tag": (
        canary(tried=step(analyses=[analysis(args=[{"name": "x", "value": "{{experiment.end}}"}])])),
        (
            f"{A}.args[0].value: failed to resolve {{{{experiment.end}}}}: there are "
            "{{templates.NAME.podTemplateHash}}, {{templates.NAME.replicaset.name}}, {{experiment.availableAt}} and "
            "{{experiment.finishedAt}}, with the name of a template"
        ),
    ),
    "a rule without a metric": (
        canary(tried=step(analyses=[analysis()], dryRun=[{"metricName": "latency"}])),
        f"{E}.dryRun[0]: Rule didn't match any metric name(s): metrics are error-rate",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be(name: str) -> None:
    raw, message = BROKEN[name]
    raw["metadata"]["uid"] = "uid-web"
    found = problems(parse_rollout(raw), raw, ALL, templates=TEMPLATES.get)
    assert [str(each) for each in found] == [message]


def test_an_analysis_without_an_end_ends_with_its_experiment() -> None:
    raw = canary(tried=step(analyses=[analysis("always")]))
    assert not list(experiments_problems(raw, ALL, TEMPLATES.get))


def test_a_router_that_knows_nothing_of_experiments() -> None:
    raw = weighed(5)
    kit = replace(ALL, routers={KEY: Plain()})
    (problem,) = problems(parse_rollout(raw), raw, kit, templates=TEMPLATES.get)
    assert str(problem) == (
        f"spec.strategy.canary.trafficRouting.plugins.{KEY}: can't send traffic to the pods of experiments: remove the "
        "weights of their templates"
    )


def test_templates_out_of_sight_are_no_problem() -> None:
    raw = canary(tried=step(analyses=[analysis("elsewhere")]))
    assert not list(experiments_problems(raw, ALL, lambda _: OUT_OF_SIGHT))
