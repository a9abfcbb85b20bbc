"""When are managed routes in force, and what waits for them?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from rollouts.plan import Plan, plan_rollout
from rollouts.plan.actions import PatchObject, SwitchService, UpdateReplicaSet
from tests.plan.given import ONE, TWO, Raw, aborted, after, stable, updating
from tests.plan.routed import pods, seen, told
from tests.routing import KIT, SPLIT, by_router, split

VALUE = {"headerName": "X-QA", "headerValue": {"exact": "1"}}
QA = {"name": "qa", "match": [VALUE]}
BETA = {"name": "beta", "match": [{**VALUE, "headerName": "X-Beta"}]}
COPY = {"name": "copy", "match": [{"method": {"exact": "GET"}}], "percentage": 30}
LISTED = {"managedRoutes": [{"name": name} for name in ("beta", "copy", "qa")]}
SCALE: Raw = {"setCanaryScale": {"replicas": 2}}
HEADER: Raw = {"setHeaderRoute": QA}
STEPS: Sequence[Raw] = (SCALE, HEADER, {"pause": {}})


def in_force(*headers: Raw, mirrors: Sequence[Raw] = (), weight: int = 0, followed: bool = True) -> Any:
    """Return the split with managed routes; they lead to the canary's Service."""
    lists = {"headers": headers, "mirrors": mirrors}
    managed = {key: [{"to": "c", **each} for each in every] for key, every in lists.items() if every}
    return split({"c": weight, "s": 100 - weight}, followed=followed, **managed)


@dataclass(frozen=True)
class Row:
    """A canary of 10 pods at a step; `names` are the managed routes in the router's write, None if there is none."""

    says: str
    index: int
    canary: tuple[int, int]
    objects: Any = field(default_factory=in_force)
    names: Sequence[str] | None = None
    on: int | None = None
    because: str = ""
    steps: Sequence[Mapping[str, Any]] = STEPS
    settings: Mapping[str, Any] = field(default_factory=dict)
    c: str = TWO

    def __str__(self) -> str:
        return self.says


MANY = ({"setHeaderRoute": QA}, {"setMirrorRoute": COPY}, {"setHeaderRoute": BETA})
GONE = "without header route qa for now: the canary has 0 of 2 pods available"
ROWS = (
    Row("the canary has its pods: the route is set, and the step waits", 1, (2, 2), names=["qa"],
        because="step 2 of 3 (setHeaderRoute: qa): the router is being set to weight 0, header route qa"),
    Row("it is in force: on at once", 1, (2, 2), in_force(QA), on=2,
        because="step 2 of 3 (setHeaderRoute: qa) is complete"),
    Row("one pod can take the requests, though the canary lacks another", 1, (2, 1), names=["qa"]),
    Row("the canary has lost its pods: the route goes", 2, (2, 0), in_force(QA), names=[], because=GONE),
    Row("without pods it isn't set, and the step says why", 1, (2, 0),
        because=f"step 2 of 3 (setHeaderRoute: qa): {GONE}"),
    Row("the pods have come back: so does the route", 2, (2, 2), names=["qa"]),
    Row("the pods have come back, and the route is there: nothing to do", 2, (2, 2), in_force(QA)),
    Row("set before any pods are asked for, it holds nothing up", 0, (0, 0), on=1, steps=[HEADER, {"setWeight": 20}],
        because="without header route qa for now: the canary is to have no pods: setWeight or setCanaryScale gives it"
        " some"),
    Row("it comes as soon as there are pods, before the weight", 1, (2, 1), names=["qa"],
        steps=[HEADER, {"setWeight": 20}]),
    Row("weight and routes are one write", 1, (2, 2), names=["qa"], steps=[HEADER, {"setWeight": 20}]),
    Row("the canary's Service selects the stable pods still: not yet", 1, (2, 2), c=ONE,
        because="step 2 of 3 (setHeaderRoute: qa): without header route qa for now: Service c doesn't select the"
        " canary's pods yet"),
    Row("a later step adds another route", 2, (2, 2), in_force(QA), names=["beta", "qa"],
        steps=[SCALE, HEADER, {"setHeaderRoute": BETA}]),
    Row("another match takes the place of the first", 2, (2, 2), in_force(QA), names=["qa"],
        steps=[SCALE, HEADER, {"setHeaderRoute": {**QA, "match": BETA["match"]}}]),
    Row("a mirror takes the place of a header route", 2, (2, 2), in_force(QA), names=["qa"],
        steps=[SCALE, HEADER, {"setMirrorRoute": {**COPY, "name": "qa"}}]),
    Row("without a match the route is removed, and the step waits for it", 2, (2, 2), in_force(QA), names=[],
        steps=[SCALE, HEADER, {"setHeaderRoute": {"name": "qa"}}],
        because="step 3 of 3 (setHeaderRoute: qa, removed): the router is being set to weight 0, no managed routes"),
    Row("it is removed: on", 2, (2, 2), on=3, steps=[SCALE, HEADER, {"setHeaderRoute": {"name": "qa"}}]),
    Row("all are in the order of managedRoutes", 3, (2, 2), names=["beta", "qa", "copy"], steps=[SCALE, *MANY]),
    Row("the next step takes the pods away: the route goes before them", 2, (2, 2), in_force(QA), names=[],
        steps=[SCALE, HEADER, {"setCanaryScale": {"replicas": 0}}]),
    Row("written, but not followed yet: the step waits for that", 1, (2, 2), in_force(QA, followed=False),
        settings={"verifies": True},
        because="step 2 of 3 (setHeaderRoute: qa): the route isn't verified yet: the data plane has not followed yet"),
    Row("all steps are done, the canary grows: its requests stay with it", 3, (10, 2), in_force(QA)),
)  # fmt: skip


def planned(here: Any) -> Plan:
    plan = plan_rollout(here, after(100), KIT)
    assert plan.problem is None, plan.problem
    return plan


def names_in(plan: Plan) -> list[str] | None:
    """Return the managed routes of the write to the split."""
    body = next((each.body["spec"] for each in plan.actions if isinstance(each, PatchObject)), None)
    every = None if body is None else [*(body.get("headers") or ()), *(body.get("mirrors") or ())]
    return None if every is None else [each["name"] for each in every]


def sizes_in(plan: Plan) -> dict[str, int]:
    updates = (each for each in plan.actions if isinstance(each, UpdateReplicaSet))
    return {each.name: each.size for each in updates if each.size is not None}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_managed_routes_are_where_the_canary_has_pods(row: Row) -> None:
    raw = by_router("app:2", replicas=10, steps=row.steps, trafficRouting=LISTED, **row.settings)
    status = updating(raw, index=row.index, updated=row.canary[0], total=10, canary=told(0, row.c, ONE))
    plan = planned(seen(status, *pods((1, 10), (2, *row.canary)), objects=row.objects, c=row.c))
    assert names_in(plan) == (None if row.names is None else list(row.names)), plan.because
    assert (plan.status or {}).get("currentStepIndex", row.index) == (row.index if row.on is None else row.on)
    assert not row.because or row.because in plan.because, plan.because


def test_routers_are_asked_for_the_header_of_a_cookie() -> None:
    cookie = {"name": "qa", "match": [{"cookieName": "insider", "cookieValue": {"exact": "yes"}}]}
    raw = by_router("app:2", replicas=10, steps=[SCALE, {"setHeaderRoute": cookie}], trafficRouting=LISTED)
    status = updating(raw, index=1, updated=2, total=12, canary=told(0, TWO, ONE))
    (patch,) = planned(seen(status, *pods((1, 10), (2, 2)), objects=in_force())).actions
    assert isinstance(patch, PatchObject)
    asked = {"headerName": "Cookie", "headerValue": {"regex": "^(?:.*; ?)?insider=(?:yes)(?:;.*)?$"}}
    assert [each["match"] for each in patch.body["spec"]["headers"]] == [[asked]]
    followed = seen(status, *pods((1, 10), (2, 2)), objects=in_force({"name": "qa", "match": [asked]}))
    assert not planned(followed).actions, "it is written once"


def test_the_pods_stay_until_the_route_is_gone() -> None:
    raw = by_router(
        "app:2",
        replicas=10,
        steps=[SCALE, HEADER, {"setCanaryScale": {"replicas": 0}}],
        trafficRouting=LISTED,
    )
    status = updating(raw, index=2, updated=2, total=12, canary=told(0, TWO, ONE))
    here = seen(status, *pods((1, 10), (2, 2)), objects=in_force(QA))
    assert sizes_in(planned(here)) == {}
    assert sizes_in(planned(seen(status, *pods((1, 10), (2, 2)), objects=in_force()))) == {f"web-{TWO}": 0}


def test_an_abort_removes_them_at_once_and_keeps_the_pods_until_then() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, trafficRouting=LISTED)
    status = aborted(raw, index=0, canary=told(0, TWO, ONE))
    plan = planned(seen(status, *pods((1, 10), (2, 2)), objects=in_force(QA, mirrors=[COPY])))
    assert names_in(plan) == []
    assert sizes_in(plan) == {}
    assert not any(isinstance(each, SwitchService) for each in plan.actions), "the route leads there still"


def test_a_step_that_takes_one_away_holds_nothing_up_where_there_are_no_pods_at_all() -> None:
    raw = by_router("app:2", replicas=0, steps=({"setHeaderRoute": {"name": "qa"}},), trafficRouting=LISTED)
    status = updating(raw, index=0, updated=0, total=0)
    plan = planned(seen(status, *pods((1, 0), (2, 0), desired=0), objects={SPLIT: None}, s=""))
    assert plan.status is not None
    assert plan.status["currentStepIndex"] == 1, plan.because


def test_the_end_removes_them_together_with_the_weight() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, trafficRouting=LISTED)
    status = stable(raw, currentPodHash=TWO, stableRS=TWO, replicas=10, canary=told(100, TWO, ONE), currentStepIndex=3)
    here = seen(status, *pods((1, 10), (2, 10)), objects=in_force(QA, weight=100), s=TWO)
    assert names_in(planned(here)) == []


def test_a_full_promotion_removes_them() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, trafficRouting=LISTED)
    status = updating(raw, index=2, updated=2, total=12, promoteFull=True, canary=told(0, TWO, ONE))
    assert names_in(planned(seen(status, *pods((1, 10), (2, 2)), objects=in_force(QA)))) == []


def test_a_crash_after_the_write_is_no_reason_to_write_again() -> None:
    raw = by_router("app:2", replicas=10, steps=({"setHeaderRoute": QA}, {"setWeight": 20}), trafficRouting=LISTED)
    status = updating(raw, index=1, updated=2, total=12, canary=told(0, TWO, ONE))
    plan = planned(seen(status, *pods((1, 10), (2, 2)), objects=in_force(QA, weight=20)))
    assert names_in(plan) is None
    assert plan.status is not None
    assert plan.status["canary"]["weights"]["canary"]["weight"] == 20
