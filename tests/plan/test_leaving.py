"""What becomes of a traffic router that the spec has stopped to name?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from rollouts.plan import Observed, Plan, Refusal
from rollouts.plan.actions import PatchObject
from rollouts.plan.leaving import reads_in
from tests.plan.decided import given, planned
from tests.plan.given import ONE, TWO, Raw, aborted, blue_green, rollout, stable, updating
from tests.plan.routed import pods
from tests.plan.test_services import ours
from tests.routing import KEY, KIT, SERVICES, SPLIT, RecordingRouter, by_router, split, told

KNOWN: Raw = {"router": KEY, "spec": {}, **SERVICES}
TITLE = f"the router {KEY}, which the spec no longer names,"


def without(image: str = "app:1", **canary: Any) -> Raw:
    """Return a canary without any router; its Services are still named."""
    return rollout(image, canary={**SERVICES, "steps": [{"setWeight": 20}, {"pause": {}}], **canary}, replicas=10)


def here(status: Raw, *sets: Raw, weight: int = 0, known: Sequence[Raw] = (KNOWN,), **more: Any) -> Observed:
    raw = {**status, "status": {**status["status"], "routedBy": list(known)}}
    services = {"s": ours("s", ONE), "c": ours("c", TWO if weight else ONE)}
    objects = split({"c": weight, "s": 100 - weight})
    return given(raw, *sets, **{"services": services, "objects": objects, **more})


def shares(plan: Plan) -> dict[str, int] | None:
    patches = [each for each in plan.actions if isinstance(each, PatchObject)]
    return {each["to"]: each["weight"] for each in patches[0].body["spec"]["shares"]} if patches else None


def remembered(plan: Plan) -> list[str] | None:
    """Return which routers the status remembers after a pass; None where it doesn't change."""
    return None if plan.status is None else [each["router"] for each in plan.status.get("routedBy", ())]


FULL = pods((1, 10))
MOVING = pods((1, 10), (2, 2))
HASHES = {"router": KEY, "spec": {"hashes": True}}
KEPT = f"{TITLE} keeps its shares until the update is over"
SHORT = f"{TITLE} keeps its shares until all stable pods are available"
REFUSED = Refusal("patch", "Split", "web", "Invalid", "only on Mondays", namespace="default")


@dataclass(frozen=True)
class Row:
    """What is observed, which shares are written, what is remembered then, and what is said."""

    says: str
    here: Observed
    shares: dict[str, int] | None = None
    known: Sequence[str] | None = None
    because: str = ""

    def __str__(self) -> str:
        return self.says


ROWS = (
    Row("at rest nothing is due: it is forgotten", here(stable(without()), *FULL), known=[]),
    Row(
        "a canary's share is left over: stable gets it first, and nothing else is done",
        here(stable(without()), *FULL, weight=20),
        {"c": 0, "s": 100},
        None,
        f"{TITLE} is left",
    ),
    Row(
        "the strategy is blue-green by now: it makes no difference",
        here(
            stable(without()) | {"spec": blue_green("app:1", replicas=10)["spec"]},
            *FULL,
            services={"active": ours("active", ONE), "preview": ours("preview", ONE)},
            weight=20,
        ),
        {"c": 0, "s": 100},
        None,
        f"{TITLE} is left",
    ),
    Row(
        "stable lacks a pod: not yet",
        here(stable(without()), *pods((1, 10, 9)), weight=20),
        None,
        [KEY],
        SHORT,
    ),
    Row(
        "in the middle of an update Services keep their shares",
        here(updating(without("app:2"), index=1), *MOVING, weight=20),
        None,
        [KEY],
        KEPT,
    ),
    Row(
        "after an abort they don't",
        here(aborted(without("app:2")), *pods((1, 10)), weight=20),
        {"c": 0, "s": 100},
        None,
        f"{TITLE} is left",
    ),
    Row(
        "a router of hashes would send requests to pods that go: it is left at once, if stable has its pods",
        here(
            updating(rollout("app:2", canary={"steps": [{"setWeight": 20}, {"pause": {}}]}, replicas=10), index=1),
            *MOVING,
            known=[HASHES],
            services={},
            objects=split({ONE: 80, TWO: 20}),
        ),
        {ONE: 100},
        None,
        f"{TITLE} is left",
    ),
    Row(
        "its object is gone: nothing is made again",
        here(stable(without()), *FULL, objects={SPLIT: None}),
        known=[],
    ),
    Row(
        "its object can't be seen: it isn't forgotten",
        replace(here(stable(without()), *FULL, objects={}), hidden=(SPLIT,)),
        None,
        [KEY],
        f"{TITLE} can't be left: Split web can't be seen",
    ),
    Row(
        "a router that isn't installed any more",
        here(stable(without()), *FULL, known=[{**KNOWN, "router": "their/own"}]),
        None,
        ["their/own"],
        "the router their/own, which the spec no longer names, isn't installed any more: its objects stay as they are",
    ),
    Row(
        "what it remembers makes no sense: it is forgotten",
        here(stable(without()), *FULL, weight=20, known=[{**KNOWN, "spec": {"hashes": "sometimes"}}]),
        known=[],
    ),
    Row(
        "the API server refuses: the rollout goes on without",
        here(stable(without()), *FULL, weight=20, refusals=(REFUSED,)),
        None,
        [KEY],
        "the API server refuses Split web: only on Mondays",
    ),
    Row(
        "the same router with another object: the one before is left",
        here(
            stable(by_router(replicas=10, split="new"), canary=told(0, ONE, ONE)),
            *FULL,
            weight=20,
            objects=split({"c": 20, "s": 80}) | {replace(SPLIT, name="new"): None},
        ),
        {"c": 0, "s": 100},
        None,
        f"{TITLE} is left",
    ),
    Row(
        "another spec of the same router with the same object: that is the business of the one in use",
        here(
            stable(by_router(replicas=10, verifies=True), canary=told(0, ONE, ONE)),
            *FULL,
            known=[KNOWN, {**KNOWN, "spec": {"verifies": True}}],
        ),
        known=[KEY],
    ),
    Row(
        "it isn't forgotten while stable couldn't carry what may be left over in the object",
        here(
            stable(by_router(replicas=10, verifies=True), canary=told(0, ONE, ONE)),
            *pods((1, 10, 9)),
            known=[{**KNOWN, "spec": {"verifies": True}}, KNOWN],
        ),
        None,
        [KEY, KEY],
        f"what the spec no longer names of the router {KEY} keeps its shares until all stable pods are available",
    ),
    Row(
        "nor before the object says what the spec says now",
        here(
            stable(by_router(replicas=10, verifies=True), canary=told(0, ONE, ONE)),
            *FULL,
            weight=20,
            known=[{**KNOWN, "spec": {"verifies": True}}, KNOWN],
        ),
        {"c": 0, "s": 100},
        [KEY, KEY],
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_router_is_left(row: Row) -> None:
    plan = planned(row.here, kit=KIT)
    assert plan.problem is None
    assert shares(plan) == row.shares
    assert remembered(plan) == row.known
    assert not row.because or row.because in plan.because, plan.because


def test_before_a_router_is_written_to_the_status_remembers_it() -> None:
    raw = stable(by_router(replicas=10), canary=told(0, ONE, ONE), observedGeneration="0")
    plan = planned(here(raw, *FULL, weight=20, known=()), kit=KIT)
    assert (shares(plan), remembered(plan)) == (None, [KEY])
    assert shares(planned(here(raw, *FULL, weight=20), kit=KIT)) == {"c": 0, "s": 100}


def test_an_api_server_that_drops_the_field_keeps_no_traffic_waiting() -> None:
    raw = stable(by_router(replicas=10), canary=told(0, ONE, ONE), observedGeneration="1")
    plan = planned(here(raw, *FULL, weight=20, known=()), kit=KIT)
    assert (shares(plan), remembered(plan)) == ({"c": 0, "s": 100}, [KEY])


def test_what_a_left_router_reads_is_read() -> None:
    raw = here(stable(without()), *FULL).raw
    assert reads_in(raw, KIT) == (SPLIT,)
    known = [{**KNOWN, "router": "their/own"}, {**KNOWN, "spec": {"hashes": "sometimes"}}]
    assert reads_in(here(stable(without()), *FULL, known=known).raw, KIT) == ()


@pytest.mark.parametrize("rubbish", ["web", ["web"], [{"router": ["web"]}], [{"router": KEY}], [{"spec": 1}]], ids=str)
def test_rubbish_in_the_status_reads_nothing(rubbish: Any) -> None:
    raw = stable(without())
    assert reads_in({**raw, "status": {**raw["status"], "routedBy": rubbish}}, KIT) == ()


def test_what_a_router_has_told_in_the_status_goes_with_it() -> None:
    spec = {"ingress": "web", "servicePort": 80}
    known = {"router": "alb", "spec": spec, **SERVICES}
    told_of = {"loadBalancer": {"name": "lb", "arn": "arn:lb", "fullName": "app/lb/1"}}
    plan = planned(here(stable(without(), alb=told_of), *FULL, known=[known], objects={}))
    assert plan.status is not None
    assert "alb" not in plan.status


class Tells(RecordingRouter):
    """A router that writes its objects itself."""

    tells = True


def test_a_plugin_that_writes_its_objects_itself_is_left_with_a_word() -> None:
    kit = replace(KIT, routers={KEY: Tells()})
    plan = planned(here(stable(without()), *FULL), kit=kit)
    assert f"{TITLE} wrote its objects itself: nobody has given them back, look after them" in plan.because
    assert remembered(plan) == []


def test_what_is_refused_in_another_namespace_is_not_said_of_this_one() -> None:
    elsewhere = replace(REFUSED, namespace="edge")
    plan = planned(here(stable(without()), *FULL, weight=20, refusals=(elsewhere,)), kit=KIT)
    assert shares(plan) == {"c": 0, "s": 100}
