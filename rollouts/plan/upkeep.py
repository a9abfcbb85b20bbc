"""How do living pods come to show the metadata of their ReplicaSet's role, a few in each pass, whatever goes wrong?

What is still to be done stands in the ReplicaSet itself (`pending-metadata`). No rollout waits for it: of a pod whose
patch is refused people are told, and its turn comes again.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from rollouts.plan.actions import PatchPod
from rollouts.plan.ephemeral import Pending, PodMetadata
from rollouts.plan.observed import Observed, Pod, ReplicaSet

MOST_PATCHES: Final = 50
"""How many pods are patched in one pass; the next pass takes the next ones. Those that are refused count."""

LOOK_AGAIN: Final = timedelta(seconds=30)


def refused_changes(here: Observed, each: ReplicaSet) -> tuple[str, ...]:
    """Return what the API server says against changes of a ReplicaSet; nothing if there has been no refusal."""
    return tuple(
        refusal.message
        for refusal in here.refusals
        if (refusal.verb, refusal.kind, refusal.subject) == ("update", "ReplicaSet", each.name)
    )


def is_settled(each: ReplicaSet, pods: Collection[Pod] | None) -> bool:
    """Tell whether a ReplicaSet's pending metadata is pending no more.

    All of its pods show the template, and its controller has seen this template: until then it may make more pods from
    the one before.
    """
    if pods is None or not each.is_observed or (pending := Pending.of(each)) is None:
        return False
    return not any(_patches(each, pending, pods))


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What a pass does for the pods of the ReplicaSets whose metadata is pending."""

    actions: tuple[PatchPod, ...] = ()
    wake_at: datetime | None = None
    because: tuple[str, ...] = ()


def plan_upkeep(here: Observed, owned: Collection[ReplicaSet], changing: Collection[str], now: datetime) -> Upkeep:
    """Return the pods' share of a change of metadata; ReplicaSets that are `changing` right now wait for a pass."""
    told = [*_about_templates(here, owned, changing)]
    pending = [(each, found) for each in owned if (found := Pending.of(each)) is not None and each.name not in changing]
    if not pending:
        return Upkeep(because=tuple(told))
    if here.pods is None:
        names = ", ".join(each.name for each, _ in pending)
        told.append(f"the pods of {names} may lack the metadata of their role: they have not been listed yet")
        return Upkeep(wake_at=now + LOOK_AGAIN, because=tuple(told))
    refused = {each.subject: each.message for each in here.refusals if (each.verb, each.kind) == ("patch", "Pod")}
    actions: list[PatchPod] = []
    for each, keys in pending:
        patches = list(_patches(each, keys, here.pods))
        actions += [patch for patch in patches if patch.name not in refused]
        told += _about_pods(each, patches, refused)
    room = max(1, MOST_PATCHES - len(refused))
    is_done = all(is_settled(each, here.pods) for each, _ in pending)
    return Upkeep(tuple(actions[:room]), None if is_done else now + LOOK_AGAIN, tuple(told))


def _about_templates(here: Observed, owned: Collection[ReplicaSet], changing: Collection[str]) -> Iterator[str]:
    for each in owned:
        if each.name in changing:
            yield f"the template of {each.name} follows its role"
        for text in refused_changes(here, each):
            yield f"the API server refuses to change ReplicaSet {each.name}: {text}"


def _patches(each: ReplicaSet, pending: Pending, pods: Collection[Pod]) -> Iterator[PatchPod]:
    template = PodMetadata.read(each.template.get("metadata"))
    for pod in sorted(pods, key=lambda pod: (pod.created, pod.name)):
        if pod.owner_uid == each.uid and not pod.is_deleting:
            patch = pending.patch_for(pod, template)
            if patch is not None:
                yield patch


def _about_pods(each: ReplicaSet, patches: Collection[PatchPod], refused: Mapping[str, str]) -> Iterator[str]:
    if not patches:
        yield (
            f"all pods of {each.name} show the metadata of its role"
            if each.is_observed
            else f"{each.name}'s own controller has not seen its new template yet: it may make pods from the old one"
        )
        return
    count = "1 pod does" if len(patches) == 1 else f"{len(patches)} pods do"
    yield f"{count} not show the metadata of {each.name}'s role yet"
    against = [patch.name for patch in patches if patch.name in refused]
    if against:
        more = f" (and of {len(against) - 1} more)" if len(against) > 1 else ""
        yield f"the API server refuses the metadata of pod {against[0]}{more}: {refused[against[0]]}"
