"""Which pods does `spec.restartAt` still ask to be replaced, and how many of them may go now?"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from rollouts.api.timestamps import format_time
from rollouts.plan.actions import EvictPod
from rollouts.plan.observed import Observed, Pod
from rollouts.plan.replicas import Bounds
from rollouts.plan.revisions import Revisions
from rollouts.plan.state import State

LOOK_AGAIN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Restart:
    """What a restart needs in this pass; `state` tells when it is over."""

    state: State
    actions: tuple[EvictPod, ...] = ()
    wake_at: datetime | None = None
    because: tuple[str, ...] = ()


def is_restart_due(restart_at: datetime | None, restarted_at: datetime | None, now: datetime) -> bool:
    """Whether pods that are older than `restart_at` are to be replaced now."""
    return restart_at is not None and restart_at <= now and (restarted_at is None or restarted_at < restart_at)


def plan_restart(here: Observed, revisions: Revisions, bounds: Bounds, state: State, now: datetime) -> Restart:
    """Evict pods created before `restartAt`, no more at a time than may be unavailable; they are not surged."""
    restart_at = here.rollout.spec.restart_at
    if restart_at is None or not is_restart_due(restart_at, state.restarted_at, now):
        is_ahead = restart_at is not None and restart_at > now
        ahead = (f"a restart is asked for at {format_time(restart_at)}",) if restart_at is not None and is_ahead else ()
        return Restart(state, wake_at=restart_at if is_ahead else None, because=ahead)
    if here.pods is None:
        return Restart(state, because=("a restart is due: its pods have not been listed yet",))
    # Others may carry our labels: the pods of a Deployment that this Rollout replaces, for one.
    ours = _in_order(here.pods, revisions)
    old = [pod for pod in ours if pod.created < restart_at]
    if not old:
        return Restart(replace(state, restarted_at=restart_at))
    available = sum(pod.is_available for pod in ours)
    size = max(bounds.replicas, sum(each.size for each in revisions.all))
    room = max(0, available - (size - max(bounds.unavailable, 1)))
    evicted = [pod for pod in old if not pod.is_deleting][:room]
    return Restart(
        state,
        actions=tuple(EvictPod(pod.name, pod.uid) for pod in evicted),
        wake_at=now + LOOK_AGAIN,
        because=(f"restarting: {_pods_are(len(old))} older than spec.restartAt",),
    )


def last_replacement(here: Observed, revisions: Revisions, state: State, now: datetime) -> datetime | None:
    """Return when the latest pod of a restart under way was created; None where there is no restart, or no such pod."""
    restart_at = here.rollout.spec.restart_at
    if restart_at is None or not is_restart_due(restart_at, state.restarted_at, now):
        return None
    replaced = (pod.created for pod in _in_order(here.pods or (), revisions) if pod.created >= restart_at)
    return max(replaced, default=None)


def _pods_are(count: int) -> str:
    return "1 pod is" if count == 1 else f"{count} pods are"


def _in_order(pods: tuple[Pod, ...], revisions: Revisions) -> list[Pod]:
    """Return the pods of our ReplicaSets: stable's first, then the canary's, then the others'; oldest first."""
    first = [each.uid for each in (revisions.stable, revisions.canary) if each is not None]
    owners = [*first, *(each.uid for each in revisions.others)]
    places = {uid: place for place, uid in reversed(list(enumerate(owners)))}
    ours = [pod for pod in pods if pod.owner_uid in places]
    return sorted(ours, key=lambda pod: (places[pod.owner_uid], pod.created))
