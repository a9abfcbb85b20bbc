"""Which whole rollouts with analyses are told? What is measured is in each story; the planner of runs measures it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.plan.analysis.templates import TemplateKey
from rollouts.sim.measuring import Measuring
from rollouts.sim.metrics import Curve, Metrics
from rollouts.sim.scenario import Change, Scenario, create, promote_full, resume, retry, set_image
from rollouts.sim.world import World
from tests.golden.stories import story
from tests.plan.children.analyses.given import METRIC
from tests.plan.given import START, Raw, blue_green, rollout, service
from tests.routing import KEY, KIT, by_router

RATE: Raw = {**METRIC, "interval": "10s", "count": 3, "successCondition": "result[0] < 0.05"}
UNSURE: Raw = {**RATE, "count": 1, "failureCondition": "result[0] > 0.5"}
TEMPLATES: Mapping[str, Raw] = {
    "error-rate": {"metrics": [RATE]},
    "watched": {"metrics": [{**RATE, "name": "latency", "count": 0, "failureLimit": 1}]},
    "unsure": {"metrics": [UNSURE]},
}
STEPS: Sequence[Raw] = (
    {"setWeight": 40},
    {"analysis": {"templates": [{"templateName": "error-rate"}]}},
    {"setWeight": 80},
    {"pause": {"duration": 30}},
)
WATCHED: Raw = {"analysis": {"templates": [{"templateName": "watched"}], "startingStep": 1}}


def _told(*script: Change, lasts: float = 3600, services: Sequence[str] = (), **curves: Sequence[Any]) -> Scenario:
    """Return a story; curves are by metric, underscores stand for dashes."""
    measured = {name.replace("_", "-"): {"": Curve.read(list(points))} for name, points in curves.items()}
    world = World(START, followers=(Measuring(KIT, Metrics(measured)),))
    world.templates |= {TemplateKey(name): spec for name, spec in TEMPLATES.items()}
    for name in services:
        world.create_service(service(name))
    return Scenario(world, script, lasts)


def _colours(*script: Change, **curves: Any) -> Scenario:
    return _told(*script, services=("active", "preview"), **curves)


def _analysed(**names: str) -> Raw:
    return blue_green(
        strategy={f"{slot}PromotionAnalysis": {"templates": [{"templateName": name}]} for slot, name in names.items()}
    )


@story
def an_analysis_lets_the_canary_go_on() -> Scenario:
    """Good numbers: the step's run lets the canary go on, the one in the background ends with the promotion"""
    return _told(
        create(0, rollout(steps=STEPS, canary=WATCHED)), set_image(10, "web", "app:2"), error_rate=[0.01, 0.02, 0.0]
    )


@story
def an_ab_test_lasts_some_rounds() -> Scenario:
    """An A/B test: insiders alone get the canary for three rounds of an analysis, then everybody does"""
    insiders = {"name": "insiders", "match": [{"headerName": "X-Insider", "headerValue": {"exact": "yes"}}]}
    steps: Sequence[Raw] = (
        {"setCanaryScale": {"replicas": 2}},
        {"setHeaderRoute": insiders},
        {"analysis": {"templates": [{"templateName": "error-rate"}]}},
    )
    routing = {"managedRoutes": [{"name": "insiders"}]}
    return _told(
        create(0, by_router(steps=steps, trafficRouting=routing)),
        set_image(10, "web", "app:2"),
        services=("s", "c"),
        error_rate=[0.01, 0.02, 0.0],
    )


def _mirrored() -> Raw:
    analysis = {"templates": [{"templateName": "error-rate"}]}
    routing = {"plugins": {KEY: {}}, "mirror": {"percentage": 25}}
    return blue_green(strategy={"trafficRouting": routing, "prePromotionAnalysis": analysis})


@story
def a_preview_gets_copies_and_is_promoted() -> Scenario:
    """Mirrored blue-green: copies of requests judge the preview, and end before the active Service is switched"""
    return _colours(create(0, _mirrored()), set_image(10, "web", "app:2"), error_rate=[0.01, 0.02, 0.0])


@story
def a_preview_gets_copies_and_fails() -> Scenario:
    """Mirrored blue-green: bad numbers end the copies at once; a retry, or another version, gets its own"""
    return _colours(
        create(0, _mirrored()),
        set_image(10, "web", "app:2"),
        retry(60, "web"),
        set_image(75, "web", "app:3"),
        error_rate=[0.9],
    )


@story
def an_analysis_fails_and_aborts() -> Scenario:
    """Bad numbers at a step: everything goes back to stable at once; a retry measures anew"""
    return _told(
        create(0, rollout(steps=STEPS)),
        set_image(10, "web", "app:2"),
        retry(60, "web"),
        error_rate=[0.01, 0.2],
    )


@story
def the_background_fails_at_a_pause() -> Scenario:
    """The background keeps measuring during a pause: its second failure is one too many, and aborts the update"""
    return _told(
        create(0, rollout(steps=STEPS, canary=WATCHED)), set_image(10, "web", "app:2"), latency=[0.0, "0.3@40s"]
    )


@story
def an_analysis_cannot_decide() -> Scenario:
    """Between good and bad the update pauses: resumed, it measures anew"""
    steps: list[Raw] = [{"setWeight": 40}, {"analysis": {"templates": [{"templateName": "unsure"}]}}]
    return _told(
        create(0, rollout(steps=steps)),
        set_image(10, "web", "app:2"),
        resume(60, "web"),
        promote_full(120, "web"),
        error_rate=[0.2],
    )


@story
def a_template_vanishes_and_comes_back() -> Scenario:
    """A template that vanishes makes the spec invalid; the run under way goes on, and counts once that is mended"""
    key, spec = TemplateKey("error-rate"), TEMPLATES["error-rate"]
    return _told(
        create(0, rollout(steps=STEPS[:2])),
        set_image(10, "web", "app:2"),
        Change(20, "somebody deletes the template", lambda world: world.templates.clear()),
        Change(70, "and creates it again", lambda world: world.templates.update({key: spec})),
    )


@story
def blue_green_is_analysed_before_and_after() -> Scenario:
    """Blue-green: an analysis of the preview, the switch, an analysis of what is active, and then the old one goes"""
    return _colours(create(0, _analysed(pre="error-rate", post="error-rate")), set_image(10, "web", "app:2"))


@story
def blue_green_fails_before_the_switch() -> Scenario:
    """The preview's analysis fails: clients have never seen the version"""
    return _colours(create(0, _analysed(pre="error-rate")), set_image(10, "web", "app:2"), error_rate=[0.9])


@story
def blue_green_fails_after_the_switch() -> Scenario:
    """The analysis after the switch fails: the active Service goes back, to pods that are all still there"""
    return _colours(create(0, _analysed(post="error-rate")), set_image(10, "web", "app:2"), error_rate=[0.0, 0.9])
