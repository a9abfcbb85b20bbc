"""When does a pod count as available? Kubelets that aren't Kubernetes' own leave things out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rollouts.controller.observe import _is_available

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def pod(**ready: Any) -> dict[str, Any]:
    return {"metadata": {"name": "a"}, "status": {"conditions": [{"type": "Ready", "status": "True", **ready}]}}


@pytest.mark.parametrize(
    ("seen", "min_ready", "is_available"),
    [
        (pod(lastTransitionTime="2026-01-01T11:59:00Z"), MINUTE, True),
        (pod(lastTransitionTime="2026-01-01T11:59:01Z"), MINUTE, False),
        (pod(lastTransitionTime=None), MINUTE, False),
        (pod(), MINUTE, False),
        (pod(), timedelta(0), True),
        (pod(status="False"), timedelta(0), False),
        ({"metadata": {"name": "a"}}, timedelta(0), False),
        ({**pod(), "metadata": {"name": "a", "deletionTimestamp": "2026-01-01T12:00:00Z"}}, timedelta(0), False),
    ],
)
def test_a_pod_is_available_once_it_has_been_ready_for_long_enough(
    seen: dict[str, Any], min_ready: timedelta, *, is_available: bool
) -> None:
    assert _is_available(seen, min_ready, NOW) is is_available
