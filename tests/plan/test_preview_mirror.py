"""When does the preview of a blue-green rollout get copies of requests, and what waits for them?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from rollouts.plan import Plan, plan_rollout
from rollouts.plan.actions import PatchObject, SwitchService
from rollouts.plan.validate import problems
from rollouts.ports import Ability, Kit
from tests.plan.decided import given
from tests.plan.given import (
    ONE,
    TWO,
    Raw,
    after,
    blue_green,
    given_up,
    pointing,
    previewing,
    replica_set,
    switched,
    waiting,
)
from tests.plan.test_routed_invalid import Connections
from tests.routing import KEY, KIT, RecordingRouter, split

ROUTED: Raw = {"trafficRouting": {"plugins": {KEY: {}}, "mirror": {"percentage": 30}}}
COPY: Raw = {"to": "preview", "name": "preview-mirror", "match": [{}], "percentage": 30}
BY_HAND: Raw = {"autoPromotionEnabled": False}
NOT_YET = "the router is being set to mirror requests to the preview"
HELD = "the mirror is removed before a Service is switched"


def mirrored(image: str = "app:2", **strategy: Any) -> Raw:
    return blue_green(image, strategy={**ROUTED, **strategy})


def remembered(raw: Raw) -> Raw:
    """Return a Rollout whose status remembers its router."""
    services = {"canaryService": "preview", "stableService": "active"}
    known = {"router": KEY, "spec": {}, **services, "managedRoutes": ["preview-mirror"]}
    return {**raw, "status": {**raw["status"], "routedBy": [known]}}


def in_force(*mirrors: Raw) -> Any:
    lists: dict[str, Any] = {"mirrors": list(mirrors)} if mirrors else {}
    return split({"preview": 0, "active": 100}, **lists)


@dataclass(frozen=True)
class Row:
    """A Rollout with `available` of 5 pods of app:2 in preview; `mirrors` is what is written, None if nothing is."""

    says: str
    rollout: Raw
    objects: Any = field(default_factory=in_force)
    available: int = 5
    mirrors: int | None = None
    switches: Mapping[str, str] = field(default_factory=dict)
    because: str = ""
    services: Mapping[str, Any] = field(default_factory=pointing)

    def __str__(self) -> str:
        return self.says


ROWS = (
    Row("the preview has its pods: the mirror is set, and the pause waits for it", previewing(mirrored(**BY_HAND)),
        mirrors=1, because=NOT_YET),
    Row("it is there: the pause begins", previewing(mirrored(**BY_HAND)), in_force(COPY),
        because="autoPromotionEnabled is false: promote to switch the active Service"),
    Row("not before the preview has its pods", previewing(mirrored(**BY_HAND)), available=4,
        because="the preview has 4 of 5 pods available"),
    Row("a pod fails meanwhile: the others go on getting copies", waiting(mirrored(**BY_HAND)), in_force(COPY),
        available=4),
    Row("no pod is left: no copies", waiting(mirrored(**BY_HAND)), in_force(COPY), available=0, mirrors=0),
    Row("somebody has taken it out in the pause: it is put back", waiting(mirrored(**BY_HAND)), mirrors=1),
    Row("another percentage: it is set anew", waiting(mirrored(**BY_HAND)), in_force({**COPY, "percentage": 10}),
        mirrors=1),
    Row("the preview Service selects the version before: no copies to that", previewing(mirrored(**BY_HAND)),
        services=pointing(preview=ONE), switches={"preview": TWO}),
    Row("the active Service isn't ours yet, and selects every version: no copies, and the way to stable goes first",
        waiting(mirrored(**BY_HAND)), in_force(COPY), mirrors=0, services=pointing(active=None),
        switches={"active": ONE}),
    Row("a third version: no copies while its preview Service is switched",
        waiting(mirrored("app:3", **BY_HAND)), in_force(COPY), mirrors=0),
    Row("promoted: first the mirror goes", waiting(mirrored(**BY_HAND), pauseConditions=None), in_force(COPY),
        mirrors=0, because=HELD),
    Row("promoted, and the mirror is gone: the active Service is switched",
        waiting(mirrored(**BY_HAND), pauseConditions=None), switches={"active": TWO}),
    Row("without pause or analysis there is nothing to mirror for", previewing(mirrored()), switches={"active": TWO}),
    Row("without pause or analysis, and a mirror is left: it goes first", previewing(mirrored()), in_force(COPY),
        mirrors=0, because=HELD),
    Row("given up: the mirror goes at once", given_up(mirrored(**BY_HAND)), in_force(COPY), mirrors=0),
    Row("given up after the switch: the way back doesn't wait for a mirror", given_up(mirrored(**BY_HAND)),
        in_force(COPY), mirrors=0, services=pointing(active=TWO), switches={"active": ONE}),
    Row("given up, and gone: nothing to do", given_up(mirrored(**BY_HAND))),
    Row("complete: a mirror that is left goes", switched(mirrored()), in_force(COPY), mirrors=0,
        services=pointing(active=TWO)),
    Row("halted: the mirror stays, as everything does", previewing({**mirrored(**BY_HAND), "spec": {
        **mirrored(**BY_HAND)["spec"], "paused": True}}), in_force(COPY)),
    Row("trafficRouting is dropped: the mirror is taken out before anything else",
        waiting(blue_green("app:2"), pauseConditions=None), in_force(COPY), mirrors=0),
)  # fmt: skip


def planned(row: Row) -> Plan:
    raw = remembered(row.rollout)
    sets = (
        replica_set("app:1", 5),
        replica_set("app:2", 5, row.available, revision=2, created=50),
    )
    return plan_rollout(given(raw, *sets, services=row.services, objects=row.objects), after(100), KIT)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_mirror_is_there_when_it_should_be(row: Row) -> None:
    plan = planned(row)
    assert plan.problem is None, plan.problem
    written = [each.body["spec"]["mirrors"] for each in plan.actions if isinstance(each, PatchObject)]
    assert [len(each or ()) for each in written] == ([] if row.mirrors is None else [row.mirrors])
    switches = {each.name: each.pod_hash for each in plan.actions if isinstance(each, SwitchService)}
    assert switches == row.switches
    assert not row.because or row.because in plan.because, plan.because


def test_nothing_is_written_before_the_status_remembers_the_router() -> None:
    here = given(
        {**previewing(mirrored(**BY_HAND)), "metadata": {**previewing(mirrored())["metadata"], "generation": 2}},
        replica_set("app:1", 5),
        replica_set("app:2", 5, revision=2, created=50),
        services=pointing(),
        objects=in_force(),
    )
    plan = plan_rollout(here, after(100), KIT)
    assert not plan.actions
    assert plan.status is not None
    (known,) = plan.status["routedBy"]
    assert known == remembered(previewing(mirrored()))["status"]["routedBy"][0]


class Plain(RecordingRouter):
    """A router that can't mirror."""

    abilities = frozenset(Ability) - {Ability.MIRROR_ROUTES}


class Telling(RecordingRouter):
    """A router that is told by calls."""

    tells = True


PATH = "spec.strategy.blueGreen.trafficRouting"
INVALID: Mapping[str, tuple[Raw, Any, str]] = {
    "no preview Service": (mirrored(previewService=None), RecordingRouter(), f"{PATH}.mirror: needs a previewService"),
    "a share of nothing": (
        mirrored(trafficRouting={"plugins": {KEY: {}}, "mirror": {"percentage": 0}}),
        RecordingRouter(),
        f"{PATH}.mirror.percentage: 0 is out of range: must be from 1 to 100",
    ),
    "no router": (mirrored(trafficRouting={"mirror": {}}), RecordingRouter(), f"{PATH}: names no router"),
    "no such router": (
        mirrored(trafficRouting={"mirror": {}, "plugins": {"other": {}}}),
        RecordingRouter(),
        f"{PATH}.plugins.other: no such router is installed",
    ),
    "a router that can't mirror": (mirrored(), Plain(), f"{PATH}.mirror: {KEY} can't mirror requests to a preview"),
    "routes without requests": (mirrored(), Connections(), f"{PATH}.mirror: nothing has requests: name something"),
    "a router that is told": (mirrored(), Telling(), f"{PATH}.mirror: {KEY} can't mirror requests to a preview"),
}


@pytest.mark.parametrize("says", INVALID)
def test_what_cannot_work_is_said(says: str) -> None:
    raw, router, wanted = INVALID[says]
    kit = Kit(steps=KIT.steps, routers={KEY: router})
    here = given(previewing(raw), services=pointing())
    found = [str(each) for each in problems(here.rollout, here.raw, kit)] if here.rollout is not None else []
    plan = plan_rollout(here, after(100), kit)
    assert plan.problem is not None
    assert any(each.startswith(wanted) for each in (*found, str(plan.problem))), (found, plan.problem)
