"""migrate deployment: objects on stdout or in files, the report beside them, errors with their exit codes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from rollouts.cli.manifests import read_documents
from tests.cli.fake_api import FakeApi
from tests.migrate.given import live_deployment
from tests.wire.objects import deployment, service

CASES = Path(__file__).parents[1] / "migrate" / "cases"
Run = Callable[..., Any]


@pytest.fixture
def plain() -> str:
    return str(CASES / "plain.in.yaml")


def test_objects_and_report(run: Run, plain: str) -> None:
    result = run("migrate", "deployment", "-f", plain)
    assert result.exit_code == 0, result.stderr
    assert list(yaml.safe_load_all(result.stdout)) == list(yaml.safe_load_all((CASES / "plain.out.yaml").read_text()))
    assert result.stderr == (CASES / "plain.report.txt").read_text()


def test_from_stdin_as_json(run: Run) -> None:
    result = run("migrate", "deploy", "-f", "-", "-o", "json", stdin=(CASES / "several.in.yaml").read_text())
    made = json.loads(result.stdout)
    assert [each["kind"] for each in made["items"]] == ["Rollout", "StatefulSet", "Rollout"]


def test_there_and_back_by_files(run: Run, tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    before.write_text(json.dumps(deployment("web", 3, strategy={"rollingUpdate": {"maxSurge": 1}})))
    there = run("migrate", "deployment", "-f", str(before), "--steps=20,pause", f"--output-dir={tmp_path}/there")
    assert there.exit_code == 0, there.stderr
    assert there.stdout == f"written: {tmp_path}/there/rollout-web.yaml\n"
    assert f"kubectl patch -f {tmp_path}/there/rollout-web.yaml --local" in there.stderr
    back = run("migrate", "deployment", "--reverse", "-f", f"{tmp_path}/there", f"--report={tmp_path}/report.txt")
    assert (back.exit_code, back.stderr) == (0, "")
    assert "spec.strategy.canary.steps (2 of them)" in (tmp_path / "report.txt").read_text()
    after = yaml.safe_load(back.stdout)
    assert after["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}
    assert after["spec"]["template"] == json.loads(before.read_text())["spec"]["template"]


def test_a_list_becomes_documents(run: Run) -> None:
    result = run("migrate", "deployment", "-f", str(CASES / "several.in.yaml"))
    assert result.stdout.count("\n---\n") == 2


def test_what_lint_would_refuse_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "web.json"
    file.write_text(json.dumps(deployment(minReadySeconds=600)))
    result = run("migrate", "deployment", "-f", str(file))
    assert result.exit_code == 1
    assert "error: Rollout/web: spec.progressDeadlineSeconds: 600 must be greater" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "one of the two"),
        (["web", "-f", "x.yaml"], "one of the two"),
        (["-f", "x.yaml", "--run"], "name the Deployment instead"),
        (["service/web"], "names no Deployment"),
        (["web", "--steps=20;50"], "is no step"),
        (["web", "--strategy=bluegreen"], "--active-service"),
        (["web", "--active-service=web"], "--strategy bluegreen"),
        (["web", "--strategy=sudden"], "sudden"),
        (["web", "--scale-down=onsuccess"], "add --workload-ref"),
        (["web", "--reverse", "--steps=20"], "leave them out with --reverse"),
        (["web", "--reverse", "--workload-ref"], "leave them out with --reverse"),
    ],
)
def test_words_that_make_no_sense(run: Run, words: list[str], message: str) -> None:
    result = run("migrate", "deployment", *words)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "is not YAML"),
        ("", "no Deployment found"),
        (json.dumps(service("web")), "no Deployment found"),
        (json.dumps({**deployment(), "spec": {}}), "Deployment web: spec.template is missing"),
    ],
)
def test_files_that_hold_none(run: Run, tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "web.yaml"
    file.write_text(text)
    result = run("migrate", "deployment", "-f", str(file))
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_a_file_that_is_not_there(run: Run) -> None:
    result = run("migrate", "deployment", "-f", "/nowhere.yaml")
    assert result.exit_code == 1
    assert "/nowhere.yaml: cannot be read" in result.stderr


def test_a_live_deployment(run: Run, api: FakeApi, tmp_path: Path) -> None:
    api.objects.clear()
    api.put("deployments", live_deployment(7))
    api.put("services", service("front", selector={"app": "web"}))
    api.put("services", service("other", selector={"app": "api"}))
    result = run("migrate", "deployment", "deployment/web", f"--output-dir={tmp_path}")
    assert result.exit_code == 0, result.stderr
    made = next(read_documents(str(tmp_path / "rollout-web.yaml"))).content
    assert made["spec"]["replicas"] == 7
    assert "uid" not in made["metadata"]
    assert "Service front reaches the pods of both" in result.stderr
    assert "other" not in result.stderr
    assert f"kubectl create -f {tmp_path}/rollout-web.yaml -n default" in result.stderr
    assert not api.writes


def test_a_live_deployment_that_keeps_its_template(run: Run, api: FakeApi) -> None:
    """The output has the new Rollout only; what it refers to is in the cluster."""
    api.objects.clear()
    api.put("deployments", live_deployment(2))
    result = run("migrate", "deployment", "web", "--workload-ref", "--scale-down=onsuccess", "-o", "json")
    assert result.exit_code == 0, result.stderr
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": "onsuccess"}
    assert json.loads(result.stdout)["spec"]["workloadRef"] == reference


def test_nobody_is_there(run: Run, api: FakeApi) -> None:
    api.objects.clear()
    for words in ([], ["--reverse"]):
        kind = "rollout" if words else "deployment"
        result = run("migrate", "deployment", "nobody", *words)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"error: {kind} 'nobody' not found in namespace 'default'")
        result = run("migrate", "deployment", "nobody", "--run", *words)
        assert result.exit_code == 1
        assert f"there is no such {kind.capitalize()}" in result.stderr
    assert not api.writes


def test_an_invalid_rollout_is_not_run(run: Run, api: FakeApi) -> None:
    api.objects.clear()
    api.put("deployments", live_deployment(minReadySeconds=600))
    result = run("migrate", "deployment", "web", "--run")
    assert result.exit_code == 1
    assert "spec.progressDeadlineSeconds" in result.stderr
    assert not api.writes
