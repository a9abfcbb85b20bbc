"""Which whole rollouts with experiments are told? Runs and experiments are looked after by their own planners."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.plan.analysis.templates import TemplateKey
from rollouts.sim.experimenting import Experimenting
from rollouts.sim.measuring import Measuring
from rollouts.sim.metrics import Curve, Metrics
from rollouts.sim.scenario import Change, Scenario, abort, create, set_image
from rollouts.sim.world import World
from tests.golden.analysis_stories import RATE
from tests.golden.routed_stories import STORIES as ROUTED
from tests.golden.stories import story
from tests.plan.given import START, Raw, rollout
from tests.routing import KIT, by_router, create_services

SIDES: Sequence[Raw] = ({"name": "old", "specRef": "stable"}, {"name": "new", "specRef": "canary"})
REQUIRED: Mapping[str, Any] = {"name": "rate", "templateName": "error-rate", "requiredForCompletion": True}


def _told(*script: Change, lasts: float = 3600, rate: Sequence[Any] = (0.01,)) -> Scenario:
    measured = {"error-rate": {"": Curve.read(list(rate))}}
    world = World(START, followers=(Measuring(KIT, Metrics(measured)), Experimenting()))
    world.templates[TemplateKey("error-rate")] = {"metrics": [RATE]}
    return Scenario(world, script, lasts)


def _tried(*templates: Raw, **fields: Any) -> list[Raw]:
    experiment = {"templates": list(templates or SIDES), "scaleDownDelaySeconds": 10, **fields}
    return [{"setWeight": 20}, {"experiment": experiment}, {"setWeight": 60}]


@story
def an_experiment_lets_the_canary_go_on() -> Scenario:
    """Fresh pods of both versions side by side: the required analysis is good, and the canary goes on"""
    return _told(create(0, rollout(steps=_tried(analyses=[REQUIRED]))), set_image(10, "web", "app:2"))


@story
def an_experiment_fails_and_aborts() -> Scenario:
    """Bad numbers in an experiment: the update goes back to stable, and says which analysis has failed"""
    steps = _tried(analyses=[REQUIRED], duration="10m")
    return _told(create(0, rollout(steps=steps)), set_image(10, "web", "app:2"), rate=[0.01, 0.2])


@story
def an_experiment_is_left_by_an_abort() -> Scenario:
    """Somebody aborts while an experiment runs: it is told to end, and its pods go a little later"""
    steps = _tried(duration="10m")
    return _told(create(0, rollout(steps=steps)), set_image(10, "web", "app:2"), abort(60, "web"))


def an_experiment_has_a_weight() -> Scenario:
    """Behind a router: fresh stable pods get a tenth of the traffic while the experiment runs, and no longer"""
    ports = {"containers": [{"name": "app", "image": "app:1", "ports": [{"containerPort": 80}]}]}
    raw = by_router(steps=_tried({**SIDES[0], "weight": 10}, duration="1m"))
    raw["spec"]["template"] = {**raw["spec"]["template"], "spec": ports}
    return _told(*create_services("c", "s"), create(0, raw), set_image(10, "web", "app:2"))


ROUTED["an_experiment_has_a_weight"] = an_experiment_has_a_weight
