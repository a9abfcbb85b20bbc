"""Does every router that claims managed routes set what the planner asks for, and leave nothing of them at the end?"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest

from rollouts.ports import Ability
from rollouts.sim.scenario import Change, abort, resume, set_image
from tests.docs.router_pages import Example, examples
from tests.docs.routers import declared
from tests.docs.test_router_pages import played

HEADER: Mapping[str, Any] = {"name": "qa", "match": [{"headerName": "X-QA", "headerValue": {"exact": "yes"}}]}
MIRROR: Mapping[str, Any] = {"name": "copy", "match": [{"headers": {"X-QA": {"exact": "yes"}}}], "percentage": 30}
STEPS = {Ability.HEADER_ROUTES: {"setHeaderRoute": HEADER}, Ability.MIRROR_ROUTES: {"setMirrorRoute": MIRROR}}
EACH = pytest.mark.parametrize(
    ("example", "ability"),
    [
        pytest.param(example, ability, id=f"{example}-{ability.value}")
        for example in examples()
        for ability in STEPS
        if ability in declared()[example.router].abilities and "sessionAffinity" not in example.canary["trafficRouting"]
    ],
)


def with_steps(example: Example, *steps: Mapping[str, Any]) -> Example:
    """Return the same manifests with other steps, and with managed routes listed."""
    manifests = deepcopy(list(example.manifests))
    canary = next(each for each in manifests if each["kind"] == "Rollout")["spec"]["strategy"]["canary"]
    canary["trafficRouting"]["managedRoutes"] = [{"name": "qa"}, {"name": "copy"}]
    canary["steps"] = [{"setCanaryScale": {"replicas": 1}}, *steps, {"pause": {}}]
    return replace(example, manifests=manifests)


def left(example: Example, *script: Change) -> tuple[str, dict[str, Any]]:
    """Play an update to the end; return the phase, and what all objects say then, those that a router has made, too."""
    world = played(example, set_image(100, "web", "web:2.0"), *script)
    live = {str(reference): raw for reference, raw in world.objects.live.items() if raw is not None}
    said = {name: (raw["metadata"].get("annotations") or None, raw["spec"]) for name, raw in live.items()}
    return world.rollouts["web"]["status"]["phase"], said


@EACH
def test_a_managed_route_comes_and_leaves_nothing(example: Example, ability: Ability) -> None:
    plain, managed = with_steps(example), with_steps(example, STEPS[ability])
    assert left(managed)[0] == left(plain)[0] == "Paused"
    assert left(managed)[1] != left(plain)[1]
    assert left(managed, resume(200, "web")) == left(plain, resume(200, "web"))
    assert left(managed, abort(200, "web")) == left(plain, abort(200, "web"))
