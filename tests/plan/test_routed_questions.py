"""What if only others can tell whether traffic has followed? They are asked, and the step waits for their yes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from rollouts.plan import Observed, Plan, plan_rollout
from rollouts.ports import Found, Kit, Question
from tests.asking import KIT, weighs
from tests.plan.given import ONE, TWO, Raw, after, updating
from tests.plan.routed import pods, seen, told
from tests.routing import KEY, by_router

STEPS: list[Raw] = [{"setWeight": 20}, {"pause": {}}]
NO, YES = Found(verified=False, because="it says 0"), Found(verified=True, because="it says 20")
UNKNOWN = Found(verified=False, error="the balancer can't be asked")


def here(before: Raw, weight: int, answers: Mapping[Question, Found] | None = None) -> Observed:
    status = updating(by_router("app:2", replicas=10, steps=STEPS), index=0, canary=before)
    return replace(seen(status, *pods((1, 10), (2, 2)), weight=weight), answers=answers)


def plan(observed: Observed, kit: Kit = KIT) -> Plan:
    return plan_rollout(observed, after(100), kit)


def verified(decided: Plan) -> object:
    assert decided.status is not None
    return decided.status["canary"]["weights"].get("verified")


BEFORE, TOLD = told(0, TWO, ONE, verified=True), told(20, TWO, ONE, verified=False)


@dataclass(frozen=True)
class Row:
    says: str
    before: Raw
    weight: int
    answers: Mapping[Question, Found] | None
    asks: tuple[Question, ...] = ()
    index: int = 0
    waits: str = ""
    unasked: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.says


ROWS = (
    Row("nothing is asked before the objects say it", BEFORE, 0, {}, waits="the router is being set to weight 20"),
    Row(
        "the objects say it: it is asked",
        BEFORE,
        20,
        {},
        asks=(weighs(20),),
        waits="weight 20 isn't verified yet: the balancer is being asked",
    ),
    Row(
        "not yet: it is asked again",
        TOLD,
        20,
        {weighs(20): NO},
        asks=(weighs(20),),
        waits="weight 20 isn't verified yet: it says 0",
    ),
    Row(
        "nobody can say: the step waits, and is told why",
        TOLD,
        20,
        {weighs(20): UNKNOWN},
        asks=(weighs(20),),
        waits="weight 20 isn't verified yet: the balancer can't be asked",
    ),
    Row("a yes lets the step on", TOLD, 20, {weighs(20): YES}, asks=(weighs(20),), index=1),
    Row("what was found before isn't asked again", told(20, TWO, ONE, verified=True), 20, {}, index=1),
    Row(
        "a yes to another weight says nothing",
        TOLD,
        20,
        {weighs(0): YES},
        asks=(weighs(20),),
        waits="weight 20 isn't verified yet: the balancer is being asked",
    ),
    Row(
        "where nobody asks, the status tells",
        TOLD,
        20,
        None,
        waits="weight 20 isn't verified yet: the controller asks the balancer",
    ),
    Row("without a status that tells, nobody waits", BEFORE, 20, None, index=1),
    Row("a router that isn't to ask counts as followed", TOLD, 20, {}, index=1, unasked=frozenset({KEY})),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_questions(row: Row) -> None:
    decided = plan(here(row.before, row.weight, row.answers), replace(KIT, unasked=row.unasked))
    assert decided.asks == row.asks
    assert (decided.status or {}).get("currentStepIndex", 0) == row.index
    assert [each for each in decided.because if row.waits and row.waits in each] or not row.waits, decided.because


def test_the_status_tells_what_was_found_and_nothing_else() -> None:
    decided = plan(here(TOLD, 20, {weighs(20): YES}))
    assert decided.status is not None
    assert decided.status["alb"] == {"ingress": "it says 20"}
    assert decided.status["phase"] == "Paused"
    assert verified(decided) is True


def test_what_was_told_stays_while_it_is_asked_anew() -> None:
    observed = here({**TOLD}, 20, {})
    status = {**observed.raw["status"], "alb": {"ingress": "before"}}
    decided = plan(replace(observed, raw={**observed.raw, "status": status}))
    assert (decided.status or status)["alb"] == {"ingress": "before"}


def test_pods_stay_while_the_way_back_is_not_verified() -> None:
    """An abort that the balancer hasn't followed yet must not cost the canary its pods."""
    status = updating(
        by_router("app:2", replicas=10, steps=STEPS, abortScaleDownDelaySeconds=1),
        index=0,
        abort=True,
        abortedAt="2026-01-01T11:00:00Z",
        canary=told(0, TWO, ONE, verified=False),
    )
    observed = replace(seen(status, *pods((1, 10), (2, 2)), weight=0), answers={weighs(0): NO})
    assert [type(each).__name__ for each in plan(observed).actions] == []
    followed = replace(observed, answers={weighs(0): YES})
    assert verified(plan(followed)) is True


@pytest.mark.parametrize(
    ("counts", "says"),
    [
        ((2, 2), ["doesn't select the canary's pods yet; weight 0 isn't verified yet: the balancer can't be asked"]),
        ((2, 1), []),
    ],
    ids=["all that keeps it is told", "pods are missing above all"],
)
def test_a_service_that_waits_for_the_last_weight_says_so(counts: tuple[int, int], says: list[str]) -> None:
    """The canary's Service isn't switched before the weight without it is followed."""
    before = told(0, ONE, ONE, verified=False)
    status = updating(by_router("app:2", replicas=10, steps=STEPS), index=0, canary=before, updated=2, total=12)
    observed = replace(seen(status, *pods((1, 10), (2, *counts)), weight=0, c=ONE), answers={weighs(0): UNKNOWN})
    decided = plan(observed)
    assert decided.actions == ()
    assert [each for each in decided.because if "isn't verified" in each] == [
        f"step 1 of 2 (setWeight: 20): the canary's weight is 0 for now: Service c {each}" for each in says
    ]
