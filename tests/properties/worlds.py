"""Which worlds can there be? Strategies for specs, scripts and faults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from hypothesis import strategies as st

from rollouts.api import keys
from rollouts.api.timestamps import format_time
from rollouts.sim.faults import Fault, Trouble
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
from tests.plan.given import START, rollout, service

NAME = "web"
SERVICES = {"stableService": "web-stable", "canaryService": "web-canary"}
IMAGES = ("app:1", "app:2", "app:3", "app:5")
# How long the controller is left alone after the last change: longer than the longest deadline, pause and slow pods.
QUIET = 2000.0


@dataclass(frozen=True)
class Trial:
    """One world as it is drawn: everything needed to run it, as often as one likes."""

    rollout: Mapping[str, Any]
    images: Mapping[str, Behaviour]
    script: Sequence[Change]
    faults: Mapping[int, Fault]

    def scenario(self) -> Scenario:
        """Return a new world with the script that happens in it."""
        end = max((change.at for change in self.script), default=0.0)
        world = World(START, dict(self.images))
        for name in SERVICES.values():
            world.create_service(service(name))
        return Scenario(world, (create(0, dict(self.rollout)), *self.script), end + QUIET)


bounds = st.one_of(st.integers(0, 4), st.integers(0, 100).map(lambda percent: f"{percent}%"))


def _can_move(pair: tuple[int | str, int | str]) -> bool:
    return any(str(value).rstrip("%").strip("0") for value in pair)


timed_steps: st.SearchStrategy[Mapping[str, Any]] = st.one_of(
    st.builds(lambda weight: {"setWeight": weight}, st.integers(0, 100)),
    st.builds(lambda seconds: {"pause": {"duration": seconds}}, st.integers(0, 30)),
)
steps: st.SearchStrategy[Mapping[str, Any]] = st.one_of(timed_steps, st.just({"pause": {}}))


@st.composite
def specs(
    draw: st.DrawFn, step: st.SearchStrategy[Any] = steps, spec: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Any]:
    """Draw a valid Rollout."""
    surge, unavailable = draw(st.tuples(bounds, bounds).filter(_can_move))
    named = draw(st.sampled_from(((), (), ("stableService",), ("stableService", "canaryService"))))
    history: dict[str, Any] = {
        "rollbackWindow": draw(st.none() | st.builds(lambda revisions: {"revisions": revisions}, st.integers(0, 3))),
        "revisionHistoryLimit": draw(st.none() | st.integers(0, 3)),
    }
    return rollout(
        replicas=draw(st.integers(0, 8)),
        steps=draw(st.none() | st.lists(step, max_size=4)),
        canary={"maxSurge": surge, "maxUnavailable": unavailable, **{each: SERVICES[each] for each in named}},
        minReadySeconds=draw(st.sampled_from((0, 0, 5))),
        **history,
        **spec,
    )


def _images(draw: st.DrawFn, *, may_crash: bool) -> dict[str, Behaviour]:
    ready = st.sampled_from((0, 1, 2, 7, 20))
    crash = st.sampled_from((None, None, None, 3)) if may_crash else st.none()
    never = st.sampled_from((False, False, False, True)) if may_crash else st.sampled_from((False,))
    made = {image: Behaviour(draw(ready), draw(crash)) for image in IMAGES}
    for image in IMAGES[1:]:
        if draw(never):
            made[image] = Behaviour(ready_after=None)
    return made


def _people(at: float) -> st.SearchStrategy[Change]:
    """Return what people and autoscalers may do at a time."""
    return st.one_of(
        st.sampled_from(IMAGES).map(lambda image: set_image(at, NAME, image)),
        st.integers(0, 9).map(lambda size: scale(at, NAME, size)),
        st.just(resume(at, NAME)),
        st.just(abort(at, NAME)),
        st.just(retry(at, NAME)),
        st.just(promote_full(at, NAME)),
        st.integers(-2, 6).map(
            lambda index: patch_status(at, NAME, f"index {index}", currentStepIndex=index, pauseConditions=None)
        ),
        st.just(patch_spec(at, NAME, "restart", restartAt=format_time(START + timedelta(seconds=at)))),
        st.integers(0, 3).map(
            lambda revisions: patch_spec(at, NAME, f"window {revisions}", rollbackWindow={"revisions": revisions})
        ),
        st.integers(0, 3).map(lambda limit: patch_spec(at, NAME, f"history {limit}", revisionHistoryLimit=limit)),
        st.booleans().map(lambda paused: patch_spec(at, NAME, f"paused {paused}", paused=paused)),
        st.lists(steps, max_size=3).map(
            lambda new: patch_spec(at, NAME, f"steps {new}", strategy={"canary": {"steps": new}})
        ),
        st.tuples(bounds, bounds)
        .filter(_can_move)
        .map(
            lambda pair: patch_spec(
                at, NAME, f"bounds {pair}", strategy={"canary": {"maxSurge": pair[0], "maxUnavailable": pair[1]}}
            )
        ),
    )


def _failures(at: float) -> st.SearchStrategy[Change]:
    """Return which pods may fail at a time."""
    return st.builds(lambda image, count: fail(at, image, count), st.sampled_from(IMAGES), st.integers(1, 4))


def _rubbish(at: float) -> st.SearchStrategy[Change]:
    """Return what others may write into the status."""
    values = st.one_of(st.none(), st.text(max_size=3), st.integers(-9, 9), st.booleans(), st.just([]), st.just([{}]))
    fields = st.sampled_from(
        ("currentStepIndex", "pauseConditions", "conditions", "currentPodHash", "controllerPause", "abortedAt", "phase",
         "replicas", "collisionCount", "duration", "canary", "restartedAt", "currentStepHash", "observedGeneration")
    )  # fmt: skip
    return st.tuples(fields, values).map(lambda pair: patch_status(at, NAME, f"rubbish {pair}", **{pair[0]: pair[1]}))


def _edits(at: float) -> st.SearchStrategy[Change]:
    """Return what others may write into annotations that are ours: of the Rollout, of ReplicaSets, of Services."""
    texts = st.one_of(st.none(), st.text(max_size=3), st.integers(-1, 12).map(str), st.just("9" * 30), _times())
    ours = st.sampled_from(
        (keys.REVISION, keys.REVISION_HISTORY, keys.DESIRED_REPLICAS, keys.SCALE_DOWN_DEADLINE, keys.TEMPLATE_DIGEST,
         keys.MANAGED_BY)
    )  # fmt: skip
    return st.builds(lambda place, key, text: edit(at, place, key, text), st.integers(0, 7), ours, texts)


def _times() -> st.SearchStrategy[str]:
    return st.integers(0, 3000).map(lambda seconds: format_time(START + timedelta(seconds=seconds)))


def edit(at: float, place: int, key: str, text: str | None) -> Change:
    """Edit an annotation of one of the objects that are there by then."""

    def do(world: World) -> None:
        patch = {"metadata": {"annotations": {key: text}}}
        if key == keys.MANAGED_BY:
            if text is None:  # another Rollout's name there makes the spec invalid: that is told elsewhere
                world.patch_service(sorted(world.services)[place % len(world.services)], patch)
            return
        names = sorted(world.replica_sets)
        if place % (len(names) + 1) < len(names):
            world.patch_replica_set(names[place % (len(names) + 1)], patch)
        else:
            world.patch_rollout(NAME, patch)

    return Change(at, f"annotation {key} of object {place} becomes {text!r}", do)


@st.composite
def scripts(draw: st.DrawFn, *, may_crash: bool = False, may_be_rubbish: bool = False) -> list[Change]:
    """Draw an update, and what happens around it."""
    at, script = 30.0, [set_image(30, NAME, "app:2")]
    for _ in range(draw(st.integers(0, 5))):
        at += draw(st.sampled_from((0, 1, 1.5, 3, 10, 40)))
        kinds = [_people(at)]
        if may_crash:
            kinds.append(_failures(at))
        if may_be_rubbish:
            kinds += [_rubbish(at), _edits(at)]
        script.append(draw(st.one_of(kinds)))
    return script


def faults(*troubles: Trouble) -> st.SearchStrategy[dict[int, Fault]]:
    """Draw faults of some kinds for some of the first passes."""
    one = st.builds(Fault, st.sampled_from(troubles), st.integers(0, 3) | st.integers(0, 255))
    return st.dictionaries(st.integers(0, 60), one, max_size=12)


@st.composite
def trials(
    draw: st.DrawFn,
    *,
    may_crash: bool = False,
    may_be_rubbish: bool = False,
    troubles: Sequence[Trouble] = tuple(Trouble),
    step: st.SearchStrategy[Any] = steps,
) -> Trial:
    """Draw a whole world."""
    limits = {"progressDeadlineSeconds": 60, "progressDeadlineAbort": draw(st.booleans())}
    return Trial(
        draw(specs(step, limits)),
        _images(draw, may_crash=may_crash),
        draw(scripts(may_crash=may_crash, may_be_rubbish=may_be_rubbish)),
        draw(faults(*troubles)) if troubles else {},
    )
