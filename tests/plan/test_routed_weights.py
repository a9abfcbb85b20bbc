"""Which weight does the canary get, given who has the pods for it?"""

from dataclasses import dataclass, replace

import pytest

from rollouts.api.canary import ReplicaProgressThreshold
from rollouts.plan.observed import ReplicaSet, observe_replica_set
from rollouts.plan.route import Capacity, Side, Turn, Wanted, next_weight
from tests.plan.given import replica_set

TEN = Capacity(10, 100)


def pods(image: str, size: int, available: int | None = None) -> ReplicaSet:
    return observe_replica_set(replica_set(image, size, available))


def side(to: ReplicaSet | None, wanted: ReplicaSet | None = None, service: str = "s") -> Side:
    """Return a side whose traffic goes to one ReplicaSet, and should go to that or to another one."""
    return Side(service, to.pod_hash if to else "", to, wanted or to, None)


@dataclass(frozen=True)
class Case:
    says: str
    current: int | None
    wish: int
    canary: Side
    stable: Side
    turn: Turn
    lacks: str = ""
    gradual: bool = False
    capacity: Capacity = TEN

    def __str__(self) -> str:
        return self.says


FULL, OLD = side(pods("app:1", 10)), pods("app:1", 10)
TWO, FOUR, NONE = side(pods("app:2", 2)), side(pods("app:2", 4)), side(pods("app:2", 2, 0))
NO_MORE = "the canary's weight is {} for now: {}"

CASES = (
    Case("nothing is known yet: begin where stable has all", None, 20, TWO, FULL, Turn(0)),
    Case(
        "nothing is known yet, a stable pod is missing: the router is left alone",
        None,
        0,
        TWO,
        side(pods("app:1", 10, 9)),
        Turn(None, "the router is left as it is until all stable pods are available, and selected by their Service"),
    ),
    Case(
        "nothing is known yet and stable is broken: a complete canary may begin",
        None,
        20,
        TWO,
        side(pods("app:1", 10, 0)),
        Turn(20),
    ),
    Case("the canary has its pods: up", 0, 20, TWO, FULL, Turn(20)),
    Case(
        "the canary lacks a pod: it stays where it is",
        20,
        40,
        FOUR,
        FULL,
        Turn(20, NO_MORE.format(20, "one is missing")),
        lacks="one is missing",
    ),
    Case(
        "a full promotion with dynamicStableScale: as far as its pods go",
        20,
        100,
        side(pods("app:2", 10, 7)),
        FULL,
        Turn(70, NO_MORE.format(70, "three are missing")),
        lacks="three are missing",
        gradual=True,
    ),
    Case("stable has all its pods: down", 60, 0, FOUR, FULL, Turn(0)),
    Case(
        "stable has most of its pods: down by what they can carry",
        60,
        0,
        FOUR,
        side(pods("app:1", 10, 7)),
        Turn(30, NO_MORE.format(30, "stable has 7 of 10 pods available")),
    ),
    Case(
        "stable has too few pods to take any more",
        60,
        0,
        FOUR,
        side(pods("app:1", 10, 3)),
        Turn(60, NO_MORE.format(60, "stable has 3 of 10 pods available")),
    ),
    Case(
        "stable is down to a size that its available pods are about to leave: those don't count",
        60,
        0,
        FOUR,
        side(pods("app:1", 4, 10)),
        Turn(60, NO_MORE.format(60, "stable has 4 of 10 pods available")),
    ),
    Case(
        "with replicaProgressThreshold some of stable's pods are enough",
        60,
        0,
        FOUR,
        side(pods("app:1", 10, 9)),
        Turn(0),
        capacity=replace(TEN, threshold=ReplicaProgressThreshold(type="Percent", value=90)),
    ),
    Case("up, though stable is broken: every bit helps", 20, 60, FOUR, side(pods("app:1", 10, 0)), Turn(60)),
    Case(
        "the canary has lost its pods: down at once, whatever stable has",
        60,
        60,
        NONE,
        side(pods("app:1", 10, 3)),
        Turn(0, "the canary has no available pods: it gets no traffic"),
        lacks="all are missing",
    ),
    Case(
        "nobody has pods: nothing is better than what is",
        60,
        60,
        NONE,
        side(pods("app:1", 10, 0)),
        Turn(None, "the router is left as it is: neither side has available pods"),
        lacks="all are missing",
    ),
    Case(
        "the canary's Service has the stable pods still: no weight yet",
        0,
        20,
        side(OLD, pods("app:2", 2), "c"),
        FULL,
        Turn(0, NO_MORE.format(0, "Service c doesn't select the canary's pods yet")),
    ),
    Case(
        "the canary's Service has the pods of an overtaken update: its weight has to go first",
        60,
        60,
        side(pods("app:2", 6), pods("app:3", 6), "c"),
        FULL,
        Turn(0, NO_MORE.format(0, "Service c doesn't select the canary's pods yet")),
    ),
    Case(
        "promoted, but the stable Service has the previous pods: the traffic stays with the new ones",
        100,
        0,
        side(pods("app:2", 10)),
        side(OLD, pods("app:2", 10)),
        Turn(100, NO_MORE.format(100, "Service s doesn't select the stable pods yet")),
    ),
    Case("there is nothing to run: stable gets the weight of nobody", 0, 0, NONE, side(pods("app:1", 0)), Turn(0)),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_weight(case: Case) -> None:
    wanted = Wanted(case.wish, case.current, case.lacks, case.canary, case.stable, case.gradual)
    assert next_weight(wanted, case.capacity) == case.turn


@pytest.mark.parametrize(
    ("weight", "replicas", "max_weight", "needed"),
    [
        (0, 10, 100, 0),
        (1, 10, 100, 1),
        (20, 10, 100, 2),
        (21, 10, 100, 3),
        (100, 10, 100, 10),
        (50, 0, 100, 0),
        (5, 10, 1000, 1),
    ],
)
def test_pods_for_a_weight_are_rounded_up(weight: int, replicas: int, max_weight: int, needed: int) -> None:
    assert Capacity(replicas, max_weight).pods_for(weight) == needed


def test_pods_that_are_counted_by_hearsay_carry_nothing() -> None:
    assert TEN.carried_by(replace(pods("app:1", 10), is_observed=False)) == 0
    assert TEN.carried_by(None) == 0
