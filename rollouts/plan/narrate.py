"""Which events does a pass tell of? What was written, compared with what was there before, in the API's order."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from rollouts.api import keys
from rollouts.api.counts import parse_count
from rollouts.api.status import parse_status
from rollouts.plan import conditions
from rollouts.plan.actions import (
    EXPERIMENT,
    Action,
    CreateChild,
    CreateReplicaSet,
    EvictPod,
    PatchRollout,
    Plan,
    ScaleWorkload,
    SwitchService,
    UpdateReplicaSet,
)
from rollouts.plan.analysis.assess import COMPLETED, ERROR, FAILED, PENDING
from rollouts.plan.bound import title_of
from rollouts.plan.delays import is_unreadable
from rollouts.plan.elapsed import FAST_ROLLED_BACK
from rollouts.plan.observed import Observed
from rollouts.plan.revisions import replica_set_name, sort_out
from rollouts.plan.rollback import is_within_window
from rollouts.plan.status import RUNS
from rollouts.ports import Kit

Raw = Mapping[str, Any]

_PLUGINS = "stepPluginStatuses"


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes Event about the Rollout."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


def _normal(reason: str, message: str) -> Event:
    return Event("Normal", reason, message)


def narrate(
    here: Observed, plan: Plan, acknowledged: Collection[Action], *, status_written: bool, kit: Kit
) -> list[Event]:
    """Return the events of one pass, once its writes are done.

    Only acknowledged actions are told. A ReplicaSet that was created at its size is still told to have been scaled up
    from 0: one write fewer is no reason for one event fewer.
    """
    if plan.problem is not None:
        return list(invalid_spec(here.raw, plan)) if status_written else []
    events = [*_revision(acknowledged)]
    old = here.sound_status
    new = plan.status if status_written and plan.status is not None else None
    if new is not None:
        events += _beginning(here, old, new, acknowledged)
    events += _scaling(here, acknowledged)
    events += _deadlines(here, acknowledged)
    if new is not None:
        events += _transitions(old, new)
        events += _runs(here, old, new)
        events += _steps(here, old, new, kit)
        events += _weights(old, new)
        events += _end(here, old, new)
    events += _switches(acknowledged)
    return events


def invalid_spec(rollout: Raw, plan: Plan) -> Iterator[Event]:
    """Tell of a spec that can't be carried out, once for each problem: a status may be written for other reasons."""
    known, _ = parse_status(rollout.get("status"))
    before = conditions.find(known.conditions, conditions.INVALID_SPEC)
    if plan.problem is not None and (before is None or before.message != plan.problem):
        yield Event("Warning", conditions.INVALID_SPEC, plan.problem)


def _revision(acknowledged: Collection[Action]) -> Iterator[Event]:
    for action in acknowledged:
        if isinstance(action, PatchRollout) and keys.REVISION in action.annotations:
            revision = action.annotations[keys.REVISION]
            yield _normal("RolloutUpdated", f"Rollout updated to revision {revision}")
    for action in acknowledged:
        if isinstance(action, CreateChild) and action.kind == EXPERIMENT:
            yield _normal("ExperimentCreated", f"Created Experiment {action.name}")
        if isinstance(action, CreateReplicaSet):
            yield _normal("NewReplicaSetCreated", f"Created ReplicaSet {action.name} (revision {action.revision})")


def _condition(status: Raw, kind: str) -> Raw:
    found: Raw = next((each for each in status.get("conditions") or () if each.get("type") == kind), {})
    return found


def _has_turned(old: Raw, new: Raw, kind: str, reason: str) -> bool:
    return _condition(new, kind).get("reason") == reason != _condition(old, kind).get("reason")


def _revision_number(here: Observed, new: Raw, acknowledged: Collection[Action] = ()) -> int:
    """Return the revision of the ReplicaSet that `new` calls current, created in this pass or before."""
    name = replica_set_name(here.name, new.get("currentPodHash", ""))
    for action in acknowledged:
        if isinstance(action, CreateReplicaSet | UpdateReplicaSet) and action.name == name:
            return action.revision
    found = next((each.revision for each in here.replica_sets if each.name == name), 0)
    return found or _announced(here, acknowledged)


def _announced(here: Observed, acknowledged: Collection[Action]) -> int:
    """Return the revision that the Rollout's annotation tells: all there is while its ReplicaSet is refused."""
    patches = (action.annotations for action in acknowledged if isinstance(action, PatchRollout))
    text = next((each[keys.REVISION] for each in patches if keys.REVISION in each), None)
    return parse_count(text or here.annotations.get(keys.REVISION, "")) or 0


def _beginning(here: Observed, old: Raw, new: Raw, acknowledged: Collection[Action]) -> Iterator[Event]:
    kind = "Completed"
    if _is_unfinished(old) and old["currentPodHash"] != new.get("currentPodHash"):
        yield _superseded(here, old)
    if _condition(new, kind).get("status") == "False" and _condition(old, kind).get("status") != "False":
        revision, pod_hash = _revision_number(here, new, acknowledged), new.get("currentPodHash", "")
        yield _normal("RolloutNotCompleted", f"started update to revision {revision} ({pod_hash})")
    if _has_turned(old, new, conditions.PROGRESSING, conditions.CREATE_ERROR):
        yield Event("Warning", conditions.CREATE_ERROR, _condition(new, conditions.PROGRESSING)["message"])


def _is_unfinished(status: Raw) -> bool:
    current, stable = status.get("currentPodHash"), status.get("stableRS")
    return bool(current and stable) and current != stable and not status.get("abort")


def _superseded(here: Observed, old: Raw) -> Event:
    """Tell how the update before this one ended: status.duration has room for the latest one only."""
    pod_hash = old["currentPodHash"]
    revision = next((each.revision for each in here.replica_sets if each.pod_hash == pod_hash), 0)
    subject = f"revision {revision} ({pod_hash})" if revision else pod_hash
    return _normal("RolloutSuperseded", f"Update to {subject} was superseded before it was complete")


def _scaling(here: Observed, acknowledged: Collection[Action]) -> Iterator[Event]:
    for action in acknowledged:
        if isinstance(action, CreateReplicaSet) and action.size:
            yield _scaled(action.name, action.revision, 0, action.size)
        elif isinstance(action, UpdateReplicaSet) and action.size is not None:
            yield _scaled(action.name, action.revision, action.seen_size, action.size)
        elif isinstance(action, ScaleWorkload):
            direction = "up" if action.size > action.seen_size else "down"
            message = f"Scaled {direction} Deployment {action.name} from {action.seen_size} to {action.size}"
            yield _normal("ScalingDeployment", message)
        elif isinstance(action, EvictPod):
            yield _normal("PodEvicted", f"Evicted pod {action.name} of Rollout {here.name} to restart it")


def _deadlines(here: Observed, acknowledged: Collection[Action]) -> Iterator[Event]:
    """Tell of scale-down deadlines that nobody can read, as they are taken off."""
    texts = {each.name: each.annotations.get(keys.SCALE_DOWN_DEADLINE) for each in here.replica_sets}
    for action in acknowledged:
        if not isinstance(action, UpdateReplicaSet) or keys.SCALE_DOWN_DEADLINE not in action.annotations:
            continue
        text = texts.get(action.name)
        if text is not None and is_unreadable(text):
            message = f'The {keys.SCALE_DOWN_DEADLINE} "{text}" of ReplicaSet {action.name} is no time: taken as over'
            yield Event("Warning", "InvalidScaleDownDeadline", message)


def _scaled(name: str, revision: int, before: int, after: int) -> Event:
    direction = "up" if after > before else "down"
    message = f"Scaled {direction} ReplicaSet {name} (revision {revision}) from {before} to {after}"
    return _normal("ScalingReplicaSet", message)


def _steps(here: Observed, old: Raw, new: Raw, kit: Kit) -> Iterator[Event]:
    canary = here.rollout.spec.strategy.canary if here.rollout.spec.strategy else None
    count = len(canary.steps or ()) if canary else 0
    has_new_template = old.get("currentPodHash") != new.get("currentPodHash")
    index = old.get("currentStepIndex")
    skipped = _skipped_steps(here, old, new) if count and new.get("currentStepIndex") == count else ""
    if skipped:
        yield _normal("SkipSteps", skipped)
    elif (
        canary and not has_new_template and _completes_step(old, new) and isinstance(index, int) and 0 <= index < count
    ):
        title = title_of(canary.steps[index], kit)
        yield _normal("RolloutStepCompleted", f"Rollout step {index + 1}/{count} completed ({title})")
    yield from _pauses(old, new)


def _skipped_steps(here: Observed, old: Raw, new: Raw) -> str:
    """Say which way back it is that needs no steps, if this pass has found out that it is one."""
    has_new_template = old.get("currentPodHash") != new.get("currentPodHash")
    stable = old.get("stableRS")
    if not stable or new.get("promoteFull") or old.get("promoteFull"):
        return ""
    if has_new_template and stable == new.get("currentPodHash"):
        return "Rollback to stable ReplicaSets"
    revisions = sort_out(here)
    is_news = has_new_template or old.get("currentStepIndex") != new.get("currentStepIndex")
    if not is_news or not is_within_window(here, revisions):
        return ""
    has_pods = revisions.canary is not None and revisions.canary.size > 0
    return f"Rollback to {'active ' if has_pods else ''}ReplicaSets within RollbackWindow"


def _completes_step(old: Raw, new: Raw) -> bool:
    if not old.get("stableRS"):
        return False  # a first deploy runs no steps
    if old.get("promoteFull") or new.get("abort") or old.get("currentStepHash") != new.get("currentStepHash"):
        return False
    before, after = old.get("currentStepIndex"), new.get("currentStepIndex")
    return isinstance(before, int) and after == before + 1


def _pauses(old: Raw, new: Raw) -> Iterator[Event]:
    was_paused = bool(old.get("pauseConditions") or old.get("controllerPause"))
    pauses = new.get("pauseConditions") or []
    begins_pause = pauses and pauses != old.get("pauseConditions")
    if was_paused and not new.get("abort") and (not pauses or begins_pause):
        yield _normal("RolloutResumed", "Rollout is resumed")
    if begins_pause:
        yield _normal("RolloutPaused", f"Rollout is paused ({pauses[0]['reason']})")


def _transitions(old: Raw, new: Raw) -> Iterator[Event]:
    """Tell of each operation of a step plugin that has begun or come to another phase."""
    before, now = (
        {(each.get("index"), each.get("operation")): each for each in (status.get("canary") or {}).get(_PLUGINS) or ()}
        for status in (old, new)
    )
    for place, each in now.items():
        phase = "Disabled" if each.get("disabled") else each.get("phase")
        if phase == before.get(place, {}).get("phase") or (each.get("disabled") and place in before):
            continue
        said = f": {each['message']}" if each.get("message") else ""
        message = f"Step {each['index'] + 1}: {each['operation']} of plugin {each['name']} is {phase}{said}"
        yield Event("Warning" if phase in {"Failed", "Error"} else "Normal", "StepPluginTransition", message)


def _weights(old: Raw, new: Raw) -> Iterator[Event]:
    """Tell of a route that is in force by now, once it gives the canary another weight."""
    canaries = [status.get("canary") or {} for status in (old, new)]
    # A pair of Services that has changed over in this very pass: what is stable's from now on is told as the canary's.
    has_turned = canaries[0].get("stablePingPong") and len({each.get("stablePingPong") for each in canaries}) > 1
    before, now = (
        (each.get("weights") or {}).get(side)
        for each, side in zip(canaries, ("canary", "stable" if has_turned else "canary"), strict=True)
    )
    others, others_now = ((each.get("weights") or {}).get("additional") or [] for each in canaries)
    if now is None or (before is not None and before["weight"] == now["weight"] and others == others_now):
        return
    change = f"to {now['weight']}" if before is None else f"from {before['weight']} to {now['weight']}"
    shares = ", ".join(f"{each.get('serviceName') or each['podTemplateHash']} {each['weight']}" for each in others_now)
    additional = f", additional: {shares or 'none'}" if others != others_now else ""
    yield _normal("TrafficWeightUpdated", f"Traffic weight updated {change}{additional}")


def _runs(here: Observed, old: Raw, new: Raw) -> Iterator[Event]:
    """Tell of an analysis run of ours that has another phase than before; one that has just been named has none.

    A step that is complete forgets its run: how that ended is told all the same.
    """
    for slot, (part, name) in RUNS.items():
        before, now = ((status.get(part) or {}).get(name) or {} for status in (old, new))
        if before and not now:
            now = {"name": before["name"], "status": _end_of(here, before["name"])}
        phase = now.get("status") or PENDING
        is_same = before.get("name") == now.get("name")
        previous = before.get("status") if is_same else PENDING
        if phase in {PENDING, previous}:
            continue
        told = "NoPreviousStatus" if previous == PENDING else previous
        yield Event(
            "Warning" if phase in {FAILED, ERROR} else "Normal",
            f"AnalysisRun{phase}",
            f"{slot} Analysis Run '{now['name']}' Status New: '{phase}' Previous: '{told}'",
        )


def _end_of(here: Observed, name: str) -> str:
    """Return how an analysis run has ended; empty if it has not."""
    run = next((each for each in here.runs if each["metadata"]["name"] == name), {})
    phase = (run.get("status") or {}).get("phase", "")
    return phase if phase in COMPLETED else ""


def _end(here: Observed, old: Raw, new: Raw) -> Iterator[Event]:
    if _has_turned(old, new, conditions.PROGRESSING, conditions.ABORTED):
        yield Event("Warning", conditions.ABORTED, _condition(new, conditions.PROGRESSING)["message"])
    if new.get("stableRS") and new.get("stableRS") != old.get("stableRS"):
        revision, pod_hash = _revision_number(here, new), new["stableRS"]
        why = _completion_reason(here, old, new)
        yield _normal("RolloutCompleted", f"Rollout completed update to revision {revision} ({pod_hash}): {why}")


def _completion_reason(here: Observed, old: Raw, new: Raw) -> str:
    if not old.get("stableRS"):
        return "Initial deploy"
    if old.get("promoteFull"):
        return "Full promotion requested"
    if is_within_window(here, sort_out(here)):
        return "Rollback within window"
    if here.rollout.spec.strategy and here.rollout.spec.strategy.blue_green:
        is_fast = (new.get("duration") or {}).get("completionStatus") == FAST_ROLLED_BACK
        return "Fast rollback" if is_fast else "Completed blue-green update"
    canary = here.rollout.spec.strategy.canary if here.rollout.spec.strategy else None
    return f"Completed all {len(canary.steps or ()) if canary else 0} canary steps"


def _switches(acknowledged: Collection[Action]) -> Iterator[Event]:
    for action in acknowledged:
        if isinstance(action, SwitchService) and action.from_hash != action.pod_hash:
            message = f"Switched selector for service '{action.name}' from '{action.from_hash}' to '{action.pod_hash}'"
            yield _normal("SwitchService", message)
