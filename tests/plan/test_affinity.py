"""Which side do clients get whose cookie says where they were before, and which cookies can't work?"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from rollouts.plan import plan_rollout
from rollouts.plan.actions import PatchObject
from rollouts.plan.affinity import Sticking
from rollouts.plan.validate import problems
from rollouts.ports import Ability, Affinity, Destination, Kit, Returning, Route
from rollouts.ports.affinity import is_affinity_cookie
from tests.plan.decided import given
from tests.plan.given import ONE, TWO, Raw, stable, updating
from tests.plan.given import after as later
from tests.plan.routed import pods, seen, told
from tests.plan.test_routed_invalid import PLAIN
from tests.routing import KEY, KIT, SPLIT, RecordingRouter, by_router, split

WHOLE = 100


def at(weight: int, *past: int, canary: str = TWO, stable_hash: str = ONE) -> Route:
    """Return the route of an update with a weight, after steps with other ones."""
    route = Route(Destination("c", canary, weight), Destination("s", stable_hash, WHOLE - weight))
    return Sticking("default/web", "sticky", "Path=/", TWO, past).on(route)


def affinity(weight: int, *past: int, **hashes: str) -> Affinity:
    found = at(weight, *past, **hashes).affinity
    assert found is not None
    return found


def share_of_canary(cookie: str, route: Route) -> Fraction:
    """Return how probable the canary is for a client with a cookie, empty for one without."""
    known = route.affinity.returning if route.affinity else ()
    for each in known:
        if cookie in each.values:
            return Fraction(each.canary, each.canary + each.stable)
    return Fraction(route.canary.weight, WHOLE)


def after(clients: Mapping[str, Fraction], route: Route) -> dict[str, Fraction]:
    """Return the clients by their cookies once all of them have sent a request."""
    if route.affinity is None:
        return dict(clients)
    found: dict[str, Fraction] = {}
    for cookie, count in clients.items():
        share = share_of_canary(cookie, route)
        for value, part in ((route.affinity.canary, share), (route.affinity.stable, 1 - share)):
            # Who has a side for good isn't told again.
            kept = cookie if share in {0, 1} else value
            found[kept] = found.get(kept, Fraction()) + count * part
    return {cookie: count for cookie, count in found.items() if count}


@drawn(st.lists(st.integers(1, 99), min_size=1, max_size=5).map(sorted), st.integers(1, 4))
def test_of_clients_that_come_at_every_step_the_weight_is_the_canarys_share(weights: Sequence[int], often: int) -> None:
    clients = {"": Fraction(1)}
    for place, weight in enumerate(weights):
        route = at(weight, *weights[:place])
        assert route.affinity is not None
        for _ in range(often):
            clients = after(clients, route)
        assert clients[route.affinity.canary] == Fraction(weight, WHOLE)


@drawn(st.lists(st.integers(0, 100), min_size=1, max_size=6), st.data())
def test_whoever_got_the_canary_keeps_it_and_nobody_gets_it_too_often(
    weights: Sequence[int], data: st.DataObject
) -> None:
    clients = {"": Fraction(1)}
    for place, weight in enumerate(weights):
        route = at(weight, *weights[:place])
        before = sum(count for cookie, count in clients.items() if cookie.endswith("canary"))
        if data.draw(st.booleans()):  # all stay away for a step
            clients = after(clients, route)
        now = sum(count for cookie, count in clients.items() if cookie.endswith("canary"))
        assert before <= now <= Fraction(max(weights), WHOLE)


def test_a_weight_that_goes_down_takes_the_canary_from_nobody() -> None:
    values = [each.values for each in affinity(20, 50).returning]
    assert affinity(50).stable in values[1], "those who were given stable at 50 keep it at 20"
    assert len(values) == 2
    assert affinity(50, 50, 20).returning[2] == Returning((affinity(20).stable,), 30, 50)


@pytest.mark.parametrize("route", [at(0), at(100), at(20, canary=""), at(20, canary="of the update before")])
def test_where_there_is_one_side_only_or_no_canary_to_keep_nobody_sticks(route: Route) -> None:
    assert route.affinity is None


def test_cookies_of_other_updates_mean_nothing() -> None:
    ours, others = affinity(20), affinity(20, stable_hash="before")
    assert {ours.canary, ours.stable}.isdisjoint({others.canary, others.stable})
    assert is_affinity_cookie(ours.to_canary, "default/web")
    assert is_affinity_cookie(ours.to_stable, "default/web")
    assert not is_affinity_cookie("session=abc; Path=/", "default/web")
    assert not is_affinity_cookie(ours.to_canary, "default/shop"), "another Rollout's"


STEPS: Sequence[Raw] = ({"setWeight": 20}, {"pause": {}}, {"setWeight": 40}, {"pause": {}})


ROUTE = {"trafficRouting": {"sessionAffinity": {"cookieName": "sticky", "path": "/"}}}


def planned(index: int, weight: int, objects: Any, *, canary: int = 2, **status: Any) -> Any:
    """Return what a pass writes to the router, None for nothing."""
    raw = by_router("app:2", steps=STEPS, replicas=10, **ROUTE)
    mid_update = updating(raw, index=index, canary=told(weight, TWO, ONE), **status)
    plan = plan_rollout(seen(mid_update, *pods((1, 10), (2, canary)), objects=objects), later(100), KIT)
    assert plan.problem is None
    writes = [action.body["spec"] for action in plan.actions if isinstance(action, PatchObject)]
    return writes[0] if writes else None


def in_force(weight: int, *past: int) -> Any:
    """Return the router's object as it is with a route in force."""
    found = split({"c": weight, "s": WHOLE - weight})
    found[SPLIT]["spec"] |= {"returning": returning(weight, *past)}  # type: ignore[index]
    return found


def returning(weight: int, *past: int) -> list[Raw]:
    known = affinity(weight, *past).returning
    return [
        {
            "values": [*each.values],
            "shares": [{"to": "c", "weight": each.canary}, {"to": "s", "weight": each.stable}],
        }
        for each in known
    ]


def test_clients_stick_from_the_first_weight_on() -> None:
    assert planned(0, 0, split({"c": 0, "s": 100}))["returning"] == returning(20)


def test_nothing_is_written_while_the_weight_stays() -> None:
    assert planned(0, 20, in_force(20)) is None
    assert planned(1, 20, in_force(20), phase="Paused") is None


def test_at_the_next_weight_those_who_were_given_stable_are_shared_out_again() -> None:
    assert planned(2, 20, in_force(20), canary=4)["returning"] == returning(40, 20)
    assert planned(3, 40, in_force(40, 20), canary=4) is None


def test_until_its_pods_are_there_nobody_gets_the_next_weight() -> None:
    assert planned(2, 20, in_force(20), canary=2) is None


def test_after_an_abort_nobody_sticks() -> None:
    write = planned(1, 20, in_force(20), abort=True)
    assert (write["shares"], write["returning"]) == ([{"to": "c", "weight": 0}, {"to": "s", "weight": 100}], None)


FIELDS: dict[str, tuple[Raw, str]] = {
    "no token": (
        {"cookieName": "a b"},
        'cookieName: "a b" is no name of a cookie: use letters, digits, "-", "_" and "."',
    ),
    "no path": ({"path": "x"}, 'path: "x" is no path: begin with "/", and leave out blanks and semicolons'),
    "a path with an attribute": (
        {"path": "/; Secure"},
        'path: "/; Secure" is no path: begin with "/", and leave out blanks and semicolons',
    ),
    "no domain": ({"domain": "a;b"}, 'domain: "a;b" is no domain: write it as in example.com'),
    "no age": ({"maxAge": "7d"}, "maxAge: '7d' is no duration"),
    "an age of nothing": ({"maxAge": 0}, "maxAge: 0 is out of range: browsers keep cookies for 1s to 9600h (400 days)"),
    "a negative age": ({"maxAge": "-1h"}, "maxAge: -1h is out of range"),
    "too great an age": ({"maxAge": 10**30}, f"maxAge: {10**30} is out of range"),
    "None without secure": ({"sameSite": "None"}, "sameSite: browsers refuse None without secure"),
    "__Secure- without secure": (
        {"cookieName": "__Secure-a"},
        'cookieName: browsers refuse "__Secure-a" without secure',
    ),
    "__Host- with a domain": (
        {"cookieName": "__Host-a", "secure": True, "domain": "example.com"},
        'cookieName: browsers refuse "__Host-a" with a path or a domain: remove both',
    ),
}


def said(fields: Raw, kit: Kit = KIT) -> list[str]:
    raw = stable(by_router(trafficRouting={"sessionAffinity": fields}))
    return [str(each) for each in problems(given(raw).rollout, raw, kit)]


@pytest.mark.parametrize("says", FIELDS)
def test_cookies_that_browsers_would_refuse_are_refused(says: str) -> None:
    fields, message = FIELDS[says]
    (found,) = said(fields)
    assert found.startswith(f"spec.strategy.canary.trafficRouting.sessionAffinity.{message}")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"cookieName": "__Host-a", "secure": True, "path": "/"},
        {"maxAge": "9600h", "domain": ".example.com", "path": "/shop", "httpOnly": False},
        {"sameSite": "None", "secure": True, "maxAge": 60},
    ],
)
def test_cookies_that_work_are_let_through(fields: Raw) -> None:
    assert said(fields) == []


def test_a_router_that_cannot_do_it_is_refused() -> None:
    (found,) = said({}, PLAIN)
    assert (
        found == f"spec.strategy.canary.trafficRouting.sessionAffinity: {KEY} can't keep clients by a cookie: remove it"
    )


class Able(RecordingRouter):
    """A router of another name."""

    key = "able"
    abilities = frozenset({Ability.SESSION_AFFINITY})


class Keeping(RecordingRouter):
    """A router that keeps sessions itself."""

    key = "keeping"
    abilities = frozenset({Ability.SESSION_PERSISTENCE})


def test_what_does_not_go_with_sessions_of_the_gateway_is_told() -> None:
    kit = Kit(steps=KIT.steps, routers={**PLAIN.routers, "keeping": Keeping()})
    found = said({"sessionPersistence": "cookie", "path": "/shop"}, kit)
    at = "spec.strategy.canary.trafficRouting.sessionAffinity"
    can = f"{KEY} can't be told to keep sessions itself, which keeping can: remove it"
    path = "the Gateway makes the cookie of a session itself: remove path, or sessionPersistence"
    assert {f"{at}.sessionPersistence: {can}", f"{at}.path: {path}"} <= set(found)


def test_the_way_out_names_those_that_can() -> None:
    (found,) = said({}, Kit(steps=KIT.steps, routers={**PLAIN.routers, "able": Able()}))
    assert found.endswith("remove it, or use one of those that can: able")
