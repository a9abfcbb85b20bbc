"""get, list, status and explain: what people read, and what programs read."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from tests.cli.fake_api import FakeApi, failure

Json = dict[str, Any]
Run = Callable[..., Any]

PICTURE = """\
Name:            web
Namespace:       default
Status:          ‖ Paused
Message:         CanaryPauseStep
Waits:           the current step is a pause without a duration: somebody has to promote; `rollouts promote web` ends it
Strategy:        Canary
  Step:          3/4
  SetWeight:     50
  ActualWeight:  25
Images:          web:2 (canary)
                 web:1 (stable)
Replicas:
  Desired:       4
  Current:       4
  Updated:       1
  Ready:         4
  Available:     4

Steps:
  ✔ 1. setWeight: 25
  ✔ 2. pause: 10m
  ✔ 3. setWeight: 50
  ▶ 4. pause

NAME                     KIND        STATUS     AGE    INFO
⟳ web                    Rollout     ‖ Paused   2d12h
├── # revision:2
│   └── ⧉ web-new        ReplicaSet  ✔ Healthy  2d12h  canary
│       └── □ web-new-1  Pod         ✔ Running  2d12h  ready:1/1, restarts:2
└── # revision:1
    └── ⧉ web-old        ReplicaSet  ✔ Healthy  2d12h  stable
        ├── □ web-old-1  Pod         ✔ Running  2d12h  ready:1/1
        ├── □ web-old-2  Pod         ✔ Running  2d12h  ready:1/1
        └── □ web-old-3  Pod         ✔ Running  2d12h  ready:1/1
"""

LIST = """\
NAME   STRATEGY   STATUS   STEP   SET-WEIGHT   READY   DESIRED   UP-TO-DATE   AVAILABLE   AGE
web    Canary     Paused   3/4    50           4/4     4         1            4           2d12h
"""

EXPLANATION = """\
rollout 'web' in namespace 'default' is Paused - CanaryPauseStep
Because:
  - step 4 of 4 (pause): the pause has no duration: promote to go on
"""

CHOICES = """\
Steps that remain:
  - 4. pause (now)
You can now:
  go on now:
    rollouts promote web -n default
    kubectl patch rollout web -n default --subresource=status --type=merge -p '{"status":{"pauseConditions":null}}'
  skip everything that is left:
    rollouts promote web --full -n default
    kubectl patch rollout web -n default --subresource=status --type=merge -p '{"status":{"promoteFull":true}}'
  go back to the stable pods:
    rollouts abort web -n default
    kubectl patch rollout web -n default --subresource=status --type=merge -p '{"status":{"abort":true}}'
  hold everything by hand:
    rollouts pause web -n default
    kubectl patch rollout web -n default --type=merge -p '{"spec":{"paused":true}}'
  look at everything:
    rollouts get rollout web -n default
"""


@pytest.fixture
def waiting(api: FakeApi, rollout: Json) -> FakeApi:
    """Let the rollout wait in its last step, and everything be two and a half days old on every day."""
    born = (datetime.now(UTC) - timedelta(days=2, hours=12, minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for raw in api.objects.values():
        raw["metadata"]["creationTimestamp"] = born
    rollout["status"]["currentStepIndex"] = 3
    return api


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("kind", ["rollout", "rollouts", "ro"])
def test_get_shows_the_whole_picture(run: Run, kind: str) -> None:
    result = run("get", kind, "web")
    assert (result.exit_code, result.stdout) == (0, PICTURE)


@pytest.mark.usefixtures("waiting")
def test_get_wide_tells_nodes(run: Run) -> None:
    assert "node:node-1, ip:10.0.0.2" in run("get", "ro", "web", "-o", "wide").stdout


def test_a_timed_pause_counts_down(run: Run, rollout: Json) -> None:
    start = datetime.now(UTC) - timedelta(minutes=1)
    rollout["status"]["pauseConditions"][0]["startTime"] = start.strftime("%Y-%m-%dT%H:%M:%SZ")
    text = run("get", "ro", "web").stdout
    assert "the current step is a pause of 10m, until " in text
    assert " left); `rollouts promote web` ends it" in text


def test_a_moving_rollout_tells_the_planners_reason(run: Run, rollout: Json) -> None:
    rollout["status"].update(phase="Progressing", message="", currentStepIndex=2, pauseConditions=None)
    del rollout["status"]["controllerPause"]
    assert "Waits:           step 3 of 4 (setWeight: 50)" in run("get", "ro", "web").stdout


@pytest.mark.parametrize(("form", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_get_hands_out_the_object(run: Run, rollout: Json, form: str, read: Callable[[str], Json]) -> None:
    rollout["metadata"]["managedFields"] = [{"manager": "somebody"}]
    result = run("get", "ro", "web", "-o", form)
    del rollout["metadata"]["managedFields"]
    assert read(result.stdout) == rollout


def test_names_can_be_piped(run: Run) -> None:
    assert run("get", "ro", "web", "-o", "name").stdout == "rollout.argoproj.io/web\n"
    assert run("list", "ro", "-o", "name").stdout == "rollout.argoproj.io/web\n"


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("kind", ["rollouts", "rollout", "ro"])
def test_list(run: Run, kind: str) -> None:
    assert run("list", kind).stdout == LIST


def test_list_of_all_namespaces_and_of_one_name(run: Run, api: FakeApi) -> None:
    api.put("rollouts", {"metadata": {"name": "cart", "namespace": "shop"}, "spec": {"strategy": {"canary": {}}}})
    lines = run("list", "ro", "-A", "-o", "wide").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["NAMESPACE", "default", "shop"]
    assert lines[0].endswith("IMAGES")
    assert "web" not in run("list", "ro", "-A", "--name", "cart").stdout
    assert "cart" in run("-n", "shop", "list", "ro").stdout
    assert "cart" in run("list", "ro", "--context", "shop").stdout


def test_list_as_json_is_a_list(run: Run, rollout: Json) -> None:
    assert json.loads(run("list", "ro", "-o", "json").stdout) == {
        "apiVersion": "v1",
        "kind": "List",
        "items": [rollout],
    }


def test_an_empty_list_says_so(run: Run) -> None:
    result = run("list", "ro", "-n", "nowhere")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no rollouts found in namespace 'nowhere'\n"


@pytest.mark.parametrize(
    ("phase", "message", "code", "error"),
    [
        ("Healthy", "", 0, ""),
        ("Paused", "CanaryPauseStep", 0, ""),
        ("Degraded", "RolloutAborted: x", 1, "error: rollout 'web' is degraded: RolloutAborted: x\n"),
    ],
)
def test_status_without_watching(run: Run, rollout: Json, phase: str, message: str, code: int, error: str) -> None:
    rollout["status"].update(phase=phase, message=message)
    result = run("status", "web", "--no-watch")
    assert result.stdout == (f"{phase} - {message}\n" if message else f"{phase}\n")
    assert (result.exit_code, result.stderr) == (code, error)


def test_status_waits_for_the_end(run: Run, api: FakeApi, rollout: Json) -> None:
    later = iter([("Progressing", "more replicas need to be updated"), ("Healthy", "")])

    def change() -> None:
        for phase, message in later:
            status = {**rollout["status"], "phase": phase, "message": message}
            shown = threading.Event()
            api.told = shown
            api.put("rollouts", {**rollout, "metadata": {**rollout["metadata"]}, "status": status})
            shown.wait(10)

    api.on_watch = change
    result = run("status", "web")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Paused - CanaryPauseStep",
        "Progressing - more replicas need to be updated",
        "Healthy",
    ]


def test_status_gives_up_in_time(run: Run) -> None:
    result = run("status", "web", "--timeout", "1s")
    assert result.exit_code == 1
    assert result.stderr == ("error: rollout 'web' has not come to an end within 1s: Paused - CanaryPauseStep\n")
    assert "within 1s: " in run("status", "web", "--timeout", "1").stderr
    assert run("status", "web", "--timeout", "soon").exit_code == 2


@pytest.mark.parametrize("switch", ["--watch=false", "-w=false", "--watch=False", "--no-watch"])
def test_a_switch_may_be_given_a_value_as_kubectl_does(run: Run, switch: str) -> None:
    result = run("status", "web", switch)
    assert (result.exit_code, result.stdout) == (0, "Paused - CanaryPauseStep\n")


def test_a_switch_without_an_opposite_may_be_given_a_value(run: Run) -> None:
    assert run("list", "rollouts", "--all-namespaces=true").stdout.startswith("NAMESPACE")
    assert run("list", "rollouts", "--all-namespaces=false").stdout.startswith("NAME ")
    assert run("list", "rollouts", "--all-namespaces=perhaps").exit_code == 2


def test_a_watch_in_a_pipe_prints_whole_pictures(run: Run) -> None:
    result = run("get", "ro", "web", "-w", "--timeout-seconds", "1")
    assert result.exit_code == 0
    assert result.stdout.startswith("Name:            web\n")
    assert "\x1b" not in result.stdout


@pytest.mark.usefixtures("waiting")
def test_explain_answers_with_reasons_and_choices(run: Run) -> None:
    text = run("explain", "web").stdout
    assert text.startswith(EXPLANATION)
    assert text.endswith(CHOICES)


def test_explain_as_json(run: Run) -> None:
    facts = json.loads(run("explain", "web", "-o", "json").stdout)
    assert facts["status"] == {"phase": "Paused", "message": "CanaryPauseStep"}
    assert facts["waiting"]["until"] == "2024-05-01T12:08:00Z"
    assert [each["title"] for each in facts["remainingSteps"]] == ["pause: 10m", "setWeight: 50", "pause"]
    assert run("explain", "web", "-o", "wide").exit_code == 2


def test_explain_knows_the_pods_of_a_restart(run: Run, rollout: Json) -> None:
    rollout["spec"]["restartAt"] = "2024-05-01T12:00:30Z"
    text = run("explain", "web").stdout
    assert "older than spec.restartAt" in text
    assert "have not been listed" not in text


def test_explain_names_an_invalid_spec(run: Run, rollout: Json) -> None:
    rollout["spec"]["replicas"] = "three"
    text = run("explain", "web").stdout
    assert "spec.replicas: Invalid value: 'three'" in text


@pytest.mark.parametrize("words", [("explain", "web"), ("get", "rollout", "web")])
def test_the_api_servers_words_about_a_refused_replica_set(run: Run, rollout: Json, words: tuple[str, ...]) -> None:
    refusal = 'Failed to create new replica set "web-1": spec.containers[0].image: Required value'
    rollout["status"] |= {
        "phase": "Progressing",
        "message": "more replicas need to be updated",
        "pauseConditions": None,
    }
    told = {"type": "Progressing", "status": "False", "reason": "ReplicaSetCreateError", "message": refusal}
    rollout["status"]["conditions"] = [
        told | dict.fromkeys(("lastTransitionTime", "lastUpdateTime"), "2024-05-01T11:00:00Z")
    ]
    rollout["status"].pop("controllerPause", None)
    assert refusal in run(*words).stdout
    rollout["metadata"]["generation"] += 1
    assert refusal not in run(*words).stdout


def test_explain_offers_no_verb_that_an_invalid_spec_would_swallow(run: Run, rollout: Json) -> None:
    rollout["status"] |= {"phase": "Degraded", "message": "InvalidSpec: spec.replicas: -1 is negative"}
    text = run("explain", "web").stdout
    assert "kubectl edit rollout web -n default" in text
    assert "rollouts promote" not in text
    assert "rollouts pause" not in text


def test_explain_knows_the_services_that_the_spec_names(run: Run, api: FakeApi, rollout: Json) -> None:
    rollout["spec"]["strategy"]["canary"]["canaryService"] = "web-canary"
    assert 'Service "web-canary" does not exist' in run("explain", "web").stdout
    service = {"metadata": {"name": "web-canary", "uid": "s"}, "spec": {"selector": {"app": "web"}}}
    api.put("services", service)
    assert "point Service web-canary at the pods of new" in run("explain", "web").stdout


def test_get_works_without_the_right_to_read_services(run: Run, api: FakeApi, rollout: Json) -> None:
    rollout["spec"]["strategy"]["canary"]["canaryService"] = "web-canary"
    rollout["status"].update(phase="Progressing", pauseConditions=None, controllerPause=None)
    api.fail = lambda seen: failure(403, "Forbidden", "no") if "/services" in seen.path else None
    assert run("get", "ro", "web").exit_code == 0
