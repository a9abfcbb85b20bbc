"""Which experiments can't be carried out, and what is said about them?"""

from typing import Any

import pytest

from rollouts.api.experiment import parse_experiment
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.experiment.validate import experiment_problems, reference_problems
from tests.plan.experiment.given import TEMPLATES, analysis, experiment, side

T, A = "spec.templates[0]", "spec.analyses[0]"
END = "{{experiment.finishedAt}}"
PORTS = [{"containerPort": 80}]


def pods(**fields: Any) -> dict[str, Any]:
    """Return a pod template with other parts."""
    return {**side("a")["template"], **fields}


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no templates": (
        {**experiment(), "spec": {"templates": []}},
        "spec.templates: is empty: an experiment needs at least one template",
    ),
    "two of a name": (
        experiment(side("a"), side("a")),
        'spec.templates[1].name: "a" is the name of two templates: rename one',
    ),
    "no name": (experiment({**side("a"), "name": ""}), f"{T}.name: is empty: give it a name"),
    "a name that no object can have": (
        experiment({**side("a"), "name": "A b"}),
        f'{T}.name: "A b" becomes a part of an object\'s name: write it of lower-case letters, digits, "-" and "."',
    ),
    "a name that is too long": (
        experiment({**side("a"), "name": "a" * 251}),
        f'{T}.name: "ab-{"a" * 251}" would be longer than the 253 characters of a name: shorten it',
    ),
    "less than no pods": (experiment(side("a", -1)), f"{T}.replicas: -1 is negative: must be 0 or more"),
    "ready for longer than the deadline": (
        experiment(side("a", minReadySeconds=601)),
        f"{T}.minReadySeconds: 601 is more than progressDeadlineSeconds (600): it could only fail",
    ),
    "no deadline at all": (
        experiment(side("a"), progressDeadlineSeconds=0),
        "spec.progressDeadlineSeconds: 0 is too small: must be 1 or more",
    ),
    "a delay of less than nothing": (
        experiment(side("a"), scaleDownDelaySeconds=-1),
        "spec.scaleDownDelaySeconds: -1 is negative: must be 0 or more",
    ),
    "a duration that is none": (
        experiment(side("a"), duration="5"),
        (
            "spec.duration: '5' is no duration: a number lacks its unit; write numbers with units h, m, s, ms, us or "
            "ns, for example 90s or 1h30m"
        ),
    ),
    "a duration of less than nothing": (
        experiment(side("a"), duration="-5s"),
        "spec.duration: '-5s' is negative: must be 0s or more",
    ),
    "a selector of nothing": (
        experiment(side("a", selector={})),
        f"{T}.selector: is empty: it must select the pods of its template",
    ),
    "a selector of other pods": (
        experiment(side("a", selector={"matchLabels": {"app": "b"}})),
        f"{T}.selector: app=b doesn't select the template's own labels: add them to template.metadata.labels",
    ),
    "a selector that is none": (
        experiment(side("a", selector={"matchExpressions": [{"key": "app", "operator": "Like"}]})),
        f"{T}.selector: 'Like' is no operator of a label selector: write In, NotIn, Exists, DoesNotExist",
    ),
    "pods without a container": (
        experiment(side("a", template=pods(spec={}))),
        f"{T}.template.spec.containers: is empty: pods need at least one container",
    ),
    "pods of the wrong shape": (
        experiment(side("a", template=pods(spec=[]))),
        f"{T}.template.spec: is []: it must be a mapping of names to values, or be left out",
    ),
    "a Service's name": (
        experiment(side("a", ports=PORTS, service={"name": "1.a"})),
        (
            f'{T}.service.name: "1.a" is no name of a Service: write one of lower-case letters, digits and "-", '
            "with a letter first and at most 63 of them"
        ),
    ),
    "two Services of a name": (
        experiment(side("a", ports=PORTS, service={"name": "x"}), side("b", ports=PORTS, service={"name": "x"})),
        'spec.templates[1].service.name: "x" is the name of two Services: rename one',
    ),
    "two analyses of a name": (
        experiment(side("a"), analyses=[analysis(), analysis()]),
        'spec.analyses[1].name: "errors" is the name of two analyses: rename one',
    ),
    "an analysis of nothing": (
        experiment(side("a"), analyses=[analysis(template="")]),
        f"{A}.templateName: is empty: name an analysis template",
    ),
    "an argument of a template that isn't there": (
        experiment(side("a"), analyses=[analysis(args=[{"name": "x", "value": "{{templates.b.podTemplateHash}}"}])]),
        (
            f"{A}.args[0].value: failed to resolve {{{{templates.b.podTemplateHash}}}}: there are "
            "{{templates.NAME.podTemplateHash}}, {{templates.NAME.replicaset.name}}, {{experiment.availableAt}} and "
            "{{experiment.finishedAt}}, with the name of a template"
        ),
    ),
    "an end that nobody knows": (
        experiment(side("a"), analyses=[analysis(args=[{"name": "x", "value": END}])]),
        f"{A}.args[0].value: {END} is known only for an experiment with a duration: give it one",
    ),
}

REFERENCES: dict[str, tuple[dict[str, Any], str]] = {
    "a template that doesn't exist": (
        experiment(side("a"), analyses=[analysis(template="missing")]),
        f'{A}.templateName: AnalysisTemplate "missing" does not exist',
    ),
    "an argument without a value": (
        experiment(side("a"), analyses=[analysis(template="by-hash")]),
        f"{A}.args[0]: args.hash was not resolved: give it a value",
    ),
    "a rule that no run has a metric for": (
        experiment(side("a"), analyses=[analysis()], dryRun=[{"metricName": "latency"}]),
        "spec.dryRun[0]: Rule didn't match any metric name(s): metrics are errors",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_spec_that_cannot_be(name: str) -> None:
    raw, message = BROKEN[name]
    assert [str(each) for each in experiment_problems(raw, parse_experiment(raw).spec)] == [message]


@pytest.mark.parametrize("name", REFERENCES)
def test_what_it_refers_to(name: str) -> None:
    raw, message = REFERENCES[name]
    spec = parse_experiment(raw).spec
    assert [str(each) for each in reference_problems(raw["spec"], spec, TEMPLATES)] == [message]


def test_a_rule_may_be_about_one_run_of_several() -> None:
    raw = experiment(side("a"), analyses=[analysis(), analysis("l", "latency")], dryRun=[{"metricName": "latency"}])
    assert not list(reference_problems(raw["spec"], parse_experiment(raw).spec, TEMPLATES))


def test_templates_that_may_be_elsewhere_are_taken_for_granted() -> None:
    raw = experiment(side("a"), analyses=[analysis(template="missing")], dryRun=[{"metricName": "x"}])
    spec = parse_experiment(raw).spec
    assert not list(reference_problems(raw["spec"], spec, TEMPLATES, granted=True))
    nested = {TemplateKey("missing"): {"templates": [{"templateName": "elsewhere"}], "args": [{"name": "x"}]}}
    assert not list(reference_problems(raw["spec"], spec, nested, granted=True))
