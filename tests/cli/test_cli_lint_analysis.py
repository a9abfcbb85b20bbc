"""lint says about analyses what the controller would say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from rollouts.cli.checks import remarks
from rollouts.cli.main import app
from rollouts.cli.manifests import Document
from tests.plan.analysis.given import KIT, metric, run, template
from tests.plan.experiment.given import analysis, experiment, side

Lint = Callable[..., list[str]]


def named(name: str, spec: dict[str, Any], kind: str = "AnalysisTemplate") -> dict[str, Any]:
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}


@pytest.fixture
def lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lint:
    monkeypatch.setattr("rollouts.cli.analysis_checks.load_kit", lambda: KIT)

    def lint_(*objects: dict[str, Any]) -> list[str]:
        manifests = tmp_path / "analysis.yaml"
        manifests.write_text(yaml.safe_dump_all(objects, sort_keys=False))
        result = CliRunner().invoke(app, ["lint", "-f", str(manifests)])
        assert result.exit_code == (1 if result.stdout else 0), result.output
        return [line.removeprefix(f"{manifests}:") for line in result.stdout.splitlines()]

    return lint_


def test_a_sound_template(lint: Lint) -> None:
    args: list[dict[str, Any]] = [
        {"name": "app"},
        {"name": "most", "value": "0.05"},
        {"name": "token", "valueFrom": None},
    ]
    sound = metric(successCondition="result[0] < {{args.most}}", failureLimit="{{ args.token }}", count=None)
    assert lint(named("a", template(sound, args=args))) == []


def test_a_condition_that_does_not_compile_is_told_with_its_place(lint: Lint) -> None:
    broken = template(metric(successCondition="result[0] <"), metric("b", failureCondition="resul > 1"))
    first, second = lint(named("a", broken))
    assert first.startswith("1: AnalysisTemplate/a: spec.metrics[0].successCondition: 'result[0] <' is no condition: ")
    way = "1: AnalysisTemplate/a: spec.metrics[1].failureCondition"
    assert second == f"{way}: 'resul > 1' is no condition: unknown name resul (1:1)"


def test_a_default_value_is_filled_in_before_the_condition_is_compiled(lint: Lint) -> None:
    args = [{"name": "most", "value": "five percent"}]
    (problem,) = lint(named("a", template(metric(successCondition="result[0] < {{args.most}}"), args=args)))
    assert "spec.metrics[0].successCondition" in problem


def test_a_run(lint: Lint) -> None:
    (problem,) = lint(run(metric(count=3)))
    assert problem.startswith("1: AnalysisRun/web-1: spec.metrics[0].interval: is missing")


def test_templates_that_go_in_a_circle(lint: Lint) -> None:
    reference = [{"templateName": "b", "clusterScope": True}]
    found = lint(
        named("a", template(metric(), templates=reference)),
        named("b", template(templates=[{"templateName": "a"}]), "ClusterAnalysisTemplate"),
    )
    (first, one_way), (second, other_way) = (line.split(": goes in a circle: ") for line in found)
    assert first.startswith("1: AnalysisTemplate/a: spec.templates[0]")
    assert second.startswith("2: ClusterAnalysisTemplate/b: spec.templates[0]")
    assert (one_way, other_way) == (
        "a -> b -> a; take one of these references out",
        "b -> a -> b; take one of these references out",
    )


def test_an_argument_may_be_declared_by_another_template(lint: Lint) -> None:
    user = template(metric(successCondition="result[0] < {{args.most}}"))
    assert lint(named("a", user), named("b", template(metric("b"), args=[{"name": "most"}]))) == []
    assert lint(named("a", {**user, "templates": [{"templateName": "not-in-these-files"}]})) == []
    (problem,) = lint(named("a", user))
    assert "failed to resolve {{args.most}}: declared arguments are none" in problem


def test_what_a_provider_says(lint: Lint) -> None:
    (problem,) = lint(named("a", template(metric(provider={"prometheus": {"address": "http://p"}}))))
    assert problem.startswith(
        "1: AnalysisTemplate/a: spec.metrics[0].provider.prometheus.query: is missing: write a query"
    )


def test_of_a_broken_shape_only_the_shape_is_told(lint: Lint) -> None:
    found = lint(
        named("a", {"metrics": [{"provider": {}}], "args": 5}), named("b", {"templates": [{"templateName": "a"}]})
    )
    assert [line.split(": ")[2] for line in found] == ["spec.metrics[0].name", "spec.args = 5"]


def test_an_experiment_and_the_templates_of_its_analyses(lint: Lint) -> None:
    declared = named("errors", template(metric(), args=[{"name": "limit"}]))
    raw = experiment(side("a", -1), analyses=[analysis(), analysis("b", "elsewhere")], dryRun=[{"metricName": "x"}])
    assert lint(raw, declared) == [
        "1: Experiment/ab: spec.templates[0].replicas: -1 is negative: must be 0 or more",
        "1: Experiment/ab: spec.analyses[0].args[0]: args.limit was not resolved: give it a value",
    ]


def test_an_experiment_of_the_wrong_shape(lint: Lint) -> None:
    (problem,) = lint(experiment(side("a"), duration=5))
    assert problem == "1: Experiment/ab: spec.duration = 5: has the wrong type: expected a text in quotes"


def rollout_with(analysis_: dict[str, Any]) -> dict[str, Any]:
    pods = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}
    spec = {
        "selector": {"matchLabels": {"app": "web"}},
        "template": pods,
        "strategy": {"canary": {"steps": [{"setWeight": 20}, {"analysis": analysis_}]}},
    }
    return named("web", spec, "Rollout")


def test_a_rollout_is_checked_with_the_templates_beside_it(lint: Lint) -> None:
    steps = "spec.strategy.canary.steps[1].analysis"
    wanted = template(metric(successCondition="result[0] < {{args.most}}", count=None), args=[{"name": "most"}])
    found = lint(rollout_with({"templates": [{"templateName": "a"}]}), named("a", wanted))
    (told,) = found
    assert told.startswith(
        f"1: Rollout/web: {steps}.args: args.most was not resolved, it has no value: give it one here"
    )
    given = {"templates": [{"templateName": "a"}], "args": [{"name": "most", "value": "0.05"}]}
    assert lint(rollout_with(given), named("a", wanted)) == []


def test_a_template_that_is_elsewhere_is_no_problem_but_said(tmp_path: Path) -> None:
    manifest = tmp_path / "web.yaml"
    manifest.write_text(yaml.safe_dump(rollout_with({"templates": [{"templateName": "a", "clusterScope": True}]})))
    result = CliRunner().invoke(app, ["lint", "-f", str(manifest)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert (
        'spec.strategy.canary.steps[1].analysis.templates[0].templateName: ClusterAnalysisTemplate "a" is in none of'
        " these files: the analysis is not checked" in result.stderr
    )


def noted(*objects: dict[str, Any]) -> list[str]:
    """Return what is remarked about objects, without their place."""
    documents = [Document("a.yaml", number, content) for number, content in enumerate(objects, 1)]
    return [str(each).removeprefix("a.yaml:") for each in remarks(documents)]


def test_what_a_template_or_an_experiment_refers_to_is_looked_for() -> None:
    refers = named("a", {"metrics": [metric()], "templates": [{"templateName": "b"}]})
    tried = named("e", {"templates": [], "analyses": [{"name": "x", "templateName": "a"}]}, "Experiment")
    (note,) = noted(refers, tried)
    assert note.startswith('1: AnalysisTemplate/a: spec.templates[0].templateName: AnalysisTemplate "b" is in none of')
    (note,) = noted(tried)
    assert note.startswith('1: Experiment/e: spec.analyses[0].templateName: AnalysisTemplate "a" is in none of')


def test_a_template_that_cannot_be_read_is_not_said_to_be_missing() -> None:
    (note,) = noted(rollout_with({"templates": [{"templateName": "a"}]}), named("a", {"metrics": [{"name": 5}]}))
    assert note.endswith(
        'templates[0].templateName: AnalysisTemplate "a" has problems of its own: the analysis is not checked'
    )


def test_an_argument_that_no_template_reads_is_said() -> None:
    wanted = named("a", template(metric(), args=[{"name": "most", "value": "1"}]))
    given = {"templates": [{"templateName": "a"}], "args": [{"name": "mots", "value": "0.05"}]}
    step = "1: Rollout/web: spec.strategy.canary.steps[1].analysis"
    assert noted(rollout_with(given), wanted) == [
        f'{step}.args[0].name: no template reads argument "mots": declared are most'
    ]
    (note,) = noted(rollout_with(given))
    assert "is in none of these files" in note


def test_arguments_of_experiments_are_looked_at_one_analysis_at_a_time() -> None:
    read = {"name": "x", "templateName": "a", "args": [{"name": "most", "value": "1"}]}
    unread = {"name": "y", "templateName": "b", "args": [{"name": "most", "value": "1"}]}
    known = named("a", template(metric(), args=[{"name": "most"}])), named("b", template(metric()))
    (note,) = noted(named("e", {"templates": [], "analyses": [read, unread]}, "Experiment"), *known)
    assert note == (
        '1: Experiment/e: spec.analyses[1].args[0].name: no template reads argument "most": none is declared'
    )
