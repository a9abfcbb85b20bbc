"""What a compiled router is told of a Route, in which order, and what comes of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from rollouts.api.canary import SetHeaderRoute, SetMirrorRoute
from rollouts.compiled.router import AGAIN, VERIFY_ERROR, compiled_router
from rollouts.compiled.settings import Settings
from rollouts.ports import Asked, Destination, Found, Owner, Route
from rollouts.ports.compiled import CompiledCall
from tests.plan.given import after

ROUTER = compiled_router("a/b")
OWNER = Owner("web", "default", "uid", "c", "s", managed_routes=("h", "m"))
STEPS = [{"setHeaderRoute": {"name": "h", "match": []}}, {"setMirrorRoute": {"name": "m"}}, {"pause": {}}]
ROLLOUT = {
    "metadata": {"name": "web", "namespace": "default"},
    "spec": {"strategy": {"canary": {"steps": STEPS}}},
}
ROUTE = Route(Destination("c", "two", 20), Destination("s", "one", 70), (Destination("e", "three", 10),))
HEADER = SetHeaderRoute.model_validate(
    {"name": "h", "match": [{"headerName": "X", "headerValue": {"exact": "1"}}]}, by_alias=True
)
MIRROR = SetMirrorRoute.model_validate({"name": "m", "match": [{"path": {"prefix": "/"}}]}, by_alias=True)
UNKNOWN = {"verified": None, "error": ""}


def told(route: Route, verified: Mapping[str, Any] = UNKNOWN) -> tuple[list[CompiledCall], Found]:
    spec = Settings.model_validate({"x": 1})
    (question,) = ROUTER.questions(spec, OWNER, route, {})
    assert question.again == AGAIN
    assert hash(question)
    flow = ROUTER.ask(question, Asked(after(0), subject=ROLLOUT))
    calls: list[CompiledCall] = []
    try:
        call: Any = next(flow)
        while True:
            calls.append(call)
            call = flow.send(verified if call.method == "VerifyWeight" else None)
    except StopIteration as end:
        return calls, end.value


def methods(route: Route) -> list[str]:
    return [each.method for each in told(route)[0]]


def test_a_route_without_managed_routes() -> None:
    calls, found = told(ROUTE)
    assert [each.method for each in calls] == ["RemoveManagedRoutes", "UpdateHash", "SetWeight", "VerifyWeight"]
    assert {each.order for each in calls} == {"a/b default/web"}
    additional = [{"weight": 10, "serviceName": "e", "podTemplateHash": "three"}]
    rollout = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", **ROLLOUT}
    weight = {"Rollout": rollout, "DesiredWeight": 20, "AdditionalDestinations": additional}
    hashes = {"CanaryHash": "two", "StableHash": "one", "AdditionalDestinations": additional}
    assert [each.arguments for each in calls[1:]] == [{"Rollout": rollout, **hashes}, weight, weight]
    assert found == Found(verified=None)


def test_managed_routes_are_set_first_and_what_isnt_in_force_is_removed() -> None:
    rest = ["UpdateHash", "SetWeight", "VerifyWeight"]
    both = replace(ROUTE, headers=(HEADER,), mirrors=(MIRROR,))
    assert methods(both) == ["SetHeaderRoute", "SetMirrorRoute", *rest]
    calls, _ = told(replace(ROUTE, headers=(HEADER,)))
    assert [each.method for each in calls] == ["SetMirrorRoute", "SetHeaderRoute", *rest]
    assert calls[0].arguments["SetMirrorRoute"] == {"name": "m"}
    assert calls[1].arguments["SetHeaderRoute"] == {
        "name": "h",
        "match": [{"headerName": "X", "headerValue": {"exact": "1"}}],
    }


@pytest.mark.parametrize(
    ("says", "found"),
    [
        ({"verified": True, "error": ""}, Found(verified=True, because="a/b says that traffic follows")),
        ({"verified": False, "error": ""}, Found(verified=False, because="a/b says that traffic doesn't follow yet")),
        ({"verified": False, "error": "no"}, Found(verified=False, because="a/b: no", reason=VERIFY_ERROR)),
    ],
)
def test_what_verification_says(says: Mapping[str, Any], found: Found) -> None:
    assert told(ROUTE, says)[1] == found


def test_another_route_or_other_settings_are_another_question() -> None:
    spec, other = Settings.model_validate({"x": 1}), Settings.model_validate({"x": 2})
    more = replace(ROUTE, canary=Destination("c", "two", 30))
    questions = {ROUTER.questions(each, OWNER, route, {})[0] for each in (spec, other, spec) for route in (ROUTE, more)}
    assert len(questions) == 4
