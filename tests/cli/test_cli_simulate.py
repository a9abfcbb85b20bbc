"""simulate: what an update will look like, as table, JSON and picture; how it ends; what can't be run."""

import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from rollouts.cli.main import app
from rollouts.cli.timetable import Timetable
from rollouts.view.timeline import Frame, RevisionPods, Step, Weight
from tests.cli.simulating import STEPS, Json, Simulate, manifest
from tests.plan.given import service
from tests.routing import KIT, SPLIT, by_router


def frames(result: Result) -> list[Json]:
    found: list[Json] = json.loads(result.stdout)["frames"]
    return found


def said(result: Result) -> list[str]:
    return [text for frame in frames(result) for text in frame["says"]]


def phases(result: Result) -> list[str]:
    """Return the phases in order, each as often as it begins."""
    found: list[str] = []
    for frame in frames(result):
        if found[-1:] != [frame["phase"]]:
            found.append(frame["phase"])
    return found


def test_the_table_of_an_update(simulate: Simulate) -> None:
    result = simulate(manifest())
    assert result.exit_code == 0, result.output
    header, *lines = result.stdout.splitlines()
    assert header.split() == ["TIME", "STATUS", "STEP", "WEIGHT", "DESIRED", "REPLICAS", "READY/AVAIL", "REASON"]
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
    assert '0:00   ▶ Rollout "web" is created: 4 pods of app:1' in lines
    paused = next(row for row in rows if row[1] == "‖ Paused")
    assert paused == [
        *("0:02", "‖ Paused", "1/4", "25%", "4", "r1 stable 3, r2 canary 1", "4/4"),
        "step 2 of 4 (pause): the pause has no duration: promote to go on",
    ]
    assert "1:02   ▶ somebody promotes it, as nobody did for 60s (simulated)" in lines
    assert rows[-1] == ["11:05", "✔ Healthy", "4/4", "100%", "4", "r2 stable 4", "4/4"]
    assert result.stderr == "after 11m5s of virtual time rollout 'web' is Healthy\n"


def test_the_wide_table_has_all_reasons_and_events(simulate: Simulate) -> None:
    text = simulate(manifest(), words=("-o", "wide")).stdout
    assert "· RolloutStepCompleted: Rollout step 1/4 completed (setWeight: 25)" in text


@pytest.mark.parametrize(("width", "header"), [(160, "REASON"), (100, "READY/AVAIL"), (60, "READY/AVAIL")])
def test_a_narrow_terminal_has_reasons_below_their_lines(width: int, header: str) -> None:
    nothing: Json = {"says": (), "message": "", "step": Step(1, 4), "weight": Weight(20, 10), "events": ()}
    pods = (3, "web-a", "a", ("stable",), ("app:1",), 10, 10, 10, 10)
    reason = "step 2 of 4 (pause): the pause has no duration: promote to go on, or abort it to go back"
    frame = Frame(at=62, phase="Paused", desired=10, revisions=(RevisionPods(*pods),), because=(reason,), **nothing)
    console = Console(width=width, color_system=None, highlight=False, record=True, file=io.StringIO())
    console.print(Timetable((frame,)))
    first, second, *others = console.export_text().splitlines()
    assert first.rstrip().endswith(header)
    assert ("DESIRED" in first) == (width > 60)
    told = " ".join(line.strip() for line in (second, *others))
    assert reason in told
    assert max(map(len, (first.rstrip(), second.rstrip(), *(line.rstrip() for line in others)))) <= width


def test_json_has_the_documented_fields(simulate: Simulate) -> None:
    result = simulate(manifest(), words=("-o", "json"))
    told = json.loads(result.stdout)
    assert set(told) == {"name", "namespace", "start", "frames", "ended"}
    assert told["ended"] == {"at": 665.0, "phase": "Healthy", "message": "", "why": "settled", "neverHappened": []}
    for frame in told["frames"]:
        assert set(frame) == {
            *("at", "says", "phase", "message", "step", "weight", "desired", "revisions", "because", "events", "runs")
        }
    paused = next(frame for frame in told["frames"] if frame["phase"] == "Paused")
    assert (paused["at"], paused["desired"]) == (2.0, 4)
    assert paused["step"] == {"index": 1, "count": 4, "title": "pause"}
    assert paused["weight"] == {"set": 25, "actual": 25, "of": 100}
    stable, canary = paused["revisions"]
    assert stable["name"] == f"web-{stable['podHash']}"
    assert {**stable, "name": "", "podHash": ""} == {
        "number": 1,
        "name": "",
        "podHash": "",
        "roles": ["stable"],
        "images": ["app:1"],
        **dict.fromkeys(("size", "pods", "ready", "available"), 3),
    }
    assert (canary["number"], canary["roles"], canary["images"], canary["ready"]) == (2, ["canary"], ["app:next"], 1)
    assert [event["reason"] for event in paused["events"]] == ["RolloutStepCompleted", "RolloutPaused"]
    assert simulate(manifest(), words=("-o", "json")).stdout == result.stdout, "the same story every time"


def test_later_versions_are_applied_one_after_the_other(simulate: Simulate) -> None:
    result = simulate(manifest(), manifest("app:2"), manifest("app:3", replicas=6), words=("-o", "json"))
    assert result.exit_code == 0
    assert [text for text in said(result) if "applied" in text] == [
        "the changed manifest is applied: app:2",
        "the changed manifest is applied: app:3",
    ]
    last = frames(result)[-1]
    assert last["desired"] == 6
    assert [(each["images"], each["size"]) for each in last["revisions"]] == [
        *((["app:1"], 0), (["app:2"], 0), (["app:3"], 6))
    ]


def test_pauses_may_be_left_to_people(simulate: Simulate) -> None:
    result = simulate(manifest(), words=("--resume-after", "0"))
    assert result.exit_code == 4
    assert result.stderr == "after 2s of virtual time rollout 'web' is Paused - CanaryPauseStep\n"
    later = simulate(manifest(), words=("--resume-after", "1h", "-o", "json"))
    assert "somebody promotes it, as nobody did for 3600s (simulated)" in said(later)


def test_a_scenario_is_carried_out(simulate: Simulate) -> None:
    scenario = {
        "images": {"app:2": {"neverReady": True}, "app:3": {"readyAfter": "20s"}},
        "happens": [
            {"when": "healthy", "do": {"setImage": "app:2"}},
            {"when": "degraded", "after": "5m", "do": "undo"},
            {"when": "healthy", "do": {"setImage": {"app": "app:3"}}},
            {"when": "step 1", "after": "3s", "do": {"scale": 8}},
            {"when": "paused", "do": "abort"},
            {"when": "degraded", "after": "1m", "do": "retry"},
            {"when": "paused", "do": "promote full"},
            {"when": "healthy", "do": {"deletePods": {"image": "app:3", "count": 2}}},
            {"when": "healthy", "do": {"patchSpec": {"paused": True}}},
            {"when": "paused", "do": "promote"},
            {"do": "restart"},
        ],
        "until": "healthy",
    }
    web = manifest(progressDeadlineSeconds=300, progressDeadlineAbort=True)
    result = simulate(web, scenario=scenario, words=("-o", "json"))
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["ended"]["why"] == "until"
    assert not [text for text in said(result) if "in vain" in text]
    assert len(said(result)) == 12
    found = phases(result)
    assert found.count("Degraded") == 2
    assert found[-1] == "Healthy"
    last = frames(result)[-1]
    assert {tuple(each["images"]): each["size"] for each in last["revisions"]} == {
        ("app:1",): 0, ("app:2",): 0, ("app:3",): 8,
    }  # fmt: skip


def test_what_is_in_vain_and_what_never_happens_is_told(simulate: Simulate) -> None:
    scenario = {"happens": [{"at": "10s", "do": "retry"}, {"when": "paused", "do": "abort"}]}
    result = simulate(manifest(), scenario=scenario, words=("-o", "json"))
    assert said(result)[1] == "somebody retries it: in vain, for it is not aborted: there is nothing to retry"
    assert "never happened: when paused: abort\n" in result.stderr


def test_patches_that_the_server_would_refuse_are_told(simulate: Simulate) -> None:
    scenario = {"happens": [{"at": "10s", "do": {"patchSpec": {"replicas": "many"}}}]}
    text = said(simulate(manifest(), scenario=scenario, words=("-o", "json")))[1]
    assert text.startswith(
        'spec is patched: {"replicas":"many"}: in vain, for the API server refuses it: spec.replicas'
    )


def test_a_manifest_in_a_scenario_is_applied_and_checked(simulate: Simulate) -> None:
    happens = [{"when": "healthy", "do": {"apply": manifest("app:7")}}]
    result = simulate(manifest(), scenario={"happens": happens, "resumeAfter": "5s"}, words=("-o", "json"))
    assert result.exit_code == 0
    assert frames(result)[-1]["revisions"][-1]["images"] == ["app:7"]
    happens[0]["do"] = {"apply": manifest("app:7", replicas=-1)}
    result = simulate(manifest(), scenario={"happens": happens})
    assert result.exit_code == 1
    assert "Rollout/web: spec.replicas: -1 is negative: must be 0 or more" in result.stdout


def test_a_crashing_image_ends_degraded(simulate: Simulate) -> None:
    scenario = {
        "images": {"app:2": {"crashAfter": "5s"}},
        "happens": [{"when": "healthy", "do": {"setImage": "app:2"}}],
        "resumeAfter": "1m",
    }
    result = simulate(manifest(progressDeadlineSeconds=60, progressDeadlineAbort=True), scenario=scenario)
    assert result.exit_code == 3, result.output
    assert "is Degraded - RolloutAborted: " in result.stderr


def test_a_refused_template_does_not_retry_for_ever(simulate: Simulate) -> None:
    scenario = {
        "images": {"app:2": {"refused": "spec.template: Invalid value"}},
        "happens": [{"when": "healthy", "do": {"setImage": "app:2"}}],
    }
    result = simulate(manifest(progressDeadlineSeconds=60), scenario=scenario)
    assert result.exit_code == 3
    assert "the API server refuses the ReplicaSet: spec.template: Invalid value" in result.stdout
    assert "the limit" not in result.stderr


def test_the_limit_ends_it(simulate: Simulate) -> None:
    result = simulate(manifest(), words=("--limit", "65s"))
    assert result.exit_code == 4
    assert "the limit of 65s is reached: --limit raises it\n" in result.stderr
    result = simulate(manifest(), scenario={"until": "5s"}, words=("-o", "json"))
    assert (result.exit_code, json.loads(result.stdout)["ended"]["why"]) == (0, "settled")


def test_hours_of_pauses_take_no_time(simulate: Simulate) -> None:
    steps = [each for weight in range(5, 100, 5) for each in ({"setWeight": weight}, {"pause": {"duration": "5h"}})]
    result = simulate(manifest(steps=steps, replicas=20), words=("-o", "json"))
    assert result.exit_code == 0
    assert json.loads(result.stdout)["ended"]["at"] > 19 * 5 * 3600


def test_services_are_needed_or_taken_for_granted(simulate: Simulate) -> None:
    canary = {"canaryService": "web-canary", "stableService": "web-stable"}
    told = {**service("web-stable"), "apiVersion": "v1", "kind": "Service"}
    result = simulate(manifest(canary=canary), told)
    assert result.exit_code == 0, result.output
    assert "Service web-canary is in none of the files: it is taken for granted\n" in result.stderr
    assert "web-stable" not in result.stderr


def test_other_kinds_are_left_out(simulate: Simulate) -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    result = simulate(config, manifest())
    assert (result.exit_code, result.stderr.splitlines()[0]) == (0, "left out: ConfigMap/settings")


@pytest.mark.parametrize(
    ("objects", "problem"),
    [
        ([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}], "no Rollout in the files"),
        (
            [manifest(), {**manifest(), "metadata": {"name": "other"}}],
            "the files hold 2 Rollouts (web, other): simulate one at a time",
        ),
        ([{**manifest(), "metadata": {}}], "the Rollout has no metadata.name: give it one"),
    ],
)
def test_what_holds_no_play(simulate: Simulate, objects: list[Json], problem: str) -> None:
    result = simulate(*objects)
    assert result.exit_code == 1
    assert problem in result.stderr


def test_invalid_manifests_are_told_as_lint_does(simulate: Simulate, tmp_path: Path) -> None:
    result = simulate(manifest(steps=[{"setWeight": 140}]))
    line = "web.yaml:1: Rollout/web: spec.strategy.canary.steps[0].setWeight: 140 is out of range"
    assert result.exit_code == 1
    assert result.stdout.removeprefix(f"{tmp_path}/").startswith(line)
    assert result.stderr == "nothing was simulated: the manifests have problems\n"


def test_a_wrong_scenario_is_told_line_by_line(simulate: Simulate, tmp_path: Path) -> None:
    result = simulate(manifest(), scenario={"happens": [{"do": "abrt"}], "untl": "1m"})
    assert result.exit_code == 1
    assert result.stdout.replace(f"{tmp_path}/", "").splitlines() == [
        "scenario.yaml: happens[0].do = 'abrt': is no deed: did you mean 'abort'?",
        "scenario.yaml: untl: is no field of a scenario: did you mean until?",
    ]
    result = CliRunner().invoke(app, ["simulate", "-f", str(tmp_path / "web.yaml"), "-s", str(tmp_path / "none.yaml")])
    assert result.exit_code == 1
    assert "none.yaml: cannot be read: No such file or directory" in result.stderr


def referring() -> tuple[Json, Json]:
    """Return a Rollout and the Deployment that it refers to."""
    obj = manifest()
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop", "scaleDown": "onsuccess"}
    parts = {"template": obj["spec"].pop("template"), "selector": obj["spec"].pop("selector")}
    obj["spec"]["workloadRef"] = reference
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "shop"}}
    return obj, {**deployment, "spec": {"replicas": 4, **parts}}


def test_the_template_of_a_deployment_is_updated_where_the_rollout_refers_to_it(simulate: Simulate) -> None:
    web, shop = referring()
    result = simulate(web, shop, words=("-o", "json"))
    assert result.exit_code == 0, result.output
    assert said(result)[1] == "the image of Deployment shop becomes app=app:next"
    assert frames(result)[-1]["revisions"][-1]["images"] == ["app:next"]
    later = {**shop, "spec": {**shop["spec"], "template": manifest("app:5")["spec"]["template"]}}
    result = simulate(web, shop, later, words=("-o", "json"))
    assert said(result)[1] == "the changed Deployment is applied: app:5"
    happens = [{"when": "healthy", "do": {"setImage": "app:6"}}, {"when": "paused", "do": "promote full"}]
    scenario = {"happens": [*happens, {"when": "healthy", "do": "undo"}], "resumeAfter": "1s"}
    result = simulate(web, shop, scenario=scenario, words=("-o", "json"))
    last = {tuple(each["images"]): each["size"] for each in frames(result)[-1]["revisions"]}
    assert last == {("app:6",): 0, ("app:1",): 4}


def test_a_workload_that_is_not_there_is_asked_for(simulate: Simulate) -> None:
    result = simulate(referring()[0])
    assert result.exit_code == 1
    assert result.stderr == (
        'error: Deployment "shop", which the Rollout refers to, is in none of the files: add it with -f\n'
    )


def test_blue_green_has_no_weights_but_a_preview(simulate: Simulate) -> None:
    obj = manifest()
    obj["spec"]["strategy"] = {
        "blueGreen": {"activeService": "web", "previewService": "preview", "autoPromotionEnabled": False}
    }
    result = simulate(obj, words=("-o", "json"))
    assert result.exit_code == 0, result.output
    paused = next(frame for frame in frames(result) if frame["phase"] == "Paused")
    assert (paused["weight"], paused["step"]) == (None, None)
    assert [each["roles"] for each in paused["revisions"]] == [["stable", "active"], ["preview"]]
    header, *lines = simulate(obj).stdout.splitlines()
    assert header.split() == ["TIME", "STATUS", "DESIRED", "REPLICAS", "READY/AVAIL", "REASON"]
    rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
    assert [*("0:02", "‖ Paused", "4", "r1 stable,active 4, r2 preview 4", "8/8")] in [row[:5] for row in rows]
    assert ["1:02", "✔ Healthy", "4", "r1 leaving 4, r2 stable,active 4", "8/8"] in [row[:5] for row in rows]


def test_what_traffic_routers_read_takes_part(simulate: Simulate, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("rehearsal", "checks"):
        monkeypatch.setattr(f"rollouts.cli.{place}.load_kit", lambda: KIT)
    routed = {**by_router(steps=STEPS), "apiVersion": "argoproj.io/v1alpha1", "metadata": {"name": "web"}}
    metadata = {"name": "web", "namespace": "default"}
    split = {"apiVersion": f"{SPLIT.group}/v1", "kind": SPLIT.kind, "metadata": metadata, "spec": {"shares": []}}
    result = simulate(dict(routed), split)
    assert "left out" not in result.output
    assert "the router is being set to weight 25" in result.output
    assert result.exit_code == 0
