"""When does a pod count as available? Kubelets that aren't Kubernetes' own leave things out."""

from typing import Any

import pytest

from rollouts.plan.pods import observe_pod
from tests.plan.decided import given
from tests.plan.given import after, rollout, stable, stamp

MINUTE = 60


def pod(**ready: Any) -> dict[str, Any]:
    metadata = {"name": "a", "uid": "u-a", "creationTimestamp": stamp(0)}
    return {"metadata": metadata, "status": {"conditions": [{"type": "Ready", "status": "True", **ready}]}}


def deleted(raw: dict[str, Any]) -> dict[str, Any]:
    return {**raw, "metadata": {**raw["metadata"], "deletionTimestamp": stamp(60)}}


@pytest.mark.parametrize(
    ("seen", "min_ready", "is_available"),
    [
        (pod(lastTransitionTime=stamp(0)), MINUTE, True),
        (pod(lastTransitionTime=stamp(1)), MINUTE, False),
        (pod(lastTransitionTime=None), MINUTE, False),
        (pod(), MINUTE, False),
        (pod(), 0, True),
        (pod(status="False"), 0, False),
        ({"metadata": pod()["metadata"]}, 0, False),
        (deleted(pod()), 0, False),
    ],
)
def test_a_pod_is_available_once_it_has_been_ready_for_long_enough(
    seen: dict[str, Any], min_ready: int, *, is_available: bool
) -> None:
    here = given(stable(rollout(minReadySeconds=min_ready)))
    assert observe_pod(seen, here, after(60)).is_available is is_available
