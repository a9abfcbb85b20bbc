"""How far is each template? Its pods are counted, and a deadline runs while they don't become available."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rollouts.api.experiment import ExperimentTemplateStatus
from rollouts.api.timestamps import format_time, whole_second
from rollouts.plan.experiment.members import Member, controlled_by_other
from rollouts.plan.experiment.observed import ObservedExperiment
from rollouts.plan.experiment.phases import ENDED, ERROR, FAILED, PROGRESSING, RUNNING, SUCCESSFUL
from rollouts.plan.missing import pods
from rollouts.plan.observed import Refusal


@dataclass(frozen=True, slots=True)
class Progress:
    """A template's status, until when it may wait for its pods, and what it waits for."""

    status: ExperimentTemplateStatus
    deadline: datetime | None = None
    because: str = ""


def progress_of(here: ObservedExperiment, member: Member, deadline_seconds: int, now: datetime) -> Progress:
    """Return how far a template is in an experiment that goes on. Once it has ended, only its pods are counted."""
    status = counted(member, now)
    if status.status in ENDED:
        return Progress(status)
    if trouble := _trouble(here, member):
        return Progress(_turned(status, ERROR, trouble, now))
    if _is_available(member):
        return Progress(_turned(status, RUNNING, None, now))
    status = _turned(status, PROGRESSING, None, now)
    since = status.last_transition_time or whole_second(now)
    deadline = since + timedelta(seconds=deadline_seconds)
    missing = f"{status.available_replicas} of {pods(member.desired)} available"
    if deadline <= now:
        message = f"ReplicaSet {member.replica_set_name} has {missing}, {deadline_seconds} s after their last change"
        return Progress(_turned(status, FAILED, message, now))
    return Progress(status, deadline, f'template "{member.name}": {_waits_for(member, missing)}; {_until(deadline)}')


def ended(status: ExperimentTemplateStatus, now: datetime) -> ExperimentTemplateStatus:
    """Return a template's status once the experiment is over: whatever hasn't failed is done."""
    return status if status.status in ENDED else _turned(status, SUCCESSFUL, None, now)


def _until(deadline: datetime) -> str:
    return f"it fails at {format_time(deadline)} unless that changes"


def _waits_for(member: Member, missing: str) -> str:
    if member.is_leaving and member.replica_set is None:
        return f"waits until an earlier ReplicaSet {member.replica_set_name} has been deleted"
    if member.replica_set is not None and _has_pods(member) and not member.has_service:
        return f"waits for Service {member.service_name}"
    return missing


def counted(member: Member, now: datetime) -> ExperimentTemplateStatus:
    """Return a template's status as it was, with today's counts; a change of them is a transition."""
    found, before = member.replica_set, member.before
    counts = (found.replicas, found.ready, found.available) if found is not None else (0, 0, 0)
    known = before and (before.replicas, before.ready_replicas, before.available_replicas)
    at = before.last_transition_time if before is not None and known == counts else None
    return ExperimentTemplateStatus(
        name=member.name,
        replicas=counts[0],
        updated_replicas=counts[0],
        ready_replicas=counts[1],
        available_replicas=counts[2],
        status=before.status if before is not None else None,
        message=before.message if before is not None else None,
        last_transition_time=at or whole_second(now),
        service_name=member.service_name if member.service_is_ours else None,
        pod_template_hash=member.pod_hash,
        collision_count=member.collision_count,
    )


def _turned(
    status: ExperimentTemplateStatus, name: str, message: str | None, now: datetime
) -> ExperimentTemplateStatus:
    if (status.status, status.message) == (name, message):
        return status
    at = whole_second(now) if status.status != name else status.last_transition_time
    return status.model_copy(update={"status": name, "message": message, "last_transition_time": at})


def _is_available(member: Member) -> bool:
    return _has_pods(member) and member.has_service


def _has_pods(member: Member) -> bool:
    found = member.replica_set
    return found is not None and found.is_observed and found.size == found.available == member.desired


def _trouble(here: ObservedExperiment, member: Member) -> str:
    """Say what was refused for good."""
    if member.wants_service and member.service is not None and not member.service_is_ours:
        owner = controlled_by_other(member.service)
        return (
            f"Service {member.service_name} was there before, and belongs to {owner}: give the template another "
            "service.name, or delete that Service"
        )
    if member.wants_service and (refusal := here.refusal("create", "Service", member.service_name)):
        return _told(refusal)
    if member.replica_set is None:
        found = here.refusal("create", "ReplicaSet", member.replica_set_name)
        return _told(found) if found is not None and not found.name_is_taken else ""
    found = here.refusal("update", "ReplicaSet", member.replica_set_name)
    return _told(found) if found is not None and member.replica_set.size != member.desired else ""


def _told(refusal: Refusal) -> str:
    return f"{refusal.kind} {refusal.subject} can't be {refusal.verb.removesuffix('e')}ed: {refusal.message}"
