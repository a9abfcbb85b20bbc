"""How many pods do stable and canary get, with a router?"""

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.plan.given import ONE, TWO, Raw, aborted, paused, updating
from tests.plan.routed import Does, does, pods, seen, told
from tests.routing import by_router, split

STEPS: list[Raw] = [{"setWeight": 20}, {"setWeight": 60}, {"pause": {}}]


@dataclass(frozen=True)
class Case:
    says: str
    weight: int
    pods: tuple[tuple[Any, ...], ...]
    does: Does
    index: int = 1
    steps: list[Raw] = field(default_factory=lambda: STEPS)
    settings: Raw = field(default_factory=dict)
    status: Raw = field(default_factory=dict)

    def __str__(self) -> str:
        return self.says


DYNAMIC: Raw = {"dynamicStableScale": True}


def scaled(**scale: Any) -> list[Raw]:
    return [{"setCanaryScale": scale}, {"setWeight": 60}]


CASES = (
    Case("the canary gets the pods for its weight, stable keeps all", 20, ((1, 10), (2, 2)), Does({"V2": 6})),
    Case("parts of a pod are whole pods", 0, ((1, 10), (2, 0)), Does({"V2": 3}), 0, [{"setWeight": 21}]),
    Case("stable is never surged, nor the canary held back", 20, ((1, 10, 9), (2, 2)), Does({"V2": 6})),
    Case("a weight that goes down keeps its pods until the router has followed", 60, ((1, 10), (2, 6)),
         Does(shares={"c": 20, "s": 80}), 0),
    Case("minPodsPerReplicaSet is a least size", 0, ((1, 10), (2, 0)), Does({"V2": 3}), 0, STEPS,
         {"minPodsPerReplicaSet": 3}),
    Case("minPodsPerReplicaSet is never more than replicas", 0, ((1, 10), (2, 0)), Does({"V2": 10}), 0, STEPS,
         {"minPodsPerReplicaSet": 30}),
    Case("minPodsPerReplicaSet leaves none none", 0, ((1, 10), (2, 3)), Does({"V2": 0}), 0, [{"setWeight": 0}],
         {"minPodsPerReplicaSet": 3}),
    Case("setCanaryScale by replicas", 0, ((1, 10), (2, 0)), Does({"V2": 7}), 0, scaled(replicas=7)),
    Case("setCanaryScale by weight", 0, ((1, 10), (2, 0)), Does({"V2": 3}), 0, scaled(weight=25)),
    Case("setCanaryScale stays in force: one pod gets 60 percent", 0, ((1, 10), (2, 1)),
         Does(shares={"c": 60, "s": 40}), 1, scaled(replicas=1)),
    Case("setCanaryScale in force is not raised by the weight", 60, ((1, 10), (2, 1)), Does(), 1, scaled(replicas=1)),
    Case("setCanaryScale to none takes the traffic away before the last pod", 60, ((1, 10), (2, 6)),
         Does(shares={"c": 0, "s": 100}), 1, [{"setWeight": 60}, {"setCanaryScale": {"replicas": 0}}]),
    Case("matchTrafficWeight ends it", 20, ((1, 10), (2, 7)), Does({"V2": 2}), 1,
         [{"setWeight": 20}, {"setCanaryScale": {"matchTrafficWeight": True}}]),
    Case("all steps done: the canary gets all pods", 60, ((1, 10), (2, 6)), Does({"V2": 10}), 3),
    Case("all steps done: setCanaryScale counts no more", 60, ((1, 10), (2, 1)), Does({"V2": 10}), 2,
         scaled(replicas=1)),
    Case("dynamicStableScale: stable gives up what has left it", 20, ((1, 10), (2, 2)), Does({"V1": 8, "V2": 6}), 1,
         STEPS, DYNAMIC),
    Case("dynamicStableScale: stable gets what it will need before the traffic comes back", 60, ((1, 4), (2, 6)),
         Does({"V1": 8}), 0, STEPS, DYNAMIC),
    Case("dynamicStableScale: the last stable pod stays until promotion has switched its Service", 100,
         ((1, 4), (2, 10, 9)), Does({"V1": 1}), 3, STEPS, DYNAMIC),
    Case("dynamicStableScale: at 100 in a step stable has none", 100, ((1, 4), (2, 10)), Does({"V1": 0}), 1,
         [{"setWeight": 100}, {"pause": {}}], DYNAMIC),
    Case("dynamicStableScale: minPodsPerReplicaSet counts for both", 80, ((1, 10), (2, 8)), Does({"V1": 3}), 0,
         [{"setWeight": 80}], {**DYNAMIC, "minPodsPerReplicaSet": 3}),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_sizes(case: Case) -> None:
    raw = by_router("app:2", replicas=10, steps=case.steps, **case.settings)
    status = updating(raw, index=case.index, canary=told(case.weight, TWO, ONE), **case.status)
    assert does(seen(status, *pods(*case.pods), weight=case.weight)) == case.does


def test_nothing_shrinks_before_the_traffic_has_been_seen_to_follow() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, verifies=True, **DYNAMIC)
    status = updating(raw, index=0, canary=told(20, TWO, ONE, verified=False))
    shares = {"c": 20, "s": 80}
    behind = seen(status, *pods((1, 10), (2, 2)), objects=split(shares, followed=False))
    assert does(behind) == Does()
    assert does(seen(status, *pods((1, 10), (2, 2)), objects=split(shares))) == Does({"V1": 8})


def test_nothing_shrinks_before_the_route_has_been_written_down() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, **DYNAMIC)
    status = updating(raw, index=0, canary=told(0, TWO, ONE))
    assert does(seen(status, *pods((1, 10), (2, 2)), weight=20)) == Does()


def test_a_route_that_somebody_changes_is_set_again_and_nothing_shrinks_meanwhile() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, **DYNAMIC)
    status = updating(raw, index=1, canary=told(20, TWO, ONE))
    found = seen(status, *pods((1, 10), (2, 2)), weight=90)
    assert does(found) == Does({"V2": 6}, shares={"c": 20, "s": 80})


def test_a_new_size_counts_at_once() -> None:
    raw = by_router("app:2", replicas=20, steps=STEPS, **DYNAMIC)
    status = paused(raw, index=2, canary={"pausedStepIndex": 2, **told(60, TWO, ONE)})
    assert does(seen(status, *pods((1, 4), (2, 6)), weight=60)) == Does({"V1": 8, "V2": 12})


def test_an_abort_scales_stable_up_first() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, **DYNAMIC)
    status = aborted(raw, index=0, canary=told(60, TWO, ONE))
    assert does(seen(status, *pods((1, 4), (2, 6)), weight=60)) == Does({"V1": 10})


def test_an_abort_gives_up_canary_pods_with_their_traffic() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, **DYNAMIC)
    status = aborted(raw, index=0, canary=told(20, TWO, ONE))
    assert does(seen(status, *pods((1, 10, 8), (2, 6)), weight=20)) == Does({"V2": 2})
