"""`rollouts create`: runs made of templates, and objects from files; nothing is created while anything is wrong."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.fake_api import FakeApi, failure

Json = dict[str, Any]
Run = Callable[..., Any]

URL = "http://metrics"


def template(name: str = "errors", kind: str = "AnalysisTemplate", **spec: Any) -> Json:
    metric = {"name": name, "successCondition": "result < {{args.most}}", "provider": {"web": {"url": URL}}}
    whole = {"args": [{"name": "most", "value": "5"}], "metrics": [metric], **spec}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": whole}


@pytest.fixture
def templates(api: FakeApi) -> FakeApi:
    """The server, with a template, one for all namespaces, and one that refers to both."""
    api.put("analysistemplates", template())
    api.put("clusteranalysistemplates", template("latency", "ClusterAnalysisTemplate"))
    both = [{"templateName": "errors"}, {"templateName": "latency", "clusterScope": True}]
    api.put("analysistemplates", template("all", metrics=[], args=[], templates=both))
    return api


def created(api: FakeApi) -> Json:
    """Return the body of the one write."""
    (write,) = api.writes
    assert (write.method, write.path) == ("POST", "/apis/argoproj.io/v1alpha1/namespaces/default/analysisruns")
    body: Json = write.body
    return body


def test_a_run_of_a_template(run: Run, templates: FakeApi) -> None:
    result = run("create", "analysisrun", "--from", "errors", "-a", "most=7")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("analysisrun.argoproj.io/errors-")
    assert result.stdout.endswith(" created\n")
    assert created(templates) == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AnalysisRun",
        "metadata": {"generateName": "errors-"},
        "spec": {"metrics": template()["spec"]["metrics"], "args": [{"name": "most", "value": "7"}]},
    }


def test_templates_of_templates_are_put_together(run: Run, templates: FakeApi) -> None:
    assert run("create", "ar", "--from", "all").exit_code == 0
    spec = created(templates)["spec"]
    assert [metric["name"] for metric in spec["metrics"]] == ["errors", "latency"]
    assert spec["args"] == [{"name": "most", "value": "5"}]


@pytest.mark.parametrize(
    ("words", "metadata"),
    [
        (("--name", "mine"), {"name": "mine"}),
        (("--generate-name", "mine-"), {"generateName": "mine-"}),
        (
            ("--instance-id", "ours"),
            {"generateName": "latency-", "labels": {"argo-rollouts.argoproj.io/controller-instance-id": "ours"}},
        ),
    ],
)
def test_its_name_and_its_controller(run: Run, templates: FakeApi, words: tuple[str, ...], metadata: Json) -> None:
    result = run("create", "analysisrun", "--from", "latency", "--global", *words)
    assert result.exit_code == 0, result.output
    assert created(templates)["metadata"] == metadata


def test_a_template_from_a_file_may_refer_to_the_cluster(run: Run, templates: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "templates.yaml"
    both = [{"templateName": "errors"}, {"templateName": "near"}]
    near = template("near", args=[{"name": "most"}])
    file.write_text(yaml.safe_dump_all([template("whole", metrics=[], args=[], templates=both), near]))
    result = run("create", "analysisrun", "--from-file", str(file), "--name", "whole")
    assert result.exit_code == 0, result.output
    assert [metric["name"] for metric in created(templates)["spec"]["metrics"]] == ["errors", "near"]


@pytest.mark.usefixtures("templates")
@pytest.mark.parametrize(
    ("change", "words", "error"),
    [
        pytest.param({}, ("-a", "mots=1"), "--argument mots: no such argument; declared are most", id="a typo"),
        pytest.param({}, ("-a", "most"), "--argument: write NAME=VALUE", id="an argument without a value"),
        pytest.param(
            {"args": [{"name": "most"}]},
            (),
            "args.most was not resolved: give it a value; -a NAME=VALUE gives a value",
            id="an argument that somebody has to give",
        ),
        pytest.param(
            {"templates": [{"templateName": "gone"}]},
            (),
            'AnalysisTemplate "gone", which AnalysisTemplate "errors" refers to, does not exist',
            id="a template that isn't there",
        ),
        pytest.param(
            {"templates": [{"templateName": "errors"}]}, (), "goes in a circle: errors -> errors", id="a circle"
        ),
        pytest.param({"metrics": []}, (), "spec.metrics: is empty", id="nothing to measure"),
        pytest.param(
            {"metrics": [{"name": "m", "successCondition": "result <", "provider": {"web": {"url": URL}}}]},
            (),
            "spec.metrics[0].successCondition: 'result <' is no condition",
            id="a condition that doesn't compile",
        ),
        pytest.param({"metrics": [{"provider": {}}]}, (), "metrics[0].name", id="a shape that no server should take"),
    ],
)
def test_problems_are_told_before_anything_is_created(
    run: Run, api: FakeApi, change: Json, words: tuple[str, ...], error: str
) -> None:
    api.put("analysistemplates", template(**change))
    result = run("create", "analysisrun", "--from", "errors", *words)
    assert result.exit_code == 1
    assert error in result.stderr
    assert api.writes == []


def test_a_metric_plugin_may_be_installed_beside_the_controller_only(run: Run, api: FakeApi) -> None:
    api.put("analysistemplates", template(metrics=[{"name": "m", "provider": {"plugin": {"ours/metric": {}}}}]))
    assert run("create", "analysisrun", "--from", "errors").exit_code == 0


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--from", "nobody"), "AnalysisTemplate \"nobody\" does not exist in namespace 'default'"),
        (("--from", "nobody", "--global"), 'ClusterAnalysisTemplate "nobody" does not exist: `kubectl get cluster'),
        (("--from-file", "/nowhere.yaml"), "/nowhere.yaml: cannot be read"),
    ],
)
def test_a_template_that_is_not_there(run: Run, words: tuple[str, ...], error: str) -> None:
    result = run("create", "analysisrun", *words)
    assert result.exit_code == 1
    assert error in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--from", "a", "--from-file", "b"),
        ("--from-file", "b", "--global"),
        ("--from", "a", "--name", "b", "--generate-name", "c"),
    ],
)
def test_contradictions_are_errors_of_usage(run: Run, api: FakeApi, words: tuple[str, ...]) -> None:
    assert run("create", "analysisrun", *words).exit_code == 2
    assert api.seen == []


def test_a_name_that_is_taken(run: Run, templates: FakeApi) -> None:
    words = ("create", "analysisrun", "--from", "errors", "--name", "mine")
    assert run(*words).exit_code == 0
    assert "analysis run 'mine' exists already: choose another --name" in run(*words).stderr
    assert len([each for each in templates.objects if each[0] == "analysisruns"]) == 1


def test_a_file_needs_one_template_that_no_other_refers_to(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "templates.yaml"
    file.write_text(yaml.safe_dump_all([template("a"), template("b")]))
    assert "one template is needed that no other refers to" in run("create", "ar", "--from-file", str(file)).stderr
    file.write_text(yaml.safe_dump(template("a", metrix=[])))
    assert "spec.metrix" in run("create", "ar", "--from-file", str(file)).stderr


def test_objects_from_files(run: Run, api: FakeApi, tmp_path: Path) -> None:
    file = tmp_path / "objects.yaml"
    elsewhere = template("there")
    elsewhere["metadata"]["namespace"] = "shop"
    everywhere = template("latency", "ClusterAnalysisTemplate")
    file.write_text(yaml.safe_dump_all([template(), elsewhere, everywhere]))
    result = run("create", "-f", str(file))
    assert result.stdout.splitlines() == [
        "analysistemplate.argoproj.io/errors created",
        "analysistemplate.argoproj.io/there created",
        "clusteranalysistemplate.argoproj.io/latency created",
    ]
    assert {key[:2] for key in api.objects if "templates" in key[0]} == {
        ("analysistemplates", "default"),
        ("analysistemplates", "shop"),
        ("clusteranalysistemplates", ""),
    }
    again = run("create", "-f", str(file))
    assert again.exit_code == 1
    assert "AnalysisTemplate/errors exists already: `kubectl apply -f` changes it" in again.stderr


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (template(metrics=[]), "spec.metrics = []: is empty"),
        ({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}, "Service/web can't be created here"),
        (None, "nothing can't be created here"),
    ],
)
def test_nothing_of_a_file_is_created_while_anything_is_wrong(
    run: Run, api: FakeApi, tmp_path: Path, content: Json | None, error: str
) -> None:
    file = tmp_path / "objects.yaml"
    file.write_text(yaml.safe_dump_all([template("good"), content] if content else []))
    result = run("create", "-f", str(file))
    assert result.exit_code == 1
    assert error in result.stderr
    assert api.writes == []


def test_where_to_create_may_be_said_in_front(run: Run, templates: FakeApi) -> None:
    templates.put("analysistemplates", {**template(), "metadata": {"name": "errors", "namespace": "shop"}})
    assert run("create", "-n", "shop", "analysisrun", "--from", "errors").exit_code == 0
    assert templates.writes[0].path.endswith("/namespaces/shop/analysisruns")


def test_what_else_may_go_wrong(run: Run, templates: FakeApi, tmp_path: Path) -> None:
    assert run("create", "-f", str(tmp_path / "nowhere.yaml")).exit_code == 1
    assert run("create", "-f", "x.yaml", "analysisrun", "--from", "errors").exit_code == 2
    assert run("create", "-n", "default").exit_code == 2
    templates.fail = lambda seen: failure(403, "Forbidden", "no") if seen.method == "POST" else None
    assert "not allowed" in run("create", "analysisrun", "--from", "errors").stderr
