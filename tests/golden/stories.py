"""Which whole rollouts are told? One function per story: its name is the file, its docstring the title."""

from collections.abc import Callable, Mapping
from typing import Any

from rollouts.sim.pods import Behaviour
from rollouts.sim.scenario import (
    Change,
    Scenario,
    abort,
    create,
    fail,
    patch_spec,
    patch_status,
    promote_full,
    resume,
    retry,
    scale,
    set_image,
)
from rollouts.sim.world import World
from tests.plan.given import START, Raw, blue_green, rollout, service

Story = Callable[[], Scenario]
STORIES: dict[str, Story] = {}


def story(function: Story) -> Story:
    """Register a story."""
    STORIES[function.__name__] = function
    return function


def _told(*script: Change, lasts: float = 3600, images: Mapping[str, Behaviour] | None = None) -> Scenario:
    return Scenario(World(START, dict(images or {})), script, lasts)


def _service(name: str) -> Change:
    return Change(0, f'Service "{name}" is created', lambda world: world.create_service(service(name)))


@story
def first_deploy_then_update_with_pauses() -> Scenario:
    """A first deploy needs no steps; an update waits for its pauses, and a patch of the status resumes it"""
    return _told(create(0, rollout()), set_image(10, "web", "app:2"), resume(60, "web"))


@story
def abort_then_retry() -> Scenario:
    """An aborted update goes back to stable, and a retry begins at the first step again"""
    return _told(
        create(0, rollout()),
        set_image(10, "web", "app:2"),
        abort(60, "web"),
        retry(90, "web"),
        resume(120, "web"),
    )


@story
def crash_aborts_by_deadline() -> Scenario:
    """A canary that crashes is aborted once its deadline has passed, and stable never loses a pod"""
    return _told(
        create(0, rollout(progressDeadlineSeconds=30, progressDeadlineAbort=True)),
        set_image(10, "web", "app:crash"),
        patch_status(60, "web", "somebody retries it with null, as some dashboards do", abort=None),
        set_image(120, "web", "app:1"),
        images={"app:crash": Behaviour(ready_after=None)},
    )


@story
def crash_is_only_reported() -> Scenario:
    """Without progressDeadlineAbort a canary that crashes is reported, and goes on once its pods get ready"""
    return _told(
        create(0, rollout(progressDeadlineSeconds=30)),
        set_image(10, "web", "app:slow"),
        images={"app:slow": Behaviour(ready_after=50)},
        lasts=400,
    )


@story
def third_version_before_the_second_is_done() -> Scenario:
    """A third version replaces an unfinished second one, whose pods go before stable's do"""
    return _told(
        create(0, rollout()),
        set_image(10, "web", "app:2"),
        set_image(30, "web", "app:3"),
        resume(60, "web"),
    )


@story
def scaled_in_mid_update() -> Scenario:
    """An autoscaler changes the size in mid-update: the shares of the step are kept at the new size"""
    return _told(
        create(0, rollout()),
        set_image(10, "web", "app:2"),
        scale(30, "web", 10),
        scale(50, "web", 4),
        resume(70, "web"),
    )


@story
def rollback_in_mid_update() -> Scenario:
    """Back to the stable image in mid-update: no step is needed, and the revision is a new one"""
    return _told(create(0, rollout()), set_image(10, "web", "app:2"), set_image(30, "web", "app:1"))


@story
def rollback_after_promotion() -> Scenario:
    """Back to an earlier image after promotion: it goes through all steps, on the ReplicaSet that it had"""
    return _told(
        create(0, rollout(steps=[{"setWeight": 50}])),
        set_image(10, "web", "app:2"),
        set_image(60, "web", "app:1"),
    )


@story
def rollback_within_the_window() -> Scenario:
    """Back to the revision before, within rollbackWindow: no step is run, and stable is exchanged in small parts"""
    return _told(
        create(0, rollout(replicas=2, rollbackWindow={"revisions": 1})),
        set_image(10, "web", "app:2"),
        promote_full(30, "web"),
        set_image(60, "web", "app:1"),
    )


@story
def rollback_beyond_the_window() -> Scenario:
    """Two revisions back are too far for a window of 1; widened in mid-update, it skips the steps that are left"""
    return _told(
        create(0, rollout(replicas=2, steps=None, rollbackWindow={"revisions": 1})),
        set_image(10, "web", "app:2"),
        set_image(60, "web", "app:3"),
        patch_spec(90, "web", "it gets steps", strategy={"canary": {"steps": [{"setWeight": 20}, {"pause": {}}]}}),
        set_image(100, "web", "app:1"),
        patch_spec(150, "web", "the window is widened to 2 revisions", rollbackWindow={"revisions": 2}),
    )


@story
def full_promotion() -> Scenario:
    """A full promotion skips steps and pauses, but never the limits of surge and unavailability"""
    return _told(create(0, rollout()), set_image(10, "web", "app:2"), promote_full(30, "web"))


@story
def slow_pods() -> Scenario:
    """Pods that take their time: minReadySeconds count before a pod does"""
    return _told(
        create(0, rollout(replicas=3, minReadySeconds=10, steps=[{"setWeight": 50}])),
        set_image(60, "web", "app:2"),
        images={"app:1": Behaviour(ready_after=5), "app:2": Behaviour(ready_after=20)},
    )


@story
def paused_by_the_spec() -> Scenario:
    """spec.paused stops everything where it is, and lets go again"""
    return _told(
        create(0, rollout(steps=[{"setWeight": 40}])),
        set_image(10, "web", "app:2"),
        patch_spec(11, "web", "spec.paused becomes true", paused=True),
        patch_spec(40, "web", "spec.paused becomes false", paused=False),
    )


@story
def without_steps() -> Scenario:
    """Without steps an update replaces the pods as a Deployment does"""
    return _told(create(0, rollout(steps=None)), set_image(10, "web", "app:2"))


@story
def a_broken_spec_is_corrected() -> Scenario:
    """A spec that can't work says why and touches nothing; corrected, the update goes on"""
    return _told(
        create(0, rollout(steps=[{"setWeight": 40}])),
        set_image(10, "web", "app:2"),
        patch_spec(12, "web", "a step gets a weight of 140", strategy={"canary": {"steps": [{"setWeight": 140}]}}),
        patch_spec(60, "web", "it is corrected to 60", strategy={"canary": {"steps": [{"setWeight": 60}]}}),
    )


@story
def services_follow_the_pods() -> Scenario:
    """The Services follow: stableService to stable, canaryService to the canary, and back to stable on abort"""
    services = {"stableService": "web-stable", "canaryService": "web-canary"}
    return _told(
        *map(_service, services.values()),
        create(0, rollout(steps=[{"setWeight": 40}, {"pause": {}}], canary=services)),
        set_image(10, "web", "app:2"),
        abort(30, "web"),
        retry(50, "web"),
        resume(70, "web"),
    )


@story
def a_full_canary_waits_for_people() -> Scenario:
    """At weight 100 the stable Service keeps its last pod, until the canary is promoted and the Service switched"""
    services = {"stableService": "web-stable", "canaryService": "web-canary"}
    steps: list[Raw] = [{"setWeight": 50}, {"setWeight": 100}, {"pause": {}}]
    return _told(
        *map(_service, services.values()),
        create(0, rollout(replicas=2, steps=steps, canary=services)),
        set_image(10, "web", "app:2"),
        resume(60, "web"),
    )


@story
def stable_pods_fail_in_mid_update() -> Scenario:
    """Stable pods fail for good in mid-update: the canary may go on, but no available pod is taken away"""
    return _told(
        create(0, rollout(canary={"maxSurge": 1, "maxUnavailable": 1})),
        set_image(10, "web", "app:2"),
        fail(30, "app:1", 2),
        resume(60, "web"),
    )


@story
def the_api_server_refuses_the_template() -> Scenario:
    """The API server refuses the template: it is asked again later and later, until the template changes"""
    return _told(
        create(0, rollout()),
        set_image(10, "web", "app:bad"),
        set_image(100, "web", "app:2"),
        images={"app:bad": Behaviour(refusal='spec.template: Invalid value: "bad"')},
        lasts=200,
    )


@story
def restart_in_small_parts() -> Scenario:
    """restartAt replaces pods a few at a time"""
    return _told(
        create(0, rollout(canary={"maxUnavailable": 2})),
        patch_spec(20, "web", "spec.restartAt becomes now", restartAt="2026-01-01T00:00:20Z"),
    )


def _colours(rollout_: Raw, *script: Change, **told: Any) -> Scenario:
    return _told(_service("active"), _service("preview"), create(0, rollout_), *script, **told)


@story
def blue_green_update() -> Scenario:
    """Blue-green: the next version comes up in preview, the active Service follows, the old pods stay a while"""
    return _colours(blue_green(), set_image(10, "web", "app:2"))


@story
def blue_green_waits_for_people() -> Scenario:
    """Without autoPromotionEnabled the preview waits for somebody to promote it"""
    strategy = {"autoPromotionEnabled": False}
    return _colours(blue_green(strategy=strategy), set_image(10, "web", "app:2"), resume(60, "web"))


@story
def blue_green_small_preview() -> Scenario:
    """previewReplicaCount: one pod is enough to look at, and all of them come before the switch"""
    strategy = {"previewReplicaCount": 1, "autoPromotionSeconds": 20}
    return _colours(blue_green(strategy=strategy), set_image(10, "web", "app:2"))


@story
def blue_green_abort_and_retry() -> Scenario:
    """An abort before the switch: the preview stays for a while, clients notice nothing; a retry brings it back"""
    strategy = {"autoPromotionEnabled": False}
    return _colours(
        blue_green(strategy=strategy),
        set_image(10, "web", "app:2"),
        abort(30, "web"),
        retry(90, "web"),
        resume(120, "web"),
    )


@story
def blue_green_fast_rollback() -> Scenario:
    """Back to the version before while its pods are still up: the Service goes back at once, without a pause"""
    strategy = {"autoPromotionEnabled": False}
    return _colours(
        blue_green(strategy=strategy),
        set_image(10, "web", "app:2"),
        resume(60, "web"),
        set_image(75, "web", "app:1"),
    )


@story
def blue_green_third_version() -> Scenario:
    """A third version before the second is promoted: the active version stays, the second one goes after its delay"""
    strategy = {"autoPromotionEnabled": False}
    return _colours(
        blue_green(strategy=strategy),
        set_image(10, "web", "app:2"),
        set_image(30, "web", "app:3"),
        resume(50, "web"),
    )


@story
def blue_green_scaled_in_mid_update() -> Scenario:
    """An autoscaler changes the size in preview and during the delay: every version that is up follows"""
    strategy = {"autoPromotionEnabled": False}
    return _colours(
        blue_green(strategy=strategy),
        set_image(10, "web", "app:2"),
        scale(30, "web", 8),
        resume(50, "web"),
        scale(60, "web", 3),
    )


@story
def metadata_follows_the_role() -> Scenario:
    """Pods carry the metadata of their role: canary while the update is under way, stable once it is promoted"""
    metadata = {
        "canaryMetadata": {"labels": {"role": "canary"}, "annotations": {"watch": "closely"}},
        "stableMetadata": {"labels": {"role": "stable"}},
    }
    return _told(
        create(0, rollout(replicas=2, steps=[{"setWeight": 50}, {"pause": {}}], canary=metadata)),
        set_image(10, "web", "app:2"),
        resume(30, "web"),
    )


@story
def an_update_keeps_away_from_stable_nodes() -> Scenario:
    """Anti-affinity: the update's pods keep away from stable's nodes, until it is stable itself"""
    apart = {"antiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": {"weight": 50}}}
    return _told(
        create(0, rollout(replicas=2, steps=[{"setWeight": 50}, {"pause": {}}], canary=apart)),
        set_image(10, "web", "app:2"),
        set_image(20, "web", "app:3"),
        resume(40, "web"),
    )


@story
def blue_green_metadata_follows_the_role() -> Scenario:
    """Blue-green pods are told apart, too: previewMetadata before the switch, activeMetadata after it"""
    strategy = {
        "autoPromotionEnabled": False,
        "previewMetadata": {"labels": {"role": "preview"}},
        "activeMetadata": {"labels": {"role": "active"}},
        "antiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {}},
    }
    return _colours(blue_green(strategy=strategy, replicas=2), set_image(10, "web", "app:2"), resume(60, "web"))


@story
def canary_becomes_blue_green() -> Scenario:
    """The strategy changes in mid-update: stable keeps serving, and the same Services are used in other roles"""
    canary = {"stableService": "active", "canaryService": "preview"}
    blue_green_ = {"activeService": "active", "previewService": "preview", "autoPromotionEnabled": False}
    return _colours(
        rollout(steps=[{"setWeight": 40}, {"pause": {}}], canary=canary),
        set_image(10, "web", "app:2"),
        patch_spec(30, "web", "the strategy becomes blue-green", strategy={"canary": None, "blueGreen": blue_green_}),
        resume(60, "web"),
    )


@story
def blue_green_becomes_canary() -> Scenario:
    """The other way: what blue-green has left goes, and the Services that nothing names any more are given back"""
    canary = {"steps": [{"setWeight": 40}, {"pause": {}}], "maxSurge": 1, "maxUnavailable": 0}
    return _colours(
        blue_green(strategy={"autoPromotionEnabled": False}),
        set_image(10, "web", "app:2"),
        patch_spec(30, "web", "the strategy becomes canary", strategy={"blueGreen": None, "canary": canary}),
        resume(60, "web"),
    )
