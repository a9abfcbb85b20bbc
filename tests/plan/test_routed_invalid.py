"""Which settings of a canary can't work with a router, or without one?"""

from collections.abc import Iterator
from typing import Any

import pytest

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.plan import plan_rollout
from rollouts.plan.validate import problems
from rollouts.ports import Ability, Kit, Objects, Owner
from tests.plan.decided import given
from tests.plan.given import Raw, after, replica_set, rollout, stable
from tests.routing import KEY, KIT, PAIR, Recording, RecordingRouter, by_router, split

CANARY = "spec.strategy.canary"
ROUTER = f"{CANARY}.trafficRouting.plugins.{KEY}"


class Plain(RecordingRouter):
    """The same router without any ability, and with a rule of its own."""

    abilities = frozenset[Ability]()

    def problems(self, spec: Recording, owner: Owner, objects: Objects | None) -> Iterator[tuple[str, str]]:
        del owner
        if objects is not None and not any(objects.values()):
            yield "split", f'Split "{spec.split}" does not exist: create it'


class Limited(RecordingRouter):
    """The same router, whose objects hold weights up to 1000."""

    most_weight = 1000


class Exact(RecordingRouter):
    """The same router, which compares headers as a whole only."""

    header_matches = ("exact",)


class Connections(RecordingRouter):
    """The same router, of which nothing is named that has requests."""

    def unserved(self, spec: Recording, managed: SetHeaderRoute | SetMirrorRoute) -> Iterator[tuple[str, str]]:
        del spec
        yield ("match" if isinstance(managed, SetHeaderRoute) else ""), "nothing has requests: name something"


HEADER_ROUTE = {"name": "beta", "match": [{"headerName": "X-Version", "headerValue": {"prefix": "beta"}}]}
EXACT = Kit(steps=KIT.steps, routers={KEY: Exact()})
CONNECTIONS = Kit(steps=KIT.steps, routers={KEY: Connections()})
LIMITED = Kit(steps=KIT.steps, routers={KEY: Limited()})
PLAIN = Kit(steps=KIT.steps, routers={KEY: Plain()}, broken={"istio": "router 'istio' can't be loaded: no such module"})


def said(raw: Raw, kit: Kit = KIT, objects: Any = None) -> list[str]:
    """Return all problems as text."""
    from_api = given(stable(raw)).rollout
    return [str(each) for each in problems(from_api, stable(raw), kit, objects=objects)]


def _without_router(**canary: Any) -> Raw:
    return rollout(canary=canary)


ROWS: dict[str, tuple[Raw, Kit, str]] = {
    "no such router": (
        by_router(trafficRouting={"plugins": {"other": {}}}),
        KIT,
        f"{CANARY}.trafficRouting.plugins.other: no such router is installed: installed are {KEY}",
    ),
    "a router with other capital letters": (
        by_router(trafficRouting={"plugins": {KEY.upper(): {}}}),
        KIT,
        (
            f"{CANARY}.trafficRouting.plugins.{KEY.upper()}: no such router is installed:"
            f" did you mean plugins.{KEY}? installed are {KEY}"
        ),
    ),
    "a plugin for what needs none": (
        by_router(trafficRouting={"plugins": {"argoproj-labs/contour": {}}}),
        Kit(steps=KIT.steps, routers={"contour": RecordingRouter()}),
        (
            f"{CANARY}.trafficRouting.plugins.argoproj-labs/contour: no such router is installed:"
            " did you mean trafficRouting.contour? installed are contour"
        ),
    ),
    "no router is installed": (
        rollout(canary={"trafficRouting": {"nginx": {"stableIngress": "web"}}}),
        Kit(steps=KIT.steps),
        (
            f"{CANARY}.trafficRouting.nginx: no such router is installed: there is none here;"
            " remove trafficRouting, and pods share the traffic"
        ),
    ),
    "a router that can't be loaded": (
        rollout(canary={"trafficRouting": {"istio": {}}}),
        PLAIN,
        f"{CANARY}.trafficRouting.istio: router 'istio' can't be loaded: no such module",
    ),
    "names none": (
        rollout(canary={"trafficRouting": {}}),
        KIT,
        f"{CANARY}.trafficRouting: names no router: installed are {KEY}",
    ),
    "a spec without the router's shape": (
        by_router(split=7),
        KIT,
        f"{ROUTER}: split: Invalid value: 7: Input should be a valid string",
    ),
    "no Services": (
        by_router(services={"canaryService": "c"}),
        KIT,
        f"{ROUTER}: splits traffic between two Services: set stableService",
    ),
    "a greater maxTrafficWeight than the router's objects can hold": (
        by_router(trafficRouting={"maxTrafficWeight": 1001}),
        LIMITED,
        f"{CANARY}.trafficRouting.maxTrafficWeight: 1001 is more than {KEY} can hold: must be 1000 or less",
    ),
    "maxTrafficWeight of a router that doesn't know it": (
        by_router(trafficRouting={"maxTrafficWeight": 1000}),
        PLAIN,
        f"{CANARY}.trafficRouting.maxTrafficWeight: {KEY} knows weights from 0 to 100 only: remove it",
    ),
    "maxTrafficWeight of nothing": (
        by_router(steps=None, trafficRouting={"maxTrafficWeight": 0}),
        KIT,
        f"{CANARY}.trafficRouting.maxTrafficWeight: 0 leaves no weights: must be 1 or more",
    ),
    "a weight above the maximum": (
        by_router(steps=[{"setWeight": 101}]),
        KIT,
        f"{CANARY}.steps[0].setWeight: 101 is out of range: a weight is a number from 0 to 100",
    ),
    "a pair for a router that can't have one": (
        by_router(services=PAIR),
        PLAIN,
        f"{ROUTER}: can't do pingPong: name canaryService and stableService instead",
    ),
    "a pair without a router": (
        _without_router(**PAIR),
        KIT,
        f"{CANARY}.pingPong: needs trafficRouting: without a router nothing moves traffic between the two Services",
    ),
    "a pair of one": (
        by_router(services={"pingPong": {"pingService": "a", "pongService": "a"}}),
        KIT,
        f'{CANARY}.pingPong.pongService: "a" is the pingService, too: name two Services',
    ),
    "half a pair": (
        by_router(services={"pingPong": {"pingService": "", "pongService": "a"}}),
        KIT,
        f"{CANARY}.pingPong.pingService: is empty: name a Service",
    ),
    "a delay without a router": (
        _without_router(scaleDownDelaySeconds=5),
        KIT,
        f"{CANARY}.scaleDownDelaySeconds: needs trafficRouting: without a router pods and traffic are one",
    ),
    "dynamicStableScale without a router": (
        _without_router(dynamicStableScale=True),
        KIT,
        f"{CANARY}.dynamicStableScale: needs trafficRouting: without a router pods and traffic are one",
    ),
    "dynamicStableScale and a delay": (
        by_router(dynamicStableScale=True, scaleDownDelaySeconds=5),
        KIT,
        f"{CANARY}.dynamicStableScale: leaves no pods for scaleDownDelaySeconds to keep: remove one of the two",
    ),
    "a negative delay": (
        by_router(scaleDownDelaySeconds=-1),
        KIT,
        f"{CANARY}.scaleDownDelaySeconds: -1 is negative: must be 0 or more",
    ),
    "setCanaryScale without a router": (
        rollout(steps=[{"setCanaryScale": {"replicas": 2}}]),
        KIT,
        (
            f"{CANARY}.steps[0].setCanaryScale: needs trafficRouting: without a router pods and traffic are one;"
            " use setWeight"
        ),
    ),
}


@pytest.mark.parametrize("says", ROWS)
def test_it_is_refused_with_the_way_out(says: str) -> None:
    raw, kit, message = ROWS[says]
    assert said(raw, kit) == [message]


@pytest.mark.parametrize(
    "raw",
    [
        by_router(),
        by_router(hashes=True, services={}),
        by_router(services=PAIR),
        by_router(steps=[{"setWeight": 1000}], trafficRouting={"maxTrafficWeight": 1000}),
        by_router(dynamicStableScale=True, abortScaleDownDelaySeconds=0),
        by_router(minPodsPerReplicaSet=2, scaleDownDelaySeconds=0, steps=[{"setCanaryScale": {"weight": 50}}]),
        rollout(canary={"abortScaleDownDelaySeconds": 5, "minPodsPerReplicaSet": 2, "scaleDownDelaySeconds": 0}),
    ],
)
def test_what_works_is_let_through(raw: Raw) -> None:
    assert said(raw) == []


def test_a_router_sees_its_objects_where_there_are_any() -> None:
    assert said(by_router(), PLAIN) == []
    assert said(by_router(), PLAIN, split({})) == []
    (message,) = said(by_router(), PLAIN, {})
    assert message == f'{ROUTER}.split: Split "web" does not exist: create it'


def test_both_services_of_a_pair_must_exist() -> None:
    raw = stable(by_router(services=PAIR))
    found = [str(each) for each in problems(given(raw).rollout, raw, KIT, {"ping": None, "pong": None})]
    assert found == [
        f'{CANARY}.pingPong.pingService: Service "ping" does not exist: create it, or correct the name',
        f'{CANARY}.pingPong.pongService: Service "pong" does not exist: create it, or correct the name',
    ]


def test_who_cannot_see_the_objects_of_routers_touches_nothing() -> None:
    raw = by_router(hashes=True, services={})
    plan = plan_rollout(given(stable(raw), replica_set("app:1", 5)), after(100), KIT)
    assert plan.actions == ()
    assert plan.problem == (
        f'The Rollout "web" is invalid: {CANARY}.trafficRouting: whoever looks after this Rollout can\'t read the'
        " objects of traffic routers: remove it, and pods share the traffic"
    )


def _header(name: str = "X-Version", **value: str) -> Raw:
    return {"name": "beta", "match": [{"headerName": name, "headerValue": value}]}


MANAGED: dict[str, tuple[Raw, Kit, str]] = {
    "a header route of a router that can't do it": (
        by_router(steps=[{"setHeaderRoute": HEADER_ROUTE}]),
        PLAIN,
        f"{CANARY}.steps[0].setHeaderRoute: {KEY} can't do that: remove the step, or use another router",
    ),
    "a mirror of a router that can't do it": (
        by_router(steps=[{"setMirrorRoute": {"name": "copy", "match": [{"method": {"exact": "GET"}}]}}]),
        PLAIN,
        f"{CANARY}.steps[0].setMirrorRoute: {KEY} can't do that: remove the step, or use another router",
    ),
    "a header route that nothing named can have": (
        by_router(steps=[{"setHeaderRoute": HEADER_ROUTE}]),
        CONNECTIONS,
        f"{CANARY}.steps[0].setHeaderRoute.match: nothing has requests: name something",
    ),
    "a mirror that nothing named can have": (
        by_router(steps=[{"setMirrorRoute": {"name": "copy", "match": [{"method": {"exact": "GET"}}]}}]),
        CONNECTIONS,
        f"{CANARY}.steps[0].setMirrorRoute: nothing has requests: name something",
    ),
    "a header that the router can't compare like that": (
        by_router(steps=[{"setHeaderRoute": HEADER_ROUTE}]),
        EXACT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[0].headerValue.prefix: {KEY} can't compare headers like that:"
            " use exact"
        ),
    ),
    "a route that isn't listed": (
        by_router(steps=[{"setHeaderRoute": HEADER_ROUTE}], trafficRouting={"managedRoutes": [{"name": "qa"}]}),
        KIT,
        (
            f'{CANARY}.steps[0].setHeaderRoute.name: "beta" is not in trafficRouting.managedRoutes, which has qa:'
            " list it there"
        ),
    ),
    "a mirror, and nothing is listed": (
        by_router(steps=[{"setMirrorRoute": {"name": "copy"}}]),
        KIT,
        (
            f'{CANARY}.steps[0].setMirrorRoute.name: "copy" is not in trafficRouting.managedRoutes, which is empty:'
            " list it there"
        ),
    ),
    "a header without a name": (
        by_router(steps=[{"setHeaderRoute": _header(exact="1", name="")}]),
        KIT,
        f"{CANARY}.steps[0].setHeaderRoute.match[0].headerName: is empty: name a header",
    ),
    "a header compared in two ways": (
        by_router(steps=[{"setHeaderRoute": _header(exact="1", regex="1")}]),
        KIT,
        (
            f"{CANARY}.steps[0].setHeaderRoute.match[0].headerValue: sets exact and regex: set exactly one of exact,"
            " prefix, regex"
        ),
    ),
    "a path compared in no way": (
        by_router(steps=[{"setMirrorRoute": {"name": "copy", "match": [{"method": {"exact": "GET"}, "path": {}}]}}]),
        KIT,
        f"{CANARY}.steps[0].setMirrorRoute.match[0].path: sets nothing: set exactly one of exact, prefix, regex",
    ),
    "a mirrored header compared in no way": (
        by_router(steps=[{"setMirrorRoute": {"name": "copy", "match": [{"headers": {"X-A": {}}}]}}]),
        KIT,
        (
            f"{CANARY}.steps[0].setMirrorRoute.match[0].headers.X-A: sets nothing: set exactly one of exact, prefix,"
            " regex"
        ),
    ),
    "more than all requests": (
        by_router(steps=[{"setMirrorRoute": {"name": "copy", "percentage": 101}}]),
        KIT,
        f"{CANARY}.steps[0].setMirrorRoute.percentage: 101 is out of range: must be from 0 to 100",
    ),
    "no router": (
        rollout(steps=[{"setHeaderRoute": HEADER_ROUTE}, {"setMirrorRoute": {"name": "copy"}}]),
        KIT,
        f"{CANARY}.steps[0].setHeaderRoute: needs trafficRouting: without a router nobody looks at headers",
    ),
}


@pytest.mark.parametrize("says", MANAGED)
def test_managed_routes_are_refused_where_the_router_cannot_make_them(says: str) -> None:
    raw, kit, message = MANAGED[says]
    assert message in said(raw, kit)


def test_nobody_is_told_of_a_route_that_is_only_removed() -> None:
    assert not any(
        "can't do that" in each for each in said(by_router(steps=[{"setHeaderRoute": {"name": "beta"}}]), PLAIN)
    )
    raw = by_router(steps=[{"setHeaderRoute": {"name": "beta"}}, {"setMirrorRoute": {"name": "copy"}}])
    assert not any("nothing has requests" in each for each in said(raw, CONNECTIONS))
