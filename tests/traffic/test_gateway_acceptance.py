"""When has a route been taken in by its Gateways?"""

from typing import Any

import pytest

from rollouts.ports import Objects, Seen
from tests.traffic.gateway_api import HTTP_SPEC, ROUTER, live, reference, rule, spec, stable, written
from tests.traffic.routers import OWNER, Json, route

GATEWAY: Json = {"name": "public", "sectionName": "https"}
REPORTED: Json = {"group": "gateway.networking.k8s.io", "kind": "Gateway", "namespace": "default", **GATEWAY}


def condition(type_: str, status: str = "True", generation: int | None = 4, **said: str) -> Json:
    seen = {} if generation is None else {"observedGeneration": generation}
    return {
        "type": type_,
        "status": status,
        "reason": said.get("reason", type_),
        "message": said.get("message", ""),
        **seen,
    }


GOOD = (condition("Accepted"), condition("ResolvedRefs"))


def parent(*conditions: Json, at: Json = REPORTED) -> Json:
    return {"parentRef": at, "controllerName": "example.com/gateway", "conditions": list(conditions)}


def reported(*parents: Json, named: Any = (GATEWAY,)) -> Objects:
    raw = live(rule(stable(100)))[reference()]
    assert raw is not None
    return {
        reference(): {**raw, "spec": {**raw["spec"], "parentRefs": list(named)}, "status": {"parents": list(parents)}}
    }


ROWS: dict[str, tuple[Objects, Seen]] = {
    "no parent has ever reported": (reported(), Seen()),
    "it has no status at all": (live(rule(stable())), Seen()),
    "it is taken in": (reported(parent(*GOOD)), Seen(verified=True)),
    "only a parent reports that the route no longer names": (
        reported(parent(condition("Accepted", "False"), at={**REPORTED, "name": "old"})),
        Seen(),
    ),
    "the generation is left out": (
        reported(parent(condition("Accepted", generation=None), condition("ResolvedRefs", generation=None))),
        Seen(verified=True),
    ),
    "it says nothing of backends": (reported(parent(condition("Accepted"))), Seen(verified=True)),
    "it has begun to report": (
        reported(parent()),
        Seen(verified=False, because="Gateway public has not said yet whether it accepts HTTPRoute web"),
    ),
    "the report is of a former generation": (
        reported(parent(condition("Accepted", generation=3), condition("ResolvedRefs", generation=3))),
        Seen(
            verified=False,
            because="Gateway public has not taken in HTTPRoute web yet: it knows generation 3 of 4",
        ),
    ),
    "it refuses": (
        reported(
            parent(condition("Accepted", "False", reason="NotAllowedByListeners", message="no namespace matches"))
        ),
        Seen(
            verified=False,
            because=(
                "Gateway public says Accepted=False of HTTPRoute web (NotAllowedByListeners: no namespace matches)"
            ),
        ),
    ),
    "a backend is missing": (
        reported(parent(condition("Accepted"), condition("ResolvedRefs", "False", reason="BackendNotFound"))),
        Seen(verified=False, because="Gateway public says ResolvedRefs=False of HTTPRoute web (BackendNotFound)"),
    ),
    "a controller that has the Gateway no more has left its report": (
        reported(
            {**parent(condition("Accepted", "False", generation=2)), "controllerName": "example.com/former"},
            parent(*GOOD),
        ),
        Seen(verified=True),
    ),
    "neither of two controllers has come so far": (
        reported(
            {**parent(condition("Accepted", generation=2)), "controllerName": "example.com/former"},
            parent(condition("Accepted", generation=3)),
        ),
        Seen(
            verified=False,
            because="Gateway public has not taken in HTTPRoute web yet: it knows generation 3 of 4",
        ),
    ),
    "one of two has not come so far": (
        reported(
            parent(*GOOD),
            parent(condition("Accepted", generation=3), at={**REPORTED, "name": "inside"}),
            named=(GATEWAY, {**GATEWAY, "name": "inside"}),
        ),
        Seen(verified=False, because="Gateway inside has not taken in HTTPRoute web yet: it knows generation 3 of 4"),
    ),
    "a mesh has a Service as its parent": (
        reported(
            parent(*GOOD, at={"group": "", "kind": "Service", "name": "web"}),
            named=({"group": "", "kind": "Service", "name": "web"},),
        ),
        Seen(verified=True),
    ),
}


@pytest.mark.parametrize("name", ROWS)
def test_seen(name: str) -> None:
    objects, seen = ROWS[name]
    assert ROUTER.seen(HTTP_SPEC, OWNER, objects) == seen


def test_all_routes_count() -> None:
    settings = spec(httpRoutes=[{"name": "web"}], grpcRoutes=[{"name": "calls"}])
    calls = reference("GRPCRoute", "calls")
    raw = reported(parent(condition("Accepted", generation=1)))[reference()]
    objects = {**reported(parent(*GOOD)), calls: raw}
    said = ROUTER.seen(settings, OWNER, objects)
    assert said.because == "Gateway public has not taken in GRPCRoute calls yet: it knows generation 1 of 4"


def test_a_write_does_not_touch_the_status() -> None:
    before = reported(parent(*GOOD))
    after = written(before, route(20))
    assert (after[reference()] or {})["status"] == (before[reference()] or {})["status"]
