from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from rollouts.view.listing import list_row
from rollouts.view.pods import pod_row
from rollouts.view.rollout import RolloutView, rollout_view
from rollouts.view.tree import tree_rows

Json = dict[str, Any]
Given = Callable[..., Json]


@pytest.fixture
def view(paused: Json, replica_sets: list[Json], pods: list[Json], now: datetime) -> RolloutView:
    return rollout_view(paused, replica_sets, pods, now)


def test_facts_steps_and_counts(view: RolloutView) -> None:
    assert (view.name, view.namespace, view.strategy, view.status.phase) == ("web", "default", "Canary", "Paused")
    assert (view.step_index, len(view.steps), view.set_weight, view.actual_weight) == (1, 4, 25, 25)
    assert (view.desired, view.current, view.updated, view.ready, view.available) == (4, 4, 1, 4, 4)
    assert [(image.image, image.tags) for image in view.images] == [("web:2", ("canary",)), ("web:1", ("stable",))]


def test_the_tree_goes_from_the_newest_revision_to_the_pods(view: RolloutView) -> None:
    lines = [f"{row.branch}{row.name} {row.status} {','.join(row.info)}".rstrip() for row in tree_rows(view)]
    assert lines == [
        "web Paused",
        "├── revision:2",
        "│   └── web-new Healthy canary",
        "│       └── web-new-1 Running ready:1/1,restarts:2",
        "└── revision:1",
        "    └── web-old Healthy stable",
        "        ├── web-old-1 Running ready:1/1",
        "        ├── web-old-2 Running ready:1/1",
        "        └── web-old-3 Running ready:1/1",
    ]


def test_a_wide_tree_tells_nodes_and_images(view: RolloutView) -> None:
    infos = {row.name: row.info for row in tree_rows(view, wide=True)}
    assert infos["web-old"] == ("stable", "pods:3/3", "web:1")
    assert infos["web-old-2"] == ("ready:1/1", "node:node-1", "ip:10.0.0.2")


def test_others_replica_sets_and_pods_are_left_out(
    paused: Json, replica_sets: list[Json], pods: list[Json], now: datetime
) -> None:
    replica_sets[0]["metadata"]["ownerReferences"][0]["uid"] = "another"
    pods[-1]["metadata"]["ownerReferences"] = []
    view = rollout_view(paused, replica_sets, pods, now)
    assert [row.name for row in tree_rows(view) if row.kind in ("ReplicaSet", "Pod")] == [
        "web-old",
        "web-old-1",
        "web-old-2",
    ]


def test_a_pending_scale_down_is_a_tag(paused: Json, replica_sets: list[Json], now: datetime) -> None:
    annotations = replica_sets[1]["metadata"]["annotations"]
    annotations["scale-down-deadline"] = "2024-05-01T12:00:25Z"
    assert rollout_view(paused, replica_sets, [], now).revisions[1].replica_sets[0].tags == ("stable", "delay:25s")
    annotations["scale-down-deadline"] = "2024-05-01T11:00:00Z"
    assert rollout_view(paused, replica_sets, [], now).revisions[1].replica_sets[0].tags == ("stable", "delay:passed")


@pytest.mark.parametrize(
    ("spec_size", "status", "shown"),
    [
        (3, {"replicas": 3, "availableReplicas": 3}, "Healthy"),
        (3, {"replicas": 3, "availableReplicas": 1}, "Progressing"),
        (0, {}, "ScaledDown"),
        (0, {"replicas": 2}, "ScalingDown"),
        (3, {"conditions": [{"type": "ReplicaFailure", "status": "True"}]}, "Degraded"),
    ],
)
def test_a_replica_set_has_a_word(
    paused: Json, replica_sets: list[Json], now: datetime, spec_size: int, status: Json, shown: str
) -> None:
    replica_sets[0]["spec"]["replicas"], replica_sets[0]["status"] = spec_size, status
    assert rollout_view(paused, replica_sets, [], now).revisions[0].replica_sets[0].status == shown


def test_blue_green_roles(given: Given, replica_sets: list[Json], now: datetime) -> None:
    rollout = given(
        spec={"strategy": {"blueGreen": {"activeService": "a"}}},
        blueGreen={"activeSelector": "old", "previewSelector": "new"},
    )
    tags = [each.replica_sets[0].tags for each in rollout_view(rollout, replica_sets, [], now).revisions]
    assert tags == [("preview",), ("stable", "active")]


def test_a_version_that_has_come_back_shows_no_delay(given: Given, replica_sets: list[Json], now: datetime) -> None:
    rollout = given(spec={"strategy": {"blueGreen": {"activeService": "a"}}}, blueGreen={"activeSelector": "old"})
    replica_sets[1]["metadata"]["annotations"]["scale-down-deadline"] = "2024-05-01T12:00:25Z"
    assert rollout_view(rollout, replica_sets, [], now).revisions[1].replica_sets[0].tags == ("stable", "active")


def test_without_a_preview_service_the_next_version_is_still_told_apart(
    given: Given, replica_sets: list[Json], now: datetime
) -> None:
    rollout = given(spec={"strategy": {"blueGreen": {"activeService": "a"}}}, blueGreen={"activeSelector": "old"})
    tags = [each.replica_sets[0].tags for each in rollout_view(rollout, replica_sets, [], now).revisions]
    assert tags == [("preview",), ("stable", "active")]


def test_a_list_row_of_blue_green_has_neither_steps_nor_weights(given: Given, now: datetime) -> None:
    row = list_row(given(spec={"strategy": {"blueGreen": {"activeService": "a"}}}), now)
    assert (row.strategy, row.status, row.step, row.set_weight) == ("BlueGreen", "Paused", "-", "-")


def test_the_planners_reason_is_shown_where_nobody_is_waited_for(
    given: Given, replica_sets: list[Json], now: datetime
) -> None:
    moving = given(phase="Progressing", message="", pauseConditions=None, controllerPause=None)
    found = rollout_view(moving, replica_sets, [], now, because="the canary has 0 of 1 pods").waiting
    assert found is not None
    assert found.reason == "the canary has 0 of 1 pods"


@pytest.mark.parametrize(
    ("status", "word", "mood"),
    [
        ({"phase": "Pending"}, "Pending", "moving"),
        ({"phase": "Succeeded"}, "Succeeded", "idle"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted", "bad"),
        ({"containerStatuses": [{"state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}, "CrashLoopBackOff", "bad"),
        ({"containerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]}, "ErrImagePull", "bad"),
        ({"containerStatuses": [{"state": {"terminated": {"exitCode": 3}}}]}, "ExitCode:3", "bad"),
        ({"containerStatuses": [{"state": {"terminated": {"signal": 9}}}]}, "Signal:9", "bad"),
        ({"containerStatuses": [{"state": {"running": {}}}], "phase": "Running"}, "Running", "moving"),
        ({"initContainerStatuses": [{"state": {"running": {}}}]}, "Init:0/1", "moving"),
        ({"initContainerStatuses": [{"state": {"waiting": {"reason": "ErrImagePull"}}}]}, "Init:ErrImagePull", "bad"),
        ({}, "Unknown", "moving"),
    ],
)
def test_a_pod_has_kubectls_word(status: Json, word: str, mood: str) -> None:
    pod = {"metadata": {"name": "p"}, "spec": {"initContainers": [{}], "containers": [{}]}, "status": status}
    assert (pod_row(pod).status, pod_row(pod).mood) == (word, mood)


def test_a_pod_that_goes_is_terminating(pods: list[Json]) -> None:
    pods[0]["metadata"]["deletionTimestamp"] = "2024-05-01T12:00:00Z"
    assert pod_row(pods[0]).status == "Terminating"


def test_a_list_row(paused: Json, now: datetime) -> None:
    row = list_row(paused, now)
    assert (row.name, row.strategy, row.status, row.step, row.set_weight) == ("web", "Canary", "Paused", "1/4", "25")
    assert (row.ready, row.desired, row.up_to_date, row.available, row.age) == ("4/4", "4", "1", "4", "60m")


def test_a_newborn_rollout_has_a_view(now: datetime) -> None:
    newborn = {"metadata": {"name": "web"}, "spec": {"strategy": {"canary": {"steps": [{"setWeight": 5}]}}}}
    view = rollout_view(newborn, [], [], now)
    assert (view.status.phase, view.desired, view.revisions) == ("Progressing", 1, ())
    assert list_row(newborn, now).age == "<unknown>"
