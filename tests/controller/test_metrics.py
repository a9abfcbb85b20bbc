from typing import Any

import pytest

from rollouts.controller.key import Key
from rollouts.controller.metrics import Metrics, phase_of
from tests.controller.world import Object, rollout

WEB = Key("default", "web")
NAMES = {"namespace": "default", "name": "web"}


def shown(raw: Object) -> Metrics:
    metrics = Metrics()
    metrics.show(lambda: [raw])
    return metrics


def test_what_the_cache_holds_is_what_is_shown() -> None:
    raw = {**rollout(replicas=5), "status": {"replicas": 4, "availableReplicas": 3, "updatedReplicas": 2}}
    value = shown(raw).registry.get_sample_value
    labels = {**NAMES, "strategy": "canary", "phase": "Progressing"}
    assert value("rollout_info", {**labels, "traffic_router": ""}) == 1
    assert value("rollout_phase", labels) == 1
    counts = ("desired", "available", "unavailable", "updated")
    assert [value(f"rollout_info_replicas_{name}", NAMES) for name in counts] == [5, 3, 1, 2]


@pytest.mark.parametrize("rubbish", [None, "rubbish", {"replicas": "many", "conditions": ["what"]}])
def test_rubbish_hurts_nobody(rubbish: Any) -> None:
    raw = {**rollout(), "spec": {"strategy": rubbish, "replicas": "x"}, "status": rubbish}
    value = shown(raw).registry.get_sample_value
    assert value("rollout_info_replicas_desired", NAMES) == 0


def test_routers_are_named() -> None:
    raw = rollout(trafficRouting={"nginx": {}, "istio": {}, "managedRoutes": []})
    labels = {**NAMES, "strategy": "canary", "phase": "Progressing", "traffic_router": "istio,nginx"}
    assert shown(raw).registry.get_sample_value("rollout_info", labels) == 1


@pytest.mark.parametrize(
    ("conditions", "phase"),
    [
        ([], "Progressing"),
        ([("Progressing", "NewReplicaSetAvailable")], "Completed"),
        ([("Progressing", "RolloutPaused")], "Paused"),
        ([("Progressing", "ProgressDeadlineExceeded")], "Timeout"),
        ([("Progressing", "RolloutAborted")], "Abort"),
        ([("Progressing", "ReplicaSetCreateError")], "Error"),
        ([("Progressing", "ReplicaSetUpdated")], "Progressing"),
        ([("Progressing", "NewReplicaSetAvailable"), ("InvalidSpec", "InvalidSpec")], "InvalidSpec"),
    ],
)
def test_the_phase_follows_the_conditions(conditions: list[tuple[str, str]], phase: str) -> None:
    raw = {"status": {"conditions": [{"type": kind, "reason": reason} for kind, reason in conditions]}}
    assert phase_of(raw) == phase


def test_writes_are_counted_when_they_went_through_and_requests_always() -> None:
    metrics = Metrics()
    metrics.request("patch", "Rollout", "status", 200, 0.1)
    metrics.request("patch", "Rollout", "status", 409, 0.1)
    metrics.request("get", "Rollout", "", 200, 0.1)
    value = metrics.registry.get_sample_value
    assert value("rollouts_writes_total", {"kind": "Rollout/status", "verb": "patch"}) == 1
    assert value("rollouts_writes_total", {"kind": "Rollout", "verb": "get"}) is None
    labels = {"kind": "Rollout/status", "verb": "patch", "status_code": "409"}
    assert value("controller_clientset_k8s_request_total", labels) == 1


def test_the_series_of_a_rollout_vanish_with_it() -> None:
    metrics = Metrics()
    with metrics.timed(WEB):
        metrics.event(WEB, "Normal", "RolloutPaused")
    metrics.failed(WEB)
    event = {**NAMES, "type": "Normal", "reason": "RolloutPaused"}
    value = metrics.registry.get_sample_value
    names = [("rollout_reconcile_count", NAMES), ("rollout_reconcile_error_total", NAMES)]
    names.append(("rollout_events_total", event))
    assert [value(*each) for each in names] == [1, 1, 1]
    metrics.forget(WEB)
    assert [value(*each) for each in names] == [None, None, None]
    metrics.forget(WEB)
    assert value("rollouts_passes_total") == 1


def test_the_queue_is_measured() -> None:
    metrics = Metrics()
    metrics.queue.depth_is(lambda: 7)
    metrics.queue.added()
    metrics.queue.taken(0.5)
    metrics.queue.finished(0.25)
    metrics.queue.retried()
    name = {"name": "rollouts"}
    value = metrics.registry.get_sample_value
    assert value("workqueue_depth", name) == 7
    assert value("workqueue_adds_total", name) == 1
    assert value("workqueue_retries_total", name) == 1
    assert value("workqueue_queue_duration_seconds_sum", name) == 0.5
    assert value("workqueue_work_duration_seconds_sum", name) == 0.25
