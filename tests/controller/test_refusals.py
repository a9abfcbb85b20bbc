from typing import Any

from rollouts.controller.key import Key
from rollouts.controller.outcome import Refused
from rollouts.controller.refusals import FIRST_RETRY, LONGEST_RETRY, Refusals
from rollouts.plan import Refusal
from rollouts.plan.actions import CreateReplicaSet, PatchPod

KEY = Key("default", "web")
CREATE = CreateReplicaSet("web-a", "a", "digest", 1, 2, {"spec": {"replicas": 2}})
QUOTA = Refused(CREATE, Refusal("create", "ReplicaSet", "web-a", "Forbidden", "exceeded quota", "digest"))
TAKEN = Refused(CREATE, Refusal("create", "ReplicaSet", "web-a", "AlreadyExists", "taken", "digest"))


def raw(generation: int = 1, **status: Any) -> dict[str, Any]:
    return {"metadata": {"generation": generation}, "status": status}


def test_a_refusal_holds_while_nothing_changes() -> None:
    refusals = Refusals()
    refusals.remember(KEY, QUOTA, raw(), "", 100)
    assert refusals.current(KEY, raw(phase="Paused"), {}, 100 + FIRST_RETRY - 1) == (QUOTA.refusal,)
    assert refusals.covers(KEY, CREATE)
    assert refusals.subjects(KEY) == [("ReplicaSet", "web-a")]
    assert refusals.next_retry(KEY) == 100 + FIRST_RETRY


def test_it_ends_when_it_is_time_to_try_again() -> None:
    refusals = Refusals()
    refusals.remember(KEY, QUOTA, raw(), "", 100)
    assert refusals.current(KEY, raw(), {}, 100 + FIRST_RETRY) == ()
    assert not refusals.covers(KEY, CREATE)
    assert refusals.next_retry(KEY) is None


def test_it_ends_with_the_generation_that_it_was_for() -> None:
    refusals = Refusals()
    refusals.remember(KEY, QUOTA, raw(), "", 0)
    assert refusals.current(KEY, raw(generation=2), {}, 1) == ()


def test_it_ends_when_its_object_changes() -> None:
    refusals = Refusals()
    refusals.remember(KEY, QUOTA, raw(), "", 0)
    assert refusals.current(KEY, raw(), {"web-a": "u-1 1"}, 1) == ()


def test_a_taken_name_ends_with_the_collision_count_that_led_to_it() -> None:
    refusals = Refusals()
    refusals.remember(KEY, TAKEN, raw(), "", 0)
    assert refusals.current(KEY, raw(), {}, 1) == (TAKEN.refusal,)
    assert refusals.current(KEY, raw(collisionCount=1), {}, 1) == ()


def test_the_wait_doubles_up_to_its_limit_and_starts_again_for_another_generation() -> None:
    refusals = Refusals()
    delays = []
    for _ in range(8):
        refusals.remember(KEY, QUOTA, raw(), "", 0)
        delays.append(refusals.next_retry(KEY))
        refusals.current(KEY, raw(), {}, 1e9)
    assert delays == [10, 20, 40, 80, 160, LONGEST_RETRY, LONGEST_RETRY, LONGEST_RETRY]
    refusals.remember(KEY, QUOTA, raw(generation=2), "", 0)
    assert refusals.next_retry(KEY) == FIRST_RETRY


def test_success_shortens_the_next_wait_and_forgetting_leaves_nothing() -> None:
    refusals = Refusals()
    refusals.remember(KEY, QUOTA, raw(), "", 0)
    refusals.remember(KEY, QUOTA, raw(), "", 0)
    refusals.current(KEY, raw(), {}, 1e9)
    refusals.succeeded(KEY)
    refusals.remember(KEY, QUOTA, raw(), "", 0)
    assert refusals.next_retry(KEY) == FIRST_RETRY
    refusals.forget(KEY)
    assert (refusals._remembered, refusals._attempts) == ({}, {})


def test_each_object_has_a_wait_of_its_own() -> None:
    """Many pods that are refused in one pass have all been refused once."""
    refusals = Refusals()
    for number in range(9):
        action = PatchPod(f"p-{number}", "u", {"a": "b"})
        refused = Refused(action, Refusal("patch", "Pod", action.name, "Forbidden", "a webhook says no"))
        refusals.remember(KEY, refused, raw(), "", 100)
    assert refusals.next_retry(KEY) == 100 + FIRST_RETRY
    assert len(refusals.current(KEY, raw(), {}, 100 + FIRST_RETRY - 1)) == 9
    assert refusals.current(KEY, raw(), {}, 100 + FIRST_RETRY) == ()
