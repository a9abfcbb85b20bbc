"""What is left on people's objects of a router that is left in the middle of an update?"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from rollouts.ports import Objects
from rollouts.ports.testing import RouterConformance, applied
from tests.routing import KEY
from tests.traffic.test_rights import conformances

OURS = [each for each in conformances() if each.router.key != KEY]
MARKS = ("rollouts.argoproj.io/", "argo-rollouts.argoproj.io/")
HASH = "rollouts-pod-template-hash"
WEIGHTS = {"weight", "Weight", "zalando.org/backend-weights"}
"""What says how much anybody gets. Without these annotations an Ingress would send requests to both, or to nobody."""


def left(test: RouterConformance, spec: Any) -> tuple[Objects, dict[str, Any]]:
    """Return all objects after an update in which everything was done, and those of people by their names."""
    live: Objects = dict(test.objects)
    for route in test._routes():
        live = applied(live, test.router.write(spec, test.owner, route, test._read(spec, live)))
    for _ in range(3):
        live = applied(live, test.router.leave(spec, test.owner, test._route(0), test._read(spec, live)))
    return live, {str(place): raw for place, raw in live.items() if raw is not None and place in test.objects}


@pytest.mark.parametrize("case", OURS, ids=lambda case: case.router.key)
def test_nothing_of_ours_is_left(case: type[RouterConformance]) -> None:
    test = case()
    for spec in test.specs:
        live, theirs = left(test, spec)
        made = [place for place, raw in live.items() if raw is not None and place not in test.objects]
        assert made == [], "what a Rollout has made goes"
        for name, raw in theirs.items():
            before = next(each for place, each in test.objects.items() if str(place) == name)
            said, first = json.dumps(raw), json.dumps(before)
            for mark in (*MARKS, HASH):
                assert said.count(mark) <= first.count(mark), f"{name} still has {mark}"
            assert without_weights(raw) == without_weights(before)


def without_weights(value: Any) -> Any:
    """Return an object without what says how much anybody gets, and without metadata that says nothing."""
    if isinstance(value, Mapping):
        kept = {
            key: without_weights(each) for key, each in value.items() if key not in WEIGHTS and "/actions." not in key
        }
        return {key: each for key, each in kept.items() if each or key not in {"annotations", "labels"}}
    return [without_weights(each) for each in value] if isinstance(value, list) else value
