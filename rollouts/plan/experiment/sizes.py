"""Which sizes and Services do templates get in this pass? All pods while it goes on; none, a while after its end."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rollouts.api import keys
from rollouts.api.experiment import DEFAULT_SCALE_DOWN_DELAY_SECONDS, ExperimentTemplateStatus
from rollouts.api.timestamps import format_time, whole_second
from rollouts.plan.actions import SERVICE, CreateChild, CreateReplicaSet, DeleteChild, UpdateReplicaSet
from rollouts.plan.delays import deadline_on
from rollouts.plan.experiment.members import Member, new_replica_set, new_service
from rollouts.plan.experiment.observed import ObservedExperiment
from rollouts.plan.experiment.phases import ENDED
from rollouts.plan.missing import pods
from rollouts.plan.observed import Raw, ReplicaSet

SizeAction = CreateReplicaSet | UpdateReplicaSet | CreateChild | DeleteChild


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about one ReplicaSet or Service now, and what it waits for until when."""

    actions: tuple[SizeAction, ...] = ()
    because: tuple[str, ...] = ()
    wake_at: datetime | None = None


def bring_up(here: ObservedExperiment, member: Member, status: ExperimentTemplateStatus) -> Step:
    """Give a template its pods and its Service, and keep them so."""
    if status.status in ENDED:
        return Step()
    actions: list[SizeAction] = []
    found = member.replica_set
    if found is not None:
        actions += _kept(member, found)
    elif not member.is_leaving and here.refusal("create", "ReplicaSet", member.replica_set_name) is None:
        actions.append(new_replica_set(here, member))
    if member.wants_service and member.service is None:
        actions.append(new_service(here, member))
    return Step(tuple(actions), tuple(_told(each) for each in actions))


def _kept(member: Member, found: ReplicaSet) -> list[UpdateReplicaSet]:
    """Return what brings a ReplicaSet back to what the spec says; a retry takes an earlier deadline off it."""
    annotations = {keys.SCALE_DOWN_DEADLINE: None} if keys.SCALE_DOWN_DEADLINE in found.annotations else {}
    min_ready = member.template.min_ready_seconds or 0
    new_min_ready = min_ready if found.raw["spec"].get("minReadySeconds", 0) != min_ready else None
    is_mislabelled = bool(found.pod_hash) and found.labels.get(keys.POD_TEMPLATE_HASH) != found.pod_hash
    if found.size == member.desired and not annotations and new_min_ready is None and not is_mislabelled:
        return []
    return [
        UpdateReplicaSet(
            name=found.name,
            uid=found.uid,
            revision=0,
            seen_size=found.size,
            size=member.desired if found.size != member.desired else None,
            annotations=annotations,
            min_ready_seconds=new_min_ready,
            hash_label=found.pod_hash if is_mislabelled else None,
        )
    ]


def _told(action: SizeAction) -> str:
    match action:
        case CreateReplicaSet():
            return f"ReplicaSet {action.name} is created with {pods(action.size)}"
        case UpdateReplicaSet() if action.size is not None:
            return f"ReplicaSet {action.name} is scaled from {action.seen_size} to {pods(action.size)}"
        case UpdateReplicaSet():
            return f"ReplicaSet {action.name} is brought back to what the experiment says"
        case CreateChild():
            return f"Service {action.name} is created"
        case DeleteChild():
            return f"Service {action.name} is deleted: nothing uses it any more"


def take_down(replica_sets: Iterable[ReplicaSet], delay_seconds: int | None, now: datetime) -> Step:
    """Let the pods go once the scale-down deadline, which each ReplicaSet gets once, is over."""
    delay = DEFAULT_SCALE_DOWN_DELAY_SECONDS if delay_seconds is None else delay_seconds
    actions: list[SizeAction] = []
    because: list[str] = []
    ends: list[datetime] = []
    for each in replica_sets:
        if each.size == 0 or each.is_deleting:
            continue
        end = deadline_on(each, now)
        is_new = end is None
        if end is None:
            end = whole_second(now) + timedelta(seconds=delay) if delay > 0 else now
        if end <= now:
            actions.append(UpdateReplicaSet(each.name, each.uid, 0, each.size, size=0))
            because.append(_told(actions[-1]))
            continue
        if is_new:
            mark: dict[str, str | None] = {keys.SCALE_DOWN_DEADLINE: format_time(end)}
            actions.append(UpdateReplicaSet(each.name, each.uid, 0, each.size, annotations=mark))
        ends.append(end)
        because.append(f"ReplicaSet {each.name} keeps its pods until {format_time(end)} (scaleDownDelaySeconds)")
    return Step(tuple(actions), tuple(because), min(ends, default=None))


def drop_services(here: ObservedExperiment, kept: Sequence[Member]) -> Step:
    """Delete the Services of ours that lead to no pods any more: none that is kept, and none with pods to come."""
    names = {each.service_name for each in kept if each.wants_service}
    in_use = {each.pod_hash for each in here.replica_sets if each.size > 0}
    gone = [
        each
        for each in here.services
        if here.owns(each)
        and each["metadata"]["name"] not in names
        and "deletionTimestamp" not in each["metadata"]
        and _selected(each) not in in_use
    ]
    actions = tuple(DeleteChild(SERVICE, each["metadata"]["name"], each["metadata"]["uid"]) for each in gone)
    return Step(actions, tuple(_told(each) for each in actions))


def _selected(service: Raw) -> str:
    """Return which pods a Service selects: what people have made of it counts, too."""
    return str(((service.get("spec") or {}).get("selector") or {}).get(keys.POD_TEMPLATE_HASH) or "")
