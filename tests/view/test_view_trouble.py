"""Are pods in trouble told, with what a person would look up next?"""

from datetime import UTC, datetime
from typing import Any

from rollouts.view.trouble import troubles

Json = dict[str, Any]
NOW = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
ROLLOUT: Json = {"metadata": {"name": "web", "uid": "uid-web"}}


def owned(kind: str, name: str, owner: str, **rest: Any) -> Json:
    reference = {"kind": kind, "uid": owner, "controller": True}
    stamp = "2026-01-01T00:00:00Z"
    return {
        "metadata": {"name": name, "uid": f"uid-{name}", "creationTimestamp": stamp, "ownerReferences": [reference]},
        **rest,
    }


def replica_set(name: str = "web-1") -> Json:
    return owned("Rollout", name, "uid-web")


def pod(name: str, *, phase: str = "Running", conditions: Any = (), **container: Any) -> Json:
    statuses = [{"name": "app", **container}] if container else []
    status = {"phase": phase, "conditions": list(conditions), "containerStatuses": statuses}
    return owned("ReplicaSet", name, "uid-web-1", spec={"containers": [{"name": "app"}]}, status=status)


def crashing(name: str) -> Json:
    return pod(
        name,
        restartCount=4,
        state={"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 1m20s restarting failed container"}},
        lastState={"terminated": {"exitCode": 137, "reason": "OOMKilled"}},
    )


def test_pods_with_the_same_trouble_share_a_line() -> None:
    assert troubles(ROLLOUT, [replica_set()], [crashing("a"), crashing("b")], NOW) == (
        (
            "2 pods of web-1, a for one: CrashLoopBackOff, last ended with exit code 137 (OOMKilled), 4 restarts, "
            "back-off 1m20s restarting failed container"
        ),
    )


def test_an_image_that_cannot_be_pulled() -> None:
    stuck = pod(
        "a", phase="Pending", state={"waiting": {"reason": "ImagePullBackOff", "message": "no such image\nmore"}}
    )
    assert troubles(ROLLOUT, [replica_set()], [stuck], NOW) == ("pod a: ImagePullBackOff, no such image",)


def test_a_pod_that_no_node_takes() -> None:
    refused = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes: no memory"}
    assert troubles(ROLLOUT, [replica_set()], [pod("a", phase="Pending", conditions=[refused])], NOW) == (
        "pod a: Unschedulable: 0/3 nodes: no memory",
    )


def test_ready_pods_and_those_that_have_just_begun_are_no_trouble() -> None:
    ready = pod("a", conditions=[{"type": "Ready", "status": "True"}], ready=True, state={"running": {}})
    young = pod("b", state={"running": {}})
    young["metadata"]["creationTimestamp"] = "2026-01-01T00:09:50Z"
    assert troubles(ROLLOUT, [replica_set()], [ready, young], NOW) == ()


def test_a_pod_that_runs_and_does_not_get_ready() -> None:
    (line,) = troubles(ROLLOUT, [replica_set()], [pod("a", state={"running": {}})], NOW)
    assert line.startswith("pod a: Running, but not ready")


def test_many_troubles_are_cut() -> None:
    pods = [pod(f"p{code}", state={"terminated": {"exitCode": code, "reason": "Error"}}) for code in range(1, 9)]
    lines = troubles(ROLLOUT, [replica_set()], pods, NOW)
    assert len(lines) == 6
    assert lines[-1] == "and 3 more: kubectl get pods shows them"


def test_pods_of_others_are_none_of_ours() -> None:
    stranger = owned("ReplicaSet", "x", "uid-other", spec={}, status={"phase": "Failed"})
    assert troubles(ROLLOUT, [replica_set()], [stranger], NOW) == ()
