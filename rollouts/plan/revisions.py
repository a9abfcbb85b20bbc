"""Which ReplicaSet is the canary's, which is the stable one, and which are neither?

The *canary* here is the ReplicaSet of the current pod template: once it is promoted, canary and stable are the same
one. Equality of templates decides, as in Kubernetes' own Deployment controller; hashes only name.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rollouts.api import keys
from rollouts.plan.actions import AdoptReplicaSet, CreateReplicaSet, ReleaseReplicaSet
from rollouts.plan.additions import Additions, added_to, is_made_from
from rollouts.plan.hashing import pod_hash
from rollouts.plan.observed import Observed, ReplicaSet
from rollouts.plan.ownership import owner_reference

# What a ReplicaSet does not inherit from its Rollout's annotations.
_OWN_ANNOTATIONS = frozenset(
    {
        keys.LAST_APPLIED,
        keys.REVISION,
        keys.REVISION_HISTORY,
        keys.DESIRED_REPLICAS,
        keys.TEMPLATE_DIGEST,
        keys.SCALE_DOWN_DEADLINE,
        keys.EPHEMERAL_METADATA,
        keys.OVERRIDDEN_METADATA,
        keys.PENDING_METADATA,
        keys.NOTIFIED,
        keys.WORKLOAD_GENERATION,
        keys.WORKLOAD_REPLICAS,
    }
)


@dataclass(frozen=True, slots=True)
class Revisions:
    """The ReplicaSets of a Rollout, sorted out.

    `pod_hash` and `digest` belong to the current template, whether `canary` exists yet or not. `name_is_taken` tells
    that the name for it belongs to something else. `others` are oldest first.
    """

    pod_hash: str
    digest: str
    canary: ReplicaSet | None
    stable: ReplicaSet | None
    others: tuple[ReplicaSet, ...]
    name_is_taken: bool
    deleting: tuple[str, ...]

    @property
    def all(self) -> tuple[ReplicaSet, ...]:
        """Every ReplicaSet once."""
        first = [each for each in (self.canary, self.stable) if each is not None]
        if len(first) == 2 and first[0].uid == first[1].uid:
            del first[1]
        return (*first, *self.others)

    @property
    def next_revision(self) -> int:
        """The canary's revision: higher than all others', so that going back makes a new revision, too."""
        canary_uid = self.canary.uid if self.canary else ""
        highest_other = max((each.revision for each in self.all if each.uid != canary_uid), default=0)
        return max(highest_other + 1, self.canary.revision if self.canary else 0)

    @property
    def has_distinct_stable(self) -> bool:
        """Whether there is a stable ReplicaSet besides the canary."""
        return self.stable is not None and (self.canary is None or self.stable.uid != self.canary.uid)


def replica_set_name(rollout_name: str, pod_hash_: str) -> str:
    """Return the deterministic name of a ReplicaSet."""
    return f"{rollout_name}-{pod_hash_}"


def claims(here: Observed) -> tuple[AdoptReplicaSet | ReleaseReplicaSet, ...]:
    """Return what to adopt and what to release so that exactly what the selector matches is ours.

    All else waits for it; for what has been refused only if the update is about that very ReplicaSet. Any other that
    can't be had must not keep ours from being scaled, nor people from aborting.
    """
    if here.selector is None:
        return ()
    refused = {each.subject for each in here.refusals if each.verb in {"adopt", "release"}}
    actions: list[AdoptReplicaSet | ReleaseReplicaSet] = []
    for each in here.replica_sets:
        if each.name in refused and not _is_vital(here, each):
            continue
        is_ours, matches = each.owner_uid == here.uid, here.selector.matches(each.labels)
        if is_ours and not matches and not each.is_deleting:
            actions.append(ReleaseReplicaSet(each.name, each.uid))
        elif not each.owner_uid and matches and not each.is_deleting:
            actions.append(AdoptReplicaSet(each.name, each.uid))
    return tuple(actions)


def _is_vital(here: Observed, orphan: ReplicaSet) -> bool:
    """Whether an update without this ReplicaSet would create its pods a second time, or lose stable from sight."""
    is_current = orphan.annotations.get(keys.TEMPLATE_DIGEST) == here.digest
    return not orphan.owner_uid and (
        is_current or orphan.pod_hash in {here.status.stable_rs, here.status.current_pod_hash}
    )


def _find_canary(owned: Iterable[ReplicaSet], here: Observed, digest: str, hash_: str) -> ReplicaSet | None:
    """Return the oldest ReplicaSet of the current template: by digest, by a trusted name, or by meaning.

    Anybody may edit a digest: one on a ReplicaSet that isn't named after it is believed only if the templates agree.
    """
    owned = list(owned)
    named = {hash_, pod_hash(digest, None)}
    for each in owned:
        if each.annotations.get(keys.TEMPLATE_DIGEST) != digest:
            continue
        if each.pod_hash in named or is_made_from(here.template, each):
            return each
    for each in owned:
        if each.pod_hash == hash_ and keys.TEMPLATE_DIGEST not in each.annotations:
            return each
    for each in owned:
        if is_made_from(here.template, each):
            return each
    return None


def sort_out(here: Observed) -> Revisions:
    """Tell the ReplicaSets of a Rollout apart."""
    digest = here.digest
    hash_ = pod_hash(digest, here.status.collision_count)
    living = [each for each in here.replica_sets if each.owner_uid == here.uid and not each.is_deleting]
    canary = _find_canary(living, here, digest, hash_)
    stable_hash = here.status.stable_rs
    stable = next((each for each in living if stable_hash and each.pod_hash == stable_hash), None)
    known = {each.uid for each in (canary, stable) if each is not None}
    name = replica_set_name(here.name, hash_)
    refused = any(each.subject == name and each.name_is_taken for each in here.refusals)
    return Revisions(
        pod_hash=canary.pod_hash if canary else hash_,
        digest=digest,
        canary=canary,
        stable=stable,
        others=tuple(each for each in living if each.uid not in known),
        name_is_taken=canary is None and (refused or any(each.name == name for each in living)),
        deleting=tuple(each.name for each in here.replica_sets if each.is_deleting),
    )


def inherited_annotations(here: Observed) -> dict[str, str]:
    """Return the Rollout's annotations that its current ReplicaSet carries, too."""
    return {key: value for key, value in here.annotations.items() if key not in _OWN_ANNOTATIONS}


def new_replica_set(
    here: Observed, revisions: Revisions, size: int, replicas: int, additions: Additions
) -> CreateReplicaSet:
    """Return the action that creates the current template's ReplicaSet at `size` of `replicas` pods."""
    spec = here.spec
    template, notes = added_to(here.template, additions)
    mark = {keys.POD_TEMPLATE_HASH: revisions.pod_hash}
    labels = {**((here.template.get("metadata") or {}).get("labels") or {}), **mark}
    template["metadata"]["labels"] = {**template["metadata"].get("labels", {}), **mark}
    selector = dict(spec.get("selector") or {})
    selector["matchLabels"] = {**(selector.get("matchLabels") or {}), keys.POD_TEMPLATE_HASH: revisions.pod_hash}
    name = replica_set_name(here.name, revisions.pod_hash)
    body: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": name,
            "namespace": here.namespace,
            "labels": labels,
            "annotations": {
                **inherited_annotations(here),
                keys.REVISION: str(revisions.next_revision),
                keys.DESIRED_REPLICAS: str(replicas),
                keys.TEMPLATE_DIGEST: revisions.digest,
                **notes,
            },
            "ownerReferences": [owner_reference(here.raw)],
        },
        "spec": {"replicas": size, "selector": selector, "template": template},
    }
    if spec.get("minReadySeconds"):
        body["spec"]["minReadySeconds"] = spec["minReadySeconds"]
    return CreateReplicaSet(
        name=name,
        pod_hash=revisions.pod_hash,
        digest=revisions.digest,
        revision=revisions.next_revision,
        size=size,
        body=body,
    )
