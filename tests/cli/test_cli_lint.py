"""lint: every problem with its file, object, field, value and way out; exit code 1 when there is any."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from rollouts.cli.main import app

GOOD = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 3
  restartAt: 2024-05-01T12:00:00Z
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "web:1"}]}
  strategy:
    canary:
      canaryService: web
      steps:
      - setWeight: 20
      - pause: {duration: 1h}
"""

UNKNOWN = (
    'spec.strategy.canary.canaryServcie = "web": is no field of this API and would be dropped: '
    "did you mean spec.strategy.canary.canaryService?"
)

Lint = Callable[..., Any]


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    def run(text: str) -> Any:
        path = tmp_path / "web.yaml"
        path.write_text(text)
        return CliRunner().invoke(app, ["lint", "-f", str(path)])

    return run


def lines(result: Any, tmp_path: Path) -> list[str]:
    return [line.removeprefix(f"{tmp_path}/") for line in result.stdout.splitlines()]


def test_a_good_manifest(lint: Lint) -> None:
    result = lint(GOOD)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "1 object checked: no problem\n")


@pytest.mark.parametrize(
    ("good", "bad", "line"),
    [
        ("replicas: 3", "replicas: -3", "spec.replicas: -3 is negative: must be 0 or more"),
        ("replicas: 3", 'replicas: "3"', 'spec.replicas = "3": has the wrong type: expected a whole number'),
        (
            "canaryService",
            "canaryServcie",
            UNKNOWN,
        ),
        (
            "setWeight: 20",
            "setWeight: 120",
            "spec.strategy.canary.steps[0].setWeight: 120 is out of range: a weight is a number from 0 to 100",
        ),
        ("metadata: {name: web}", "metadata: {}", "metadata.name: is missing: an object needs a name"),
        ("io/v1alpha1", "io/v1", 'apiVersion = "argoproj.io/v1": must be argoproj.io/v1alpha1'),
        ("argoproj.io/v1alpha1", "apps/v1", 'apiVersion = "apps/v1": must be argoproj.io/v1alpha1'),
        ("argoproj", "argoprj", 'apiVersion = "argoprj.io/v1alpha1": must be argoproj.io/v1alpha1'),
        (
            "- pause: {duration: 1h}",
            "- pause:",
            (
                'spec.strategy.canary.steps[1] = {"pause":null}: must have exactly one action, has none (a misspelt key'
                " is dropped, and so is a bare `pause:`: write `pause: {}`); known are analysis, experiment, pause,"
                " setCanaryScale, setHeaderRoute, setMirrorRoute, setWeight"
            ),
        ),
    ],
)
def test_a_problem_is_a_line(lint: Lint, tmp_path: Path, good: str, bad: str, line: str) -> None:
    result = lint(GOOD.replace(good, bad, 1))
    title = "Rollout/(no name)" if bad == "metadata: {}" else "Rollout/web"
    assert result.exit_code == 1
    assert lines(result, tmp_path) == [f"web.yaml:1: {title}: {line}"]
    assert result.stderr == "1 object checked: 1 problem\n"


@pytest.mark.parametrize("kind", ["Rollouts", "rollout", "Rolout"])
def test_a_misspelt_kind_is_not_left_alone(lint: Lint, kind: str) -> None:
    result = lint(GOOD.replace("kind: Rollout", f"kind: {kind}"))
    assert (result.exit_code, result.stdout.split(": ", 2)[2]) == (
        1,
        f'kind = "{kind}": is no kind of this API: did you mean Rollout?\n',
    )


@pytest.mark.parametrize(
    "version_and_kind",
    [
        "argoproj.io/v1alpha1, RolloutManager",
        "argoproj.io/v1alpha1, Application",
        "rollouts.kruise.io/v1beta1, Rollout",
    ],
)
def test_kinds_of_others_are_left_alone(lint: Lint, version_and_kind: str) -> None:
    version, kind = version_and_kind.split(", ")
    result = lint(f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: x}}\n")
    assert result.exit_code == 0


@pytest.mark.parametrize("name", ["Web_1", "-web", "7"])
def test_a_name_that_the_api_server_refuses(lint: Lint, name: str) -> None:
    result = lint(GOOD.replace("name: web}", f"name: {name}}}", 1))
    assert result.exit_code == 1
    assert ": is no name of an object: write a text of lower-case letters" in result.stdout


def test_a_field_without_a_value_is_as_good_as_none(lint: Lint) -> None:
    bare = GOOD.split("      steps:", maxsplit=1)[0] + "      steps:\n      maxSurge:\n"
    assert lint(bare).exit_code == 0


def test_a_missing_field_is_told_once(lint: Lint) -> None:
    bare = GOOD.split("    canary:", maxsplit=1)[0] + "    blueGreen: {previewService: web}\n"
    assert [line.split(": ", 2)[2] for line in lint(bare).stdout.splitlines()] == [
        "spec.strategy.blueGreen.activeService: is missing: the API server would refuse this object"
    ]


def test_the_strategy_of_a_deployment_is_no_near_miss(lint: Lint) -> None:
    bare = GOOD.split("    canary:", maxsplit=1)[0] + "    type: RollingUpdate\n"
    assert (
        'spec.strategy.type = "RollingUpdate": is no field of this API and would be dropped: remove it\n'
        in lint(bare).stdout
    )


def test_all_problems_of_all_documents(lint: Lint) -> None:
    other = GOOD.replace("name: web}", "name: other}", 1).replace("replicas: 3", "replicas: -1").replace("1h", "1 hour")
    other = other.replace("canaryService: web", "canaryService: other")
    result = lint(GOOD.replace("replicas: 3", "replicas: -1") + "---\n" + other)
    assert [line.split(": ")[1:3] for line in result.stdout.splitlines()] == [
        ["Rollout/web", "spec.replicas"],
        ["Rollout/other", "spec.replicas"],
        ["Rollout/other", "spec.strategy.canary.steps[1].pause.duration"],
    ]
    assert result.stderr == "2 objects checked: 3 problems\n"


def test_services_of_the_same_file_are_looked_at(lint: Lint) -> None:
    service = "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {selector: {app: %s}}\n"
    assert lint(GOOD + service % "web").exit_code == 0
    result = lint(GOOD + service % "shop")
    assert result.exit_code == 1
    assert "spec.strategy.canary.canaryService" in result.stdout
    assert "app=shop" in result.stdout


def test_analysis_templates_are_checked_too(lint: Lint) -> None:
    text = "apiVersion: argoproj.io/v1alpha1\nkind: AnalysisTemplate\nmetadata: {name: a}\nspec: {metrcis: []}\n"
    assert "did you mean spec.metrics?" in lint(text).stdout


def test_lists_json_and_stdin() -> None:
    text = '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout"}]}'
    result = CliRunner().invoke(app, ["lint", "-f", "-"], input=text)
    assert result.exit_code == 1
    assert "(stdin):1: Rollout/(no name): metadata.name: is missing" in result.stdout


def test_other_kinds_are_left_alone(lint: Lint) -> None:
    result = lint("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec: {nonsense: 1}\n---\n")
    assert (result.exit_code, result.stderr) == (
        0,
        "0 objects checked (1 object of other kinds left alone): no problem\n",
    )


@pytest.mark.parametrize("text", ["", "---\n", "# nothing but a remark\n"])
def test_nothing_to_check_is_no_pass(lint: Lint, text: str) -> None:
    result = lint(text)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: no object found in ")
    assert result.stderr.endswith("web.yaml: nothing was checked\n")


def test_a_directory_stands_for_its_manifests(tmp_path: Path) -> None:
    (tmp_path / "b.yml").write_text(GOOD.replace("replicas: 3", "replicas: -3"))
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "README.md").write_text("a: [")
    result = CliRunner().invoke(app, ["lint", "-f", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{tmp_path}/b.yml:1: Rollout/web: spec.replicas")
    assert result.stderr == "2 objects checked: 1 problem\n"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: [", "is not YAML"),
        ("just text", "is no object but str"),
        ("kind: Rollout\nkind: Rollout\n", "the key 'kind' comes twice"),
    ],
)
def test_files_that_cannot_be_read(lint: Lint, text: str, error: str) -> None:
    result = lint(text)
    assert result.exit_code == 1
    assert error in result.stderr


def test_a_missing_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(GOOD.replace("replicas: 3", "replicas: -3"))
    words = ["lint", "-f", str(tmp_path / "no.yaml"), "-f", str(tmp_path / "web.yaml")]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 1
    assert "cannot be read: No such file or directory" in result.stderr
    assert "spec.replicas" in result.stdout
    assert CliRunner().invoke(app, ["lint"]).exit_code == 2


def test_two_rollouts_that_name_one_service(lint: Lint, tmp_path: Path) -> None:
    result = lint(GOOD + "---\n" + GOOD.replace("metadata: {name: web}", "metadata: {name: shop}"))
    assert result.exit_code == 1
    (line,) = lines(result, tmp_path)
    where, _, problem = line.partition(": Service ")
    assert where == "web.yaml:2: Rollout/shop: spec.strategy.canary.canaryService"
    assert problem == '"web" is used by another Rollout, "web": use a Service of your own'


REFERRING = """\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: old}
  strategy: {canary: {}}
"""
DEPLOYMENT = """\
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: old}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: web, image: "web:1"}]}
"""


def test_a_pod_template_elsewhere_is_said_to_be_unchecked(lint: Lint, tmp_path: Path) -> None:
    result = lint(REFERRING)
    note = 'spec.workloadRef.name: Deployment "old" is in none of these files: the pod template is not checked'
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"note: {tmp_path}/web.yaml:1: Rollout/web: {note}\n1 object checked: no problem\n"


def test_a_deployment_in_the_same_file_is_checked(lint: Lint, tmp_path: Path) -> None:
    result = lint(REFERRING + DEPLOYMENT)
    assert result.exit_code == 1
    (line,) = lines(result, tmp_path)
    assert "{'app': 'shop'} don't match spec.selector {'matchLabels': {'app': 'web'}}" in line
    assert lint(REFERRING + DEPLOYMENT.replace("shop", "web")).exit_code == 0
    owned = DEPLOYMENT.replace("{name: old}", "{name: old, labels: {rollouts-pod-template-hash: abc}}")
    assert 'spec.workloadRef.name: Deployment "old" belongs to a Rollout itself' in lint(REFERRING + owned).stdout


@pytest.mark.parametrize("rubbish", ["spec: null", "spec: []", "spec: {template: [1], selector: 3}"])
def test_a_deployment_of_any_shape_breaks_nothing(lint: Lint, rubbish: str) -> None:
    deployment = f"---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: old}}\n{rubbish}\n"
    assert lint(REFERRING + deployment).exit_code == 0
