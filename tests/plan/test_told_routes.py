"""What if a router writes its objects itself? It is told the route, and the route is in force once it has answered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from rollouts.compiled.router import compiled_router
from rollouts.plan import Observed, Plan, plan_rollout
from rollouts.ports import Found, Question, Route
from rollouts.registry import load_kit
from tests.plan.given import ONE, TWO, Raw, after, updating
from tests.plan.routed import pods, seen, told
from tests.routing import KEY, by_router

KIT = replace(load_kit(), routers={KEY: compiled_router(KEY)})
STEPS: list[Raw] = [{"setWeight": 20}, {"pause": {}}]
YES, UNKNOWN, NO = Found(verified=True), Found(verified=None), Found(verified=False, because="it says no")
DEAD = Found(verified=False, error="the traffic router test/recording can't be asked: it died")


def here(before: Raw, answers: Mapping[Question, Found] | None, **status: Any) -> Observed:
    updated = updating(by_router("app:2", replicas=10, steps=STEPS), index=0, canary=before, **status)
    return replace(seen(updated, *pods((1, 10), (2, 2)), weight=0), answers=answers)


def plan(observed: Observed) -> Plan:
    return plan_rollout(observed, after(100), KIT)


def weight_of(question: Question) -> int:
    route = question.facts[0]
    assert isinstance(route, Route)
    return route.canary.weight


BEFORE, TOLD, UNVERIFIED = told(0, TWO, ONE), told(20, TWO, ONE), told(20, TWO, ONE, verified=False)


@dataclass(frozen=True)
class Row:
    says: str
    before: Raw
    found: Found | None
    weight: int
    index: int = 0
    verified: bool | None = None
    waits: str = ""

    def __str__(self) -> str:
        return self.says


ROWS = (
    Row(
        "the next weight is told, and in force once that is answered",
        BEFORE,
        None,
        weight=0,
        waits="the traffic router test/recording is being told",
    ),
    Row("it was told, and nobody can know more", BEFORE, UNKNOWN, weight=20, index=1),
    Row("it was told, and the plugin has seen traffic follow", BEFORE, YES, weight=20, index=1, verified=True),
    Row(
        "it was told, and traffic doesn't follow yet",
        BEFORE,
        NO,
        weight=20,
        verified=False,
        waits="weight 20 isn't verified yet: it says no",
    ),
    Row("the plugin is dead: the route isn't in force", BEFORE, DEAD, weight=0, waits="it died"),
    Row("after a start the status tells what is in force", TOLD, None, weight=20, index=1),
    Row("a plugin that dies later takes nothing back", TOLD, DEAD, weight=20, index=1),
    Row(
        "what wasn't verified is asked again after a start",
        UNVERIFIED,
        None,
        weight=20,
        verified=False,
        waits="is being asked",
    ),
    Row("and found", UNVERIFIED, YES, weight=20, index=1, verified=True),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_told_routes(row: Row) -> None:
    (question,) = plan(here(row.before, {})).asks
    assert weight_of(question) == 20
    decided = plan(here(row.before, {question: row.found} if row.found is not None else {}))
    assert decided.asks == (question,), "it is told again from time to time"
    status = decided.status or here(row.before, {}).raw["status"]
    weights = status["canary"]["weights"]
    assert (weights["canary"]["weight"], weights.get("verified")) == (row.weight, row.verified)
    assert status["currentStepIndex"] == row.index
    assert not row.waits or [each for each in decided.because if row.waits in each], decided.because


def test_an_answer_to_another_route_says_nothing() -> None:
    (question,) = plan(here(BEFORE, {})).asks
    (back,) = plan(here(TOLD, {}, abort=True)).asks
    assert weight_of(back) == 0
    decided = plan(here(TOLD, {question: YES}, abort=True))
    assert decided.status is None or decided.status["canary"]["weights"]["canary"]["weight"] == 20
    assert decided.asks == (back,)


def test_where_nobody_tells_it_the_plan_says_so() -> None:
    decided = plan(here(BEFORE, None))
    assert not decided.asks
    assert any("the traffic router test/recording is being told" in each for each in decided.because)
