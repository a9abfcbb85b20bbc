"""Which whole rollouts with a traffic router are told? The router is the tests' own, which writes its route down."""

from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.sim.pods import Behaviour, image_of
from rollouts.sim.scenario import Change, Scenario, abort, create, fail, promote_full, resume, retry, scale, set_image
from rollouts.sim.world import World
from tests.golden.stories import Story
from tests.plan.given import START
from tests.routing import PAIR, SPLIT, DataPlane, by_router, create_services

STORIES: dict[str, Story] = {}
STEPS: Sequence[Mapping[str, Any]] = ({"setWeight": 20}, {"setWeight": 60}, {"pause": {}})


def story(function: Story) -> Story:
    """Register a story."""
    STORIES[function.__name__] = function
    return function


def _told(
    *script: Change,
    services: Sequence[str] = ("s", "c"),
    follows: float | None = 0,
    images: Mapping[str, Behaviour] | None = None,
) -> Scenario:
    world = World(START, dict(images or {}), followers=(DataPlane(follows),))
    return Scenario(world, (*create_services(*services), *script))


def _deny(at: float, says: str, message: str | None) -> Change:
    def do(world: World) -> None:
        world.objects.denials = {} if message is None else {SPLIT: message}

    return Change(at, says, do)


def _replace(at: float, image: str) -> Change:
    """Return a change: the pods of an image are deleted, so that others take their place."""

    def do(world: World) -> None:
        sets = [each for each in world.replica_sets.values() if image_of(each["spec"]["template"]) == image]
        world.delete_pods([pod.name for each in sets for pod in world.pods_of(each)])

    return Change(at, f"the pods of {image} are replaced", do)


@story
def routed_update_with_verification() -> Scenario:
    """With a router stable keeps its pods, each weight waits for pods and is verified, and the old pods go last"""
    return _told(
        create(0, by_router(steps=STEPS, verifies=True)), set_image(10, "web", "app:2"), resume(60, "web"), follows=3
    )


@story
def routed_abort_and_retry() -> Scenario:
    """An abort moves the traffic back at once; the canary's pods stay for the requests under way, or for a retry"""
    return _told(
        create(0, by_router(steps=STEPS)),
        set_image(10, "web", "app:2"),
        abort(60, "web"),
        retry(70, "web"),
        abort(100, "web"),
    )


@story
def routed_dynamic_stable_scale() -> Scenario:
    """With dynamicStableScale stable gives up pods only once the router has been seen to follow"""
    return _told(
        create(0, by_router(steps=STEPS, dynamicStableScale=True, verifies=True)),
        set_image(10, "web", "app:2"),
        resume(60, "web"),
        follows=3,
    )


@story
def routed_dynamic_abort() -> Scenario:
    """An abort with dynamicStableScale first scales stable up; traffic moves back as far as its pods carry it"""
    return _told(
        create(0, by_router(steps=STEPS, replicas=10, dynamicStableScale=True, minReadySeconds=2)),
        set_image(20, "web", "app:2"),
        fail(60, "app:1", 1),
        abort(60, "web"),
        scale(100, "web", 9),
        images={"app:2": Behaviour(ready_after=3)},
    )


@story
def routed_full_promotion_with_dynamic_stable_scale() -> Scenario:
    """A full promotion with dynamicStableScale lets the weight follow the canary's pods"""
    return _told(
        create(0, by_router(steps=STEPS, dynamicStableScale=True)),
        set_image(10, "web", "app:2"),
        promote_full(60, "web"),
    )


@story
def routed_ping_pong() -> Scenario:
    """Of a pair of Services the other one becomes stable: promotion moves no traffic, and switches no Service"""
    return _told(
        create(0, by_router(steps=STEPS, services=PAIR)),
        set_image(10, "web", "app:2"),
        resume(60, "web"),
        set_image(120, "web", "app:3"),
        services=("ping", "pong"),
    )


@story
def routed_sticky_clients() -> Scenario:
    """Clients that stick cost no write of their own; a third version lets all leave the second one at once"""
    sticky: Mapping[str, Any] = {"sessionAffinity": {}}
    return _told(
        create(0, by_router(steps=STEPS, trafficRouting=sticky)),
        set_image(10, "web", "app:2"),
        set_image(30, "web", "app:3"),
        abort(60, "web"),
    )


@story
def routed_managed_routes() -> Scenario:
    """Header routes and mirrors go with the canary's last pod, come back with its pods, and are gone at the end"""
    match: Mapping[str, Any] = {"headerName": "X-QA", "headerValue": {"exact": "1"}}
    steps: Sequence[Mapping[str, Any]] = (
        {"setCanaryScale": {"replicas": 1}},
        {"setHeaderRoute": {"name": "qa", "match": [match]}},
        {"setMirrorRoute": {"name": "copy", "match": [{"method": {"exact": "GET"}}], "percentage": 50}},
        {"pause": {}},
        {"setMirrorRoute": {"name": "copy"}},
        {"setWeight": 60},
        {"pause": {}},
    )
    listed: Mapping[str, Any] = {"managedRoutes": [{"name": "qa"}, {"name": "copy"}]}
    return _told(
        create(0, by_router(steps=steps, trafficRouting=listed)),
        set_image(10, "web", "app:2"),
        fail(40, "app:2", 1),
        _replace(50, "app:2"),
        resume(60, "web"),
        resume(90, "web"),
    )


@story
def routed_canary_scale() -> Scenario:
    """setCanaryScale sizes the canary apart from its weight, until it is told to match the weight again"""
    steps: Sequence[Mapping[str, Any]] = (
        {"setCanaryScale": {"replicas": 3}},
        {"setWeight": 20},
        {"pause": {}},
        {"setCanaryScale": {"matchTrafficWeight": True}},
        {"setWeight": 60},
    )
    return _told(create(0, by_router(steps=steps)), set_image(10, "web", "app:2"), resume(60, "web"))


@story
def routed_third_version() -> Scenario:
    """A third version: the second one's traffic goes back to stable before its Service is given to the third"""
    return _told(
        create(0, by_router(steps=STEPS, dynamicStableScale=True)),
        set_image(10, "web", "app:2"),
        set_image(30, "web", "app:3"),
    )


@story
def routed_rollback_in_mid_update() -> Scenario:
    """Back to the stable image in mid-update, with dynamicStableScale: stable needs its pods first"""
    return _told(
        create(0, by_router(steps=STEPS, dynamicStableScale=True)),
        set_image(10, "web", "app:2"),
        set_image(30, "web", "app:1"),
    )


@story
def routed_canary_without_pods() -> Scenario:
    """A canary whose pods all fail loses its traffic at once; a new size reaches the previous pods no more"""
    return _told(
        create(0, by_router(steps=STEPS)),
        set_image(10, "web", "app:2"),
        fail(30, "app:2", 9),
        scale(60, "web", 8),
    )


@story
def routed_and_refused() -> Scenario:
    """The API server refuses a router's object: it is asked again later and later, until it takes it"""
    return _told(
        create(0, by_router(steps=STEPS[:1])),
        set_image(20, "web", "app:2"),
        _deny(10, "a webhook refuses changes of the split", "spec.shares: only on Mondays"),
        _deny(60, "the webhook is gone", None),
    )
