"""Is the update getting anywhere? The conditions of a canary, and the deadline that runs while it doesn't."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollouts.api.meta import Condition
from rollouts.plan import conditions
from rollouts.plan.conditions import Wanted
from rollouts.plan.observed import Observed
from rollouts.plan.revisions import Revisions, replica_set_name
from rollouts.plan.services import Selection
from rollouts.plan.state import State
from rollouts.plan.status import Counts


@dataclass(frozen=True, slots=True)
class Facts:
    """What the conditions are made from.

    `before` is the state that was read, `after` the one decided. `patient` tells that the current step waits for
    something else than pods. `cause` says why the controller itself aborted, `refused` why the canary's ReplicaSet
    can't be created, `creates` the name of the one being created. `scales` tells that this pass asks for another size.
    `selection` is what a blue-green rollout's Services select, None for a canary. `replaced_at` is when a restart has
    last brought a new pod: as long as it does, there is progress.
    """

    here: Observed
    revisions: Revisions
    counts: Counts
    before: State
    after: State
    replicas: int
    step_count: int
    selection: Selection | None = None
    patient: bool = False
    cause: str = ""
    refused: str = ""
    creates: str = ""
    scales: bool = False
    replaced_at: datetime | None = None

    @property
    def is_paused(self) -> bool:
        return bool(self.here.rollout.spec.paused or self.after.pauses)

    @property
    def is_healthy(self) -> bool:
        """Whether the current template is stable and complete, and gets all requests; and that has been so before.

        Of a canary no other version may have pods; blue-green keeps the one before for a while.
        """
        counts, index = self.counts, self.after.index
        return (
            counts.updated == counts.updated_available == self.replicas
            and self.has_all_requests
            and self.after.is_promoted
            and (index is None or index == self.step_count)
            and self.here.status.observed_generation == str(self.here.generation)
        )

    @property
    def has_all_requests(self) -> bool:
        """Whether requests reach pods of the current template only."""
        if self.selection is None:
            return self.counts.replicas == self.counts.updated
        current, preview = self.after.pod_hash, self.selection.preview
        # Without pods there is nothing to serve: a Service that isn't ours yet stays with whom it serves.
        is_active = self.selection.active == current or (not self.selection.active and self.replicas == 0)
        return is_active and preview in {None, current}

    @property
    def is_available(self) -> bool:
        """Whether there are as many pods available as there should be; of blue-green, those that clients reach."""
        active = self.selection.active_among(self.revisions) if self.selection is not None else None
        return self.counts.available >= (self.replicas if active is None else active.size)

    @property
    def has_switched(self) -> bool:
        """Whether a Service of blue-green has been switched since the last status write."""
        old = self.here.status.blue_green
        if self.selection is None:
            return False
        before = (old.active_selector, old.preview_selector) if old is not None else (None, None)
        return (self.selection.active or None, self.selection.preview or None) != before

    @property
    def runs_have_moved(self) -> bool:
        """Whether an analysis has begun or ended: what waited for it has had no chance to move before."""
        states = (
            ({slot: (run.name, run.status) for slot, run in each.runs.items()}, each.experiment)
            for each in (self.before, self.after)
        )
        return next(states) != next(states)

    @property
    def has_progressed(self) -> bool:
        """Whether anything has moved since the last status write.

        A spec that can be carried out again is movement: while it couldn't, nothing else had a chance to move.
        """
        old, counts = self.here.status, self.counts
        old_updated = old.updated_replicas or 0
        moved = (
            self.after.index != old.current_step_index
            or self.after.step_hash != (old.current_step_hash or "")
            or self.after.stable_hash != (old.stable_rs or "")
            or self.after.pod_hash != (old.current_pod_hash or "")
            or self.after.weights != self.before.weights
            or self.runs_have_moved
        )
        grew = counts.ready > (old.ready_replicas or 0) or counts.available > (old.available_replicas or 0)
        shrank = counts.replicas - counts.updated < (old.replicas or 0) - old_updated
        is_sound_again = conditions.find(old.conditions, conditions.INVALID_SPEC) is not None
        return moved or grew or shrank or self.has_switched or counts.updated != old_updated or is_sound_again

    @property
    def revision(self) -> int:
        return self.revisions.next_revision


def deadline(facts: Facts) -> datetime | None:
    """Return when the update runs out of time if nothing moves; None while the clock stands still."""
    if facts.is_paused or facts.patient or facts.has_progressed:
        return None
    condition = conditions.find(facts.here.status.conditions, conditions.PROGRESSING)
    seconds = facts.here.rollout.spec.progress_deadline_seconds_or_default
    end = conditions.deadline_of(condition, seconds)
    if end is None or facts.replaced_at is None:
        return end
    return max(end, facts.replaced_at + timedelta(seconds=seconds))


def is_out_of_time(facts: Facts, now: datetime) -> bool:
    """Whether the deadline has passed and nothing has moved since; once it has, only movement makes up for it."""
    end = deadline(facts)
    if end is not None:
        return now > end and not facts.scales
    current = conditions.find(facts.here.status.conditions, conditions.PROGRESSING)
    is_late = current is not None and current.reason == conditions.TIMED_OUT
    return is_late and not facts.has_progressed and not facts.is_healthy


def is_late_itself(facts: Facts, now: datetime) -> bool:
    """Whether time has run out on the controller, not on the pods: only now does it ask for a size that was due before.

    It may have been down for longer than the deadline. The clock begins anew, as nobody could get any further before.
    """
    end = deadline(facts)
    return facts.scales and end is not None and now > end


def timeout_text(facts: Facts) -> str:
    """Say what has timed out."""
    canary = facts.revisions.canary
    subject = f'ReplicaSet "{canary.name}"' if canary else f'Rollout "{facts.here.name}"'
    return f"{subject} has timed out progressing."


def wanted_conditions(facts: Facts, now: datetime) -> Iterator[Wanted]:
    """Yield the conditions as they should be; those left out stay as they are."""
    enough = facts.is_available
    yield Wanted(
        "Available",
        "True" if enough else "False",
        "AvailableReason",
        "Rollout has minimum availability" if enough else "Rollout does not have minimum availability",
    )
    done = facts.after.is_promoted
    if done or facts.selection is None or facts.after.stable_hash:
        # The first deploy of blue-green begins no update that could be said not to be complete.
        yield Wanted("Completed", "True" if done else "False", "RolloutCompleted", "RolloutCompleted")
    old = facts.here.status.conditions
    if facts.is_paused:
        yield Wanted("Paused", "True", conditions.PAUSED, "Rollout is paused")
    elif conditions.find(old, "Paused"):
        yield Wanted("Paused", "False", conditions.PAUSED, "Rollout is not paused")
    if facts.is_healthy and not facts.is_paused:
        yield Wanted("Healthy", "True", "RolloutHealthy", "Rollout is healthy")
    elif conditions.find(old, "Healthy"):
        yield Wanted("Healthy", "False", "RolloutHealthy", "Rollout is not healthy")
    progressing = _stopped(facts, now) or _settled(facts) or _moving(facts, now)
    if progressing is not None:
        yield progressing


def _stopped(facts: Facts, now: datetime) -> Wanted | None:
    """Return the condition of an update that stands still for a reason."""
    kind = conditions.PROGRESSING
    if facts.after.abort:
        cause = f": {facts.cause}" if facts.cause else ""
        return Wanted(kind, "False", conditions.ABORTED, f"Rollout aborted update to revision {facts.revision}{cause}")
    if facts.refused:
        name = replica_set_name(facts.here.name, facts.revisions.pod_hash)
        message = f'Failed to create new replica set "{name}": {facts.refused}'
        late = is_out_of_time(facts, now)
        return Wanted(kind, "False", conditions.TIMED_OUT if late else conditions.CREATE_ERROR, message)
    current = conditions.find(facts.here.status.conditions, kind)
    if facts.is_paused and not facts.is_healthy:
        return Wanted(kind, "Unknown", conditions.PAUSED, "Rollout is paused")
    if current is not None and current.reason == conditions.PAUSED and not facts.is_paused and not facts.has_progressed:
        return Wanted(kind, "Unknown", conditions.RESUMED, "Rollout is resumed")
    if is_out_of_time(facts, now):
        return Wanted(kind, "False", conditions.TIMED_OUT, timeout_text(facts))
    return None


def _settled(facts: Facts) -> Wanted | None:
    """Return the condition of an update that is over, or that has come undone."""
    kind, canary = conditions.PROGRESSING, facts.revisions.canary
    if canary is None or not facts.after.is_promoted:
        return None
    if facts.is_healthy:
        return Wanted(kind, "True", conditions.AVAILABLE, f'ReplicaSet "{canary.name}" has successfully progressed.')
    current = conditions.find(facts.here.status.conditions, kind)
    if current is not None and current.reason == conditions.AVAILABLE and not facts.is_paused:
        return Wanted(kind, "True", conditions.NOT_AVAILABLE, f'ReplicaSet "{canary.name}" is not available.')
    return None


def _moving(facts: Facts, now: datetime) -> Wanted | None:
    """Return the condition of an update on its way; None where nothing has moved."""
    kind, canary = conditions.PROGRESSING, facts.revisions.canary
    current = conditions.find(facts.here.status.conditions, kind)
    if facts.creates and not _has_failed_before(facts, current):
        return Wanted(kind, "True", conditions.CREATED, f'Created new replica set "{facts.creates}"', refreshes=True)
    if facts.before.aborted_at is not None and facts.after.aborted_at is None and not facts.after.promote_full:
        return Wanted(kind, "Unknown", conditions.RETRIED, "Retrying aborted update", refreshes=True)
    if canary is None or facts.is_paused:
        return None
    if current is None or current.reason == conditions.CREATE_ERROR:
        return Wanted(kind, "True", conditions.FOUND, f'Found existing ReplicaSet "{canary.name}"')
    if facts.has_progressed or is_late_itself(facts, now):
        return Wanted(kind, "True", conditions.UPDATED, f'ReplicaSet "{canary.name}" is progressing.', refreshes=True)
    return None


def _has_failed_before(facts: Facts, current: Condition | None) -> bool:
    """Whether creating this very ReplicaSet is only tried again: neither news nor progress before it succeeds."""
    reasons = {conditions.CREATE_ERROR, conditions.TIMED_OUT}
    return current is not None and current.reason in reasons and not facts.has_progressed
