"""Which sizes and annotations does each ReplicaSet get in this pass?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from rollouts.api import keys
from rollouts.api.canary import ReplicaProgressThreshold
from rollouts.api.counts import parse_count
from rollouts.api.timestamps import format_time
from rollouts.plan.actions import Action, CreateReplicaSet, DeleteReplicaSet, TemplateChange, UpdateReplicaSet
from rollouts.plan.additions import additions_for, change_of
from rollouts.plan.ephemeral import seen_record
from rollouts.plan.missing import enough, pods, unmet
from rollouts.plan.observed import Observed, ReplicaSet
from rollouts.plan.replicas import Bounds, Count, Sizes, next_sizes, others_sizes
from rollouts.plan.revisions import Revisions, inherited_annotations, new_replica_set, replica_set_name
from rollouts.plan.scene import Scene
from rollouts.plan.upkeep import is_settled, refused_changes

# As many earlier revisions are noted on a ReplicaSet that is used again and again.
LONGEST_HISTORY = 50


@dataclass(frozen=True, slots=True)
class Scaling:
    """Sizes wanted in the end (`target`), and by ReplicaSet name to be given now. `create_at` is for a new canary.

    `unmet` says in words what still keeps the ReplicaSets from the target, `because` what holds them back. `deadlines`
    has, by ReplicaSet name, until when one that is out of use keeps its size; no other carries a scale-down deadline.
    `wake_at` is when the first of them ends.
    """

    target: Sizes
    sizes: Mapping[str, int]
    create_at: int
    unmet: str = ""
    because: tuple[str, ...] = ()
    deadlines: Mapping[str, datetime] = field(default_factory=dict)
    wake_at: datetime | None = None


def is_scaling_event(revisions: Revisions, replicas: int) -> bool:
    """Whether the Rollout's size has changed since its ReplicaSets were scaled."""
    pair = (revisions.canary, revisions.stable)
    return any(each is not None and each.size > 0 and each.desired != replicas for each in pair)


def scale(
    revisions: Revisions,
    bounds: Bounds,
    target: Sizes,
    threshold: ReplicaProgressThreshold | None = None,
    *,
    halted: bool,
    serving: str = "",
) -> Scaling:
    """Return the sizes for this pass. A halted rollout keeps them, unless the Rollout's own size has changed.

    `threshold` tells how many available pods are enough, `serving` is the hash that the stable Service selects.
    """
    if halted and not is_scaling_event(revisions, bounds.replicas):
        return Scaling(target, {}, create_at=0, unmet=unmet(revisions, target, threshold))
    stable = revisions.stable if revisions.has_distinct_stable else None
    if halted and stable is not None and Count.of(revisions.canary).size == 0:
        # A canary that has not begun doesn't begin now: all of the new size is stable's.
        target = Sizes(canary=0, stable=bounds.replicas)
    others = [Count.of(each) for each in revisions.others]
    now = next_sizes(
        bounds, target, Count.of(revisions.canary), Count.of(stable), others, has_canary=revisions.canary is not None
    )
    sizes: dict[str, int] = {}
    if any(each.size for each in others):
        sizes.update(others_sizes(bounds, revisions.others, sum(Count.of(each).counted for each in revisions.all)))
    if stable is not None:
        # Nothing is given up for a canary whose ReplicaSet isn't there yet: it may never be allowed.
        least = 0 if revisions.canary is not None else min(stable.size, bounds.replicas)
        sizes[stable.name] = max(now.stable, least)
    if revisions.canary is not None:
        sizes[revisions.canary.name] = now.canary
    sizes.update(_not_yet_free(revisions, sizes))
    # With no pods wanted at all there is nothing that the Service could ever be switched to.
    serving = serving if bounds.replicas else ""
    kept = _still_serving(revisions, enough(threshold, bounds.replicas), sizes, serving)
    sizes.update(kept)
    if stable is not None and stable.name in kept:
        # Promotion switches the Service: no step on the way there may wait for these pods to go.
        target = replace(target, stable=kept[stable.name])
    return Scaling(
        target,
        sizes,
        create_at=0 if halted else now.canary,
        unmet=unmet(revisions, target, threshold),
        because=(*_serving_reasons(kept), *_bounds_reason(revisions, bounds, target, sizes)),
    )


def _serving_reasons(kept: Iterable[str]) -> Iterator[str]:
    for name in kept:
        yield f"stableService still selects {name}: its last pods stay until it has been switched"


def _bounds_reason(revisions: Revisions, bounds: Bounds, target: Sizes, sizes: Mapping[str, int]) -> Iterator[str]:
    canary = revisions.canary
    if canary is not None and canary.size != target.canary and sizes[canary.name] == canary.size:
        yield (
            f"maxSurge ({bounds.surge}) and maxUnavailable ({bounds.unavailable}) hold it back: "
            f"at most {pods(bounds.ceiling)} in all, at least {bounds.floor} available"
        )


def _not_yet_free(revisions: Revisions, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return the sizes that stay because another ReplicaSet's pods, which are to stand in, are counted by hearsay.

    One that was scaled down and up again within moments may have lost pods that its status still counts. Its next
    status tells, and brings the pass that goes on.
    """
    hearsay = {each.uid for each in revisions.all if each.available and not each.is_observed}
    return {
        each.name: each.size
        for each in revisions.all
        if sizes.get(each.name, each.size) < each.size and hearsay - {each.uid}
    }


def _still_serving(revisions: Revisions, complete: int, sizes: Mapping[str, int], serving: str) -> dict[str, int]:
    """Return the sizes that stay because the stable Service still points there.

    Once the canary is complete its promotion switches the Service; until that is done, the last pods of the old stable
    ReplicaSet are all that the Service has. Before, the canary may need their room.
    """
    canary = revisions.canary
    if not serving or canary is None or canary.available < complete:
        return {}
    return {
        each.name: each.size
        for each in revisions.all
        if each.pod_hash == serving and each.uid != canary.uid and sizes.get(each.name) == 0
    }


def replica_set_actions(scene: Scene, scaling: Scaling) -> list[Action]:
    """Return what brings the ReplicaSets to their sizes, annotations and templates, one action each."""
    here, revisions = scene.here, scene.revisions
    actions: list[Action] = []
    if revisions.canary is None and may_create(here, revisions):
        additions = additions_for(here, scene.state, revisions.pod_hash)
        actions.append(new_replica_set(here, revisions, scaling.create_at, scene.bounds.replicas, additions))
    actions.extend(each for each in (_update(scene, scaling, each) for each in revisions.all) if each is not None)
    actions.extend(_history(here, revisions))
    return actions


def may_create(here: Observed, revisions: Revisions) -> bool:
    """Whether a new ReplicaSet can be created: its name is free, and this very template hasn't been refused."""
    name = replica_set_name(here.name, revisions.pod_hash)
    if revisions.name_is_taken or name in revisions.deleting:
        return False
    return not any(
        each.subject == name if each.name_is_taken else each.digest == revisions.digest
        for each in here.refusals
        if each.verb == "create"
    )


def _update(scene: Scene, scaling: Scaling, each: ReplicaSet) -> UpdateReplicaSet | None:
    here, revisions, replicas = scene.here, scene.revisions, scene.bounds.replicas
    size, deadline = scaling.sizes.get(each.name, each.size), scaling.deadlines.get(each.name)
    is_canary = revisions.canary is not None and each.uid == revisions.canary.uid
    annotations: dict[str, str | None] = _canary_annotations(here, revisions, each) if is_canary else {}
    template, notes = _template_change(scene, each)
    annotations |= notes
    wanted_deadline = format_time(deadline) if deadline is not None else None
    if each.annotations.get(keys.SCALE_DOWN_DEADLINE) != wanted_deadline:
        annotations[keys.SCALE_DOWN_DEADLINE] = wanted_deadline
    if each.desired != replicas and (size > 0 or size != each.size):
        annotations[keys.DESIRED_REPLICAS] = str(replicas)
    min_ready = here.rollout.spec.min_ready_seconds_or_default
    new_min_ready = min_ready if is_canary and each.raw["spec"].get("minReadySeconds", 0) != min_ready else None
    is_mislabelled = bool(each.pod_hash) and each.labels.get(keys.POD_TEMPLATE_HASH) != each.pod_hash
    is_scaled_only = not annotations and new_min_ready is None and not is_mislabelled and template is None
    if size == each.size and is_scaled_only:
        return None
    return UpdateReplicaSet(
        name=each.name,
        uid=each.uid,
        revision=revisions.next_revision if is_canary else each.revision,
        seen_size=each.size,
        size=size if size != each.size else None,
        annotations=annotations,
        min_ready_seconds=new_min_ready,
        hash_label=each.pod_hash if is_mislabelled else None,
        template=template,
        seen_annotations=seen_record(each) if template is not None or notes else {},
    )


def _template_change(scene: Scene, each: ReplicaSet) -> tuple[TemplateChange | None, Mapping[str, str | None]]:
    """Return what its role changes about a ReplicaSet's template, and the annotations that remember it.

    A change that has been refused must not keep the ReplicaSet from being scaled.
    """
    if refused_changes(scene.here, each):
        return None, {}
    template, notes = change_of(each, additions_for(scene.here, scene.state, each.pod_hash))
    if template is None and is_settled(each, scene.here.pods):
        return None, {**notes, keys.PENDING_METADATA: None}
    return template, notes


def _canary_annotations(here: Observed, revisions: Revisions, canary: ReplicaSet) -> dict[str, str | None]:
    wanted: dict[str, str] = inherited_annotations(here)
    if canary.annotations.get(keys.TEMPLATE_DIGEST) != revisions.digest:
        wanted[keys.TEMPLATE_DIGEST] = revisions.digest
    if canary.revision < revisions.next_revision:
        wanted[keys.REVISION] = str(revisions.next_revision)
        if canary.revision:
            wanted[keys.REVISION_HISTORY] = _history_with(
                canary.annotations.get(keys.REVISION_HISTORY, ""), canary.revision
            )
    return {key: value for key, value in wanted.items() if canary.annotations.get(key) != value}


def _history_with(history: str, revision: int) -> str:
    """Return the revisions that a ReplicaSet has had, the latest last; what is no number is left out."""
    earlier = [each for each in history.split(",") if parse_count(each) is not None]
    return ",".join([*earlier, str(revision)][-LONGEST_HISTORY:])


def _history(here: Observed, revisions: Revisions) -> list[DeleteReplicaSet]:
    """Return the oldest empty ReplicaSets beyond the history limit."""
    excess = len(revisions.others) - here.rollout.spec.revision_history_limit_or_default
    return [
        DeleteReplicaSet(each.name, each.uid, each.raw["metadata"]["resourceVersion"])
        for each in revisions.others[: max(0, excess)]
        if each.size == 0 and each.replicas == 0 and each.is_observed
    ]


def created(actions: Iterable[Action]) -> CreateReplicaSet | None:
    """Return the creation among the actions, if there is one."""
    return next((each for each in actions if isinstance(each, CreateReplicaSet)), None)
