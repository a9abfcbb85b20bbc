"""How long do pods stay that the router sends no traffic to any more?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.plan.decided import conditions_in, planned
from tests.plan.given import ONE, THREE, TWO, Raw, aborted, stamp, updating
from tests.plan.routed import Does, does, pods, seen, told
from tests.routing import KIT, by_router

STEPS: list[Raw] = [{"setWeight": 20}, {"pause": {}}]
UNTIL_120 = {"scale-down-deadline": stamp(120)}
UNTIL_90 = {"scale-down-deadline": stamp(90)}
RUBBISH = {"scale-down-deadline": "tomorrow"}
BACK = told(0, TWO, TWO)


@dataclass(frozen=True)
class Case:
    """What becomes of app:1, and of older ones, once app:2 is promoted and has the traffic; it is 100 s after start."""

    says: str
    settings: Raw
    pods: tuple[tuple[Any, ...], ...]
    annotations: Raw
    does: Does
    s: str = TWO
    c: str = TWO
    canary: Raw = field(default_factory=lambda: BACK)
    weight: int = 0

    def __str__(self) -> str:
        return self.says


OLD_AND_NEW = ((1, 10), (2, 10))

CASES = (
    Case("30 seconds by default", {}, OLD_AND_NEW, {}, Does(deadlines={"V1": 130})),
    Case("scaleDownDelaySeconds", {"scaleDownDelaySeconds": 5}, OLD_AND_NEW, {}, Does(deadlines={"V1": 105})),
    Case("scaleDownDelaySeconds 0 is at once", {"scaleDownDelaySeconds": 0}, OLD_AND_NEW, {}, Does({"V1": 0})),
    Case("a delay is given once", {}, OLD_AND_NEW, {"V1": UNTIL_120}, Does()),
    Case("a delay that is over", {}, OLD_AND_NEW, {"V1": UNTIL_90}, Does({"V1": 0}, {"V1": None})),
    Case("a deadline that can't be read is over", {}, OLD_AND_NEW, {"V1": RUBBISH}, Does({"V1": 0}, {"V1": None})),
    Case("dynamicStableScale has no delay", {"dynamicStableScale": True}, OLD_AND_NEW, {}, Does({"V1": 0})),
    Case("empty ones get none", {}, ((1, 0), (2, 10)), {}, Does()),
    Case("the limit counts the newest first", {"scaleDownDelayRevisionLimit": 1}, ((1, 4), (3, 6), (2, 10)), {},
         Does({"V1": 0}, {"V3": 130})),
    Case("a limit of none", {"scaleDownDelayRevisionLimit": 0}, OLD_AND_NEW, {}, Does({"V1": 0})),
    Case("not while the stable Service selects them", {}, OLD_AND_NEW, {}, Does(services={"s": "V2"}), ONE, TWO,
         told(100, TWO, ONE), 100),
    Case("not while the traffic is on its way back", {}, OLD_AND_NEW, {}, Does(shares={"c": 0, "s": 100}), TWO, TWO,
         told(100, TWO, TWO), 100),
    Case("not before it is written down that the traffic is back", {}, OLD_AND_NEW, {}, Does(), TWO, TWO,
         told(100, TWO, TWO), 0),
    Case("a deadline stays while the traffic moves", {}, OLD_AND_NEW, {"V1": UNTIL_120}, Does(), TWO, TWO,
         told(100, TWO, TWO), 0),
    Case("the stable ReplicaSet carries no deadline", {}, ((1, 0), (2, 10)), {"V2": UNTIL_120},
         Does(deadlines={"V2": None})),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=str)
def test_after_promotion(case: Case) -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, **case.settings)
    status = updating(raw, stableRS=TWO, index=2, canary=case.canary)
    found = seen(status, *pods(*case.pods, **case.annotations), weight=case.weight, s=case.s, c=case.c)
    assert does(found) == case.does


OVERTAKEN: Sequence[tuple[Any, ...]] = (
    ("it goes at once", 0, {}, THREE, 0, told(0, THREE, ONE), Does({"V2": 0})),
    ("unless it has a delay already", 0, {"V2": UNTIL_120}, THREE, 0, told(0, THREE, ONE), Does()),
    ("not while its Service is its", 1, {}, TWO, 0, told(0, TWO, ONE), Does({"V3": 0}, services={"c": "V3"})),
    ("nor while it gets traffic", 0, {}, TWO, 40, told(40, TWO, ONE), Does(shares={"c": 0, "s": 100})),
)


@pytest.mark.parametrize(("third", "annotations", "c", "weight", "canary", "expected"), [row[1:] for row in OVERTAKEN],
                         ids=[row[0] for row in OVERTAKEN])  # fmt: skip
def test_an_update_that_was_overtaken(
    third: int, annotations: Raw, c: str, weight: int, canary: Raw, expected: Does
) -> None:
    raw = by_router("app:3", replicas=10, steps=[{"pause": {}}, {"setWeight": 20}])
    status = updating(raw, currentPodHash=THREE, index=0, canary=canary)
    found = seen(status, *pods((1, 10), (2, 4), (3, third), **annotations), weight=weight, c=c)
    assert does(found) == expected


ABORTED: Sequence[tuple[Any, ...]] = (
    ("30 seconds by default", {}, ((1, 10), (2, 4)), {}, Does(deadlines={"V2": 130})),
    (
        "abortScaleDownDelaySeconds",
        {"abortScaleDownDelaySeconds": 5},
        ((1, 10), (2, 4)),
        {},
        Does(deadlines={"V2": 105}),
    ),
    ("0 leaves it up", {"abortScaleDownDelaySeconds": 0}, ((1, 10), (2, 4)), {}, Does()),
    ("it stays until stable is complete", {}, ((1, 10, 9), (2, 4)), {}, Does()),
    ("a delay is given once, whatever happens to stable", {}, ((1, 10, 9), (2, 4)), {"V2": UNTIL_120}, Does()),
    ("a delay that is over", {}, ((1, 10), (2, 4)), {"V2": UNTIL_90}, Does({"V2": 0}, {"V2": None})),
    ("dynamicStableScale: at once", {"dynamicStableScale": True}, ((1, 10), (2, 4)), {}, Does({"V2": 0})),
    (
        "dynamicStableScale with a delay of its own",
        {"dynamicStableScale": True, "abortScaleDownDelaySeconds": 5},
        ((1, 10), (2, 4)),
        {},
        Does(deadlines={"V2": 105}),
    ),
)


@pytest.mark.parametrize(("settings", "counts", "annotations", "expected"), [row[1:] for row in ABORTED],
                         ids=[row[0] for row in ABORTED])  # fmt: skip
def test_after_an_abort(settings: Raw, counts: tuple[tuple[Any, ...], ...], annotations: Raw, expected: Does) -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, **settings)
    status = aborted(raw, index=0, canary=told(0, ONE, ONE))
    assert does(seen(status, *pods(*counts, **annotations), c=ONE)) == expected


def test_an_aborted_canary_that_stays_keeps_the_scale_of_its_first_step() -> None:
    raw = by_router("app:2", replicas=10, steps=[{"setCanaryScale": {"replicas": 7}}], abortScaleDownDelaySeconds=0)
    status = aborted(raw, index=0, canary=told(0, ONE, ONE))
    assert does(seen(status, *pods((1, 10), (2, 4)), c=ONE)) == Does({"V2": 7})


def test_a_retry_takes_the_deadline_back() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS)
    status = updating(raw, index=0, canary=told(0, ONE, ONE))
    found = seen(status, *pods((1, 10), (2, 2), V2=UNTIL_120), c=ONE)
    assert does(found) == Does(deadlines={"V2": None}, services={"c": "V2"})


def test_a_paused_rollout_keeps_deadlines_but_lets_nothing_go() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, paused=True)
    status = updating(raw, stableRS=TWO, index=2, canary=BACK)
    found = seen(status, *pods(*OLD_AND_NEW, V1=UNTIL_90), s=TWO, c=TWO)
    assert does(found) == Does()


def test_the_deadline_clock_of_the_update_stands_while_pods_wait_for_theirs() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, progressDeadlineSeconds=5, scaleDownDelaySeconds=300)
    status = updating(raw, stableRS=TWO, index=2, canary=BACK)
    found = seen(status, *pods(*OLD_AND_NEW, V1={"scale-down-deadline": stamp(390)}), s=TWO, c=TWO)
    assert does(found, now=200) == Does()
    after = planned(found, 200, KIT).status
    assert after is None or conditions_in(after)["Progressing"] != "False ProgressDeadlineExceeded"
