"""What do people read of a blue-green rollout, and what are they offered, in each of its phases?"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollouts.api import keys
from rollouts.api.timestamps import format_time
from tests.cli.fake_api import FakeApi

Json = dict[str, Any]
Run = Callable[..., Any]

WAITS = "the preview is ready, and autoPromotionEnabled is false: somebody has to promote"


@pytest.fixture
def blue_green(api: FakeApi, rollout: Json) -> Json:
    """The Rollout on the server: 4 pods of `old` are active, one of `new` waits in preview for a person."""
    rollout["spec"]["strategy"] = {
        "blueGreen": {
            "activeService": "web-active",
            "previewService": "web-preview",
            "previewReplicaCount": 1,
            "autoPromotionEnabled": False,
        }
    }
    for key in ("currentStepIndex", "currentStepHash"):
        del rollout["status"][key]
    rollout["status"] |= {
        "message": "BlueGreenPause",
        "pauseConditions": [{"reason": "BlueGreenPause", "startTime": "2024-05-01T11:58:00Z"}],
        "blueGreen": {"activeSelector": "old", "previewSelector": "new"},
    }
    old = api.objects["replicasets", "default", "web-old"]
    old["spec"]["replicas"] = 4
    old["status"] |= dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), 4)
    for name, pod_hash in (("web-active", "old"), ("web-preview", "new")):
        api.put("services", service(name, pod_hash))
    return rollout


def service(name: str, pod_hash: str, manager: str = "web") -> Json:
    return {
        "metadata": {"name": name, "uid": name, "annotations": {keys.MANAGED_BY: manager}},
        "spec": {"selector": {"app": "web", keys.POD_TEMPLATE_HASH: pod_hash}},
    }


def in_a_minute() -> str:
    return format_time(datetime.now(UTC) + timedelta(seconds=61))


def section(text: str, title: str) -> list[str]:
    """Return the points below a title of an explanation."""
    lines = text.partition(f"{title}:\n")[2].splitlines()
    ends = [at for at, line in enumerate(lines) if not line.startswith("  - ")]
    return [line.removeprefix("  - ") for line in lines[: ends[0]]]


def offered(text: str) -> list[str]:
    """Return the commands of ours that an explanation offers."""
    return [line.strip() for line in text.splitlines() if line.startswith("    rollouts ")]


@pytest.mark.usefixtures("blue_green")
def test_the_pause_without_an_end(run: Run) -> None:
    lines = [line.rstrip() for line in run("get", "rollout", "web").stdout.splitlines()]
    assert lines[3:8] == [
        "Message:      BlueGreenPause",
        f"Waits:        {WAITS}; `rollouts promote web` ends it",
        "Strategy:     BlueGreen",
        "Images:       web:2 (preview)",
        "              web:1 (stable, active)",
    ]
    assert [line.split()[-1] for line in lines if "ReplicaSet" in line] == ["preview", "active"]
    text = run("explain", "web").stdout
    assert section(text, "Because") == ["autoPromotionEnabled is false: promote to switch the active Service"]
    assert not any("Service" in each or "scale" in each for each in section(text, "The controller does next"))
    assert offered(text)[:3] == [
        "rollouts promote web -n default",
        "rollouts promote web --full -n default",
        "rollouts abort web -n default",
    ]


def test_the_pause_with_an_end(run: Run, blue_green: Json) -> None:
    strategy = blue_green["spec"]["strategy"]["blueGreen"]
    del strategy["autoPromotionEnabled"]
    strategy["autoPromotionSeconds"] = 3600
    blue_green["status"]["pauseConditions"][0]["startTime"] = format_time(datetime.now(UTC) - timedelta(minutes=30))
    shown = run("get", "rollout", "web").stdout
    assert "the preview waits for autoPromotionSeconds to pass, until " in shown
    assert "(29m" in shown or "(30m" in shown
    text = run("explain", "web").stdout
    assert section(text, "Because")[0].startswith("autoPromotionSeconds: the preview is promoted at ")
    assert "It looks again by itself at " in text


def test_promoted_it_grows_before_the_switch(run: Run, blue_green: Json) -> None:
    blue_green["status"] |= {"pauseConditions": None, "controllerPause": None, "phase": "Progressing", "message": ""}
    blue_green["status"]["blueGreen"]["scaleUpPreviewCheckPoint"] = True
    text = run("explain", "web").stdout
    assert section(text, "Because")[0] == (
        "the preview is promoted: the active Service is switched once all pods are available"
    )
    writes = section(text, "The controller does next")
    assert any(each.startswith("scale ReplicaSet web-new from 1 to 4") for each in writes)
    assert not any("point Service" in each for each in writes)


def test_while_the_version_before_is_kept_explain_offers_the_way_back(run: Run, api: FakeApi, blue_green: Json) -> None:
    new, old = (api.objects["replicasets", "default", name] for name in ("web-new", "web-old"))
    new["spec"]["replicas"] = 4
    new["status"] |= dict.fromkeys(("replicas", "readyReplicas", "availableReplicas"), 4)
    old["metadata"]["annotations"][keys.SCALE_DOWN_DEADLINE] = end = in_a_minute()
    api.put("services", service("web-active", "new"))
    blue_green["status"] |= {
        "phase": "Healthy",
        "message": None,
        "stableRS": "new",
        "pauseConditions": None,
        "controllerPause": None,
        "blueGreen": {"activeSelector": "new", "previewSelector": "new"},
    }
    text = run("explain", "web").stdout
    assert section(text, "Because") == [f"web-old keeps its pods until {end}"]
    assert "go back to revision 1, whose pods are still up:\n    rollouts undo web --to-revision=1 -n default" in text
    old["status"]["availableReplicas"] = 1
    assert "whose pods are still up" not in run("explain", "web").stdout
    assert re.search(r"web-old +ReplicaSet .* delay:(1m0s|1m1s|6\ds|5\ds)", run("get", "rollout", "web").stdout)


def test_aborted_before_the_switch(run: Run, api: FakeApi, blue_green: Json) -> None:
    blue_green["status"] |= {
        "phase": "Degraded",
        "message": "RolloutAborted: Rollout aborted update to revision 2",
        "abort": True,
        "abortedAt": "2024-05-01T11:59:00Z",
        "pauseConditions": None,
        "controllerPause": None,
    }
    new = api.objects["replicasets", "default", "web-new"]
    new["metadata"]["annotations"][keys.SCALE_DOWN_DEADLINE] = end = in_a_minute()
    text = run("explain", "web").stdout
    assert section(text, "Because") == [
        "the update is aborted: clients stay with stable; retry, or change the template",
        f"web-new keeps its pods until {end}",
    ]
    assert "ask for the stable version, revision 1, again:\n    rollouts undo web --to-revision=1 -n default" in text
    assert "rollouts retry rollout web -n default" in offered(text)
    assert "the stable pods serve everything; `rollouts retry rollout web` ends it" in run("get", "ro", "web").stdout
    assert run("status", "web").exit_code == 1


def test_aborted_after_the_switch_the_service_goes_back(run: Run, api: FakeApi, blue_green: Json) -> None:
    api.put("services", service("web-active", "new"))
    blue_green["status"] |= {
        "phase": "Degraded",
        "message": "RolloutAborted: Rollout aborted update to revision 2",
        "abort": True,
        "abortedAt": "2024-05-01T11:59:00Z",
        "pauseConditions": None,
        "controllerPause": None,
        "blueGreen": {"activeSelector": "new", "previewSelector": "new"},
    }
    assert "the active Service goes back to the stable pods" in run("get", "rollout", "web").stdout
    text = run("explain", "web").stdout
    assert "point Service web-active at the pods of old" in section(text, "The controller does next")
    assert "retry, or change the template" in section(text, "Because")[0]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (None, 'Service "web-preview" does not exist: create it, or correct the name'),
        (
            service("web-preview", "else", manager="shop"),
            'Service "web-preview" is managed by another Rollout, "shop"',
        ),
    ],
)
@pytest.mark.usefixtures("blue_green")
def test_a_service_that_cannot_be_used(run: Run, api: FakeApi, found: Json | None, told: str) -> None:
    del api.objects["services", "default", "web-preview"]
    if found is not None:
        api.put("services", found)
    text = run("explain", "web").stdout
    assert f"spec.strategy.blueGreen.previewService: {told}" in section(text, "Because")[0]


@pytest.mark.usefixtures("blue_green")
def test_in_a_list_it_has_neither_step_nor_weight(run: Run) -> None:
    header, row = run("list", "rollouts").stdout.splitlines()
    assert (
        dict(zip(header.split(), row.split(), strict=True)).items()
        >= {
            "NAME": "web",
            "STRATEGY": "BlueGreen",
            "STATUS": "Paused",
            "STEP": "-",
            "SET-WEIGHT": "-",
        }.items()
    )


@pytest.mark.usefixtures("blue_green")
def test_a_service_that_the_spec_names_no_longer_is_let_go_first(run: Run, api: FakeApi) -> None:
    api.put("services", service("web-former", "old"))
    text = run("explain", "web").stdout
    assert section(text, "Because") == [
        "the spec no longer names these Services, they are let go first: web-former",
    ]


def test_a_service_that_another_rollout_was_first_to_name(run: Run, api: FakeApi, blue_green: Json) -> None:
    preview = service("web-preview", "new")
    del preview["metadata"]["annotations"]
    api.put("services", preview)
    names = {"name": "shop", "uid": "shop", "creationTimestamp": "2020-01-01T00:00:00Z"}
    api.put("rollouts", {**blue_green, "metadata": {**blue_green["metadata"], **names}})
    text = run("explain", "web").stdout
    assert 'Service "web-preview" is used by another Rollout, "shop": use a Service of your own' in text
