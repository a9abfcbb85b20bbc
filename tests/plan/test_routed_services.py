"""When do the Services behind a router change over, and of a pair, which one is whose?"""

from typing import Any

import pytest

from rollouts.plan import Observed
from tests.plan.decided import given, planned
from tests.plan.given import ONE, THREE, TWO, Raw, aborted, stable, updating
from tests.plan.routed import Does, does, pods, seen, told
from tests.plan.test_services import fresh, ours
from tests.routing import KIT, PAIR, by_router, split, written_down

STEPS: list[Raw] = [{"setWeight": 20}, {"pause": {}}]


def canary(**settings: Any) -> Raw:
    return by_router("app:2", replicas=10, steps=STEPS, **settings)


@pytest.mark.parametrize(
    ("counts", "told_weight", "weight", "services"),
    [
        (((1, 10), (2, 2)), 0, 0, {"c": "V2"}),
        (((1, 10), (2, 2, 1)), 0, 0, {"c": "V2"}),
        (((1, 10), (2, 2, 0)), 0, 0, {}),
        (((1, 10), (2, 2)), 20, 20, {}),
        (((1, 10), (2, 2)), 0, 20, {}),
    ],
    ids=["pods are there", "one is enough", "none is there", "it has traffic", "the router has not followed"],
)
def test_the_canary_service(counts: tuple[Any, ...], told_weight: int, weight: int, services: Raw) -> None:
    status = updating(canary(), index=0, canary=told(told_weight, ONE, ONE))
    assert does(seen(status, *pods(*counts), weight=weight, c=ONE)).services == services


@pytest.mark.parametrize(
    ("weight", "services"), [(0, {"c": "V1"}), (20, {})], ids=["once without traffic", "not before"]
)
def test_an_abort_gives_the_canary_service_to_stable(weight: int, services: Raw) -> None:
    status = aborted(canary(), index=0, canary=told(weight, TWO, ONE))
    assert does(seen(status, *pods((1, 10), (2, 2)), weight=weight)).services == services


@pytest.mark.parametrize(
    ("weight", "counts", "services"),
    [
        (100, ((1, 10), (2, 10)), {"s": "V2"}),
        (0, ((1, 10), (2, 10)), {"s": "V2"}),
        (0, ((1, 10), (2, 10, 9)), {}),
        (0, ((1, 10, 0), (2, 10, 1)), {"s": "V2"}),
    ],
    ids=["it has no traffic", "the pods can carry it", "they can't", "better than none"],
)
def test_promotion_gives_the_stable_service_to_the_new_pods(
    weight: int, counts: tuple[Any, ...], services: Raw
) -> None:
    status = updating(canary(), stableRS=TWO, index=2, canary=told(weight, TWO, ONE))
    assert does(seen(status, *pods(*counts), weight=weight, s=ONE)).services == services


def test_fresh_services_need_all_pods_and_the_router_waits_for_them() -> None:
    raw = stable(by_router(replicas=10, steps=STEPS))
    services = {"s": fresh("s"), "c": fresh("c")}
    objects = split({})
    here = given(raw, *pods((1, 10, 9)), services=services, objects=objects)
    assert does(here) == Does()
    here = given(raw, *pods((1, 10)), services=services, objects=objects)
    assert does(here) == Does(services={"s": "V1", "c": "V1"})
    assert does(seen(raw, *pods((1, 10)), c=ONE, objects=objects)) == Does(shares={"c": 0, "s": 100})


def test_another_service_in_the_spec_takes_over_once_it_selects_the_pods() -> None:
    raw = by_router("app:2", replicas=10, steps=STEPS, services={"canaryService": "c", "stableService": "new"})
    status = written_down(updating(raw, index=1, canary=told(20, TWO, ONE)))
    objects = split({"c": 20, "s": 80})
    services = {"c": ours("c", TWO), "new": fresh("new")}
    assert does(given(status, *pods((1, 10), (2, 2)), services=services, objects=objects)) == Does(
        services={"new": "V1"}
    )
    services = {"c": ours("c", TWO), "new": ours("new", ONE)}
    found = given(status, *pods((1, 10), (2, 2)), services=services, objects=objects)
    assert does(found) == Does(shares={"c": 20, "new": 80})


EXCHANGED = {"canaryService": "s", "stableService": "c"}


@pytest.mark.parametrize("services", [EXCHANGED, {**EXCHANGED, "stableService": "new"}], ids=["both", "one"])
@pytest.mark.parametrize("weight", [0, 20])
def test_exchanged_names_never_point_a_service_that_has_traffic_at_the_opposite_sides_pods(
    services: Raw, weight: int
) -> None:
    status = updating(canary(services=services), index=1, canary=told(weight, TWO, ONE))
    every = {"c": ours("c", TWO), "s": ours("s", ONE), "new": ours("new", ONE)}
    objects = split({"c": weight, "s": 100 - weight})
    here = given(written_down(status), *pods((1, 10), (2, 2)), services=every, objects=objects)
    assert does(here).services == {}


@pytest.mark.parametrize(
    ("status", "counts", "weight", "switched"),
    [
        (aborted(canary(services=EXCHANGED), index=1, canary=told(20, TWO, ONE)), (10, 2), 20, {}),
        (aborted(canary(services=EXCHANGED), index=1, canary=told(0, TWO, ONE)), (10, 2), 0, {"c": "V1"}),
        (
            updating(canary(services=EXCHANGED), stableRS=TWO, index=2, canary=told(100, TWO, ONE)),
            (10, 10),
            100,
            {"s": "V2"},
        ),
    ],
    ids=["aborted, with traffic", "aborted, without", "promoted"],
)
def test_exchanged_names_are_taken_once_the_update_is_over(
    status: Raw, counts: tuple[int, int], weight: int, switched: Raw
) -> None:
    found = does(seen(status, *pods((1, counts[0]), (2, counts[1])), weight=weight))
    assert found.services == switched


def pair(status: Raw, *counts: tuple[Any, ...], ping: str, pong: str, shares: Raw) -> Observed:
    services = {"ping": ours("ping", ping), "pong": ours("pong", pong)}
    return given(written_down(status), *pods(*counts), services=services, objects=split(shares))


def ping_pong(image: str) -> Raw:
    return by_router(image, replicas=10, steps=STEPS, services=PAIR)


def test_of_a_pair_the_other_one_gets_the_new_pods_before_they_are_ready() -> None:
    weights = told(0, ONE, ONE, services=("pong", "ping"))
    status = updating(ping_pong("app:2"), index=0, canary={"stablePingPong": "ping", **weights})
    here = pair(status, (1, 10), (2, 2, 0), ping=ONE, pong=ONE, shares={"ping": 100, "pong": 0})
    assert does(here) == Does(services={"pong": "V2"})


def test_promotion_of_a_pair_turns_the_roles_round_and_moves_nothing() -> None:
    weights = told(100, TWO, ONE, services=("pong", "ping"))
    status = updating(ping_pong("app:2"), index=2, canary={"stablePingPong": "ping", **weights})
    here = pair(status, (1, 10), (2, 10), ping=ONE, pong=TWO, shares={"ping": 0, "pong": 100})
    assert does(here) == Does()
    plan = planned(here, kit=KIT)
    assert plan.status is not None
    assert plan.status["stableRS"] == TWO
    assert plan.status["canary"] == {"stablePingPong": "pong", **told(0, ONE, TWO, services=("ping", "pong"))}


def test_after_its_promotion_a_pair_stays_as_it_is_and_the_previous_pods_get_their_delay() -> None:
    weights = told(0, ONE, TWO, services=("ping", "pong"))
    status = updating(ping_pong("app:2"), stableRS=TWO, index=2, canary={"stablePingPong": "pong", **weights})
    here = pair(status, (1, 10), (2, 10), ping=ONE, pong=TWO, shares={"ping": 0, "pong": 100})
    assert does(here) == Does(deadlines={"V1": 130})


def test_an_abort_leaves_the_pair_as_it_is() -> None:
    weights = told(0, TWO, ONE, services=("pong", "ping"))
    status = aborted(ping_pong("app:2"), index=0, canary={"stablePingPong": "ping", **weights})
    here = pair(status, (1, 10), (2, 2), ping=ONE, pong=TWO, shares={"ping": 100, "pong": 0})
    assert does(here) == Does(deadlines={"V2": 130})


def test_a_third_version_waits_until_the_second_one_has_lost_its_traffic() -> None:
    weights = told(20, TWO, ONE, services=("pong", "ping"))
    raw = ping_pong("app:3")
    status = updating(raw, currentPodHash=THREE, index=0, canary={"stablePingPong": "ping", **weights})
    here = pair(status, (1, 10), (2, 2), (3, 2), ping=ONE, pong=TWO, shares={"ping": 80, "pong": 20})
    assert does(here) == Does(shares={"ping": 100, "pong": 0})


def test_where_the_status_has_lost_the_pair_its_selectors_tell() -> None:
    status = stable(by_router(replicas=10, steps=STEPS, services=PAIR))
    here = pair(status, (1, 10), ping=ONE, pong=TWO, shares={"ping": 100, "pong": 0})
    plan = planned(here, kit=KIT)
    assert plan.status is not None
    assert plan.status["canary"]["stablePingPong"] == "ping"
