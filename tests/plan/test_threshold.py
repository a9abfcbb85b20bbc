"""With replicaProgressThreshold, how many available pods are enough to go on?"""

import pytest

from rollouts.api.canary import ReplicaProgressThreshold
from rollouts.plan.missing import enough
from tests.plan.decided import decided, given, planned
from tests.plan.given import Raw, replica_set, rollout, updating


def needs(kind: str, value: int) -> Raw:
    return {"replicaProgressThreshold": {"type": kind, "value": value}}


@pytest.mark.parametrize(
    ("kind", "value", "wanted", "needed"),
    [
        ("Percent", 100, 5, 5),
        ("Percent", 80, 5, 4),
        ("Percent", 81, 5, 5),
        ("Percent", 1, 5, 1),
        ("Percent", 50, 0, 0),
        ("Pods", 3, 5, 3),
        ("Pods", 9, 5, 5),
    ],
)
def test_parts_of_a_pod_are_whole_pods_and_no_more_than_all_are_needed(
    kind: str, value: int, wanted: int, needed: int
) -> None:
    assert enough(ReplicaProgressThreshold(type=kind, value=value), wanted) == needed
    assert enough(None, wanted) == wanted


@pytest.mark.parametrize("threshold", [needs("Percent", 50), needs("Pods", 1)])
def test_a_step_goes_on_with_enough_pods(threshold: Raw) -> None:
    here = given(
        updating(rollout("app:2", steps=[{"setWeight": 40}, {"setWeight": 80}], canary=threshold)),
        replica_set("app:1", 3),
        replica_set("app:2", 2, 1, revision=2),
    )
    plan = decided(here)
    assert plan.status["currentStepIndex"] == 1
    assert plan.because[0] == "step 1 of 2 (setWeight: 40) is complete"


def test_a_step_waits_for_enough_pods_and_says_how_many_are_enough() -> None:
    here = given(
        updating(rollout("app:2", steps=[{"setWeight": 60}], canary=needs("Pods", 2))),
        replica_set("app:1", 2),
        replica_set("app:2", 3, 1, revision=2),
    )
    assert decided(here).because == (
        "step 1 of 1 (setWeight: 60): the canary has 1 of 3 pods available: 2 are enough (replicaProgressThreshold)",
    )


@pytest.mark.parametrize(("available", "stable_hash"), [(4, "76d57f768c"), (3, "78766d5789")])
def test_promotion_needs_enough_pods_too(available: int, stable_hash: str) -> None:
    here = given(
        updating(rollout("app:2", canary=needs("Percent", 80)), index=5, updated=5),
        replica_set("app:1", 0),
        replica_set("app:2", 5, available, revision=2),
    )
    status = planned(here).status
    assert status is not None
    assert status["stableRS"] == stable_hash
