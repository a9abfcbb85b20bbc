"""Which patch brings an earlier pod template back?

Apart from the other requests: it needs the planner's knowledge of templates, and they need nothing but the object.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rollouts.api import keys
from rollouts.plan.additions import own_template
from rollouts.view import fields
from rollouts.view.fields import Raw
from rollouts.view.requests import Answer, Change, Nothing, Patch

_DEPLOYMENTS_HASH = "pod-template-hash"


def pod_template_of(replica_set: Raw) -> dict[str, Any]:
    """Return a ReplicaSet's pod template as its user wrote it: without the hash label and what its role adds."""
    template = own_template(replica_set)
    metadata = {key: value for key, value in fields.part(template, "metadata").items() if key != "creationTimestamp"}
    labels = {key: value for key, value in fields.part(metadata, "labels").items() if key != keys.POD_TEMPLATE_HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _keeping_its_own_label(restored: dict[str, Any], present: Raw) -> dict[str, Any]:
    """Return the template with the label by which a ReplicaSet of a Deployment knows its pods, where there is one."""
    labels = fields.part(present, "metadata", "labels")
    if _DEPLOYMENTS_HASH not in labels:
        return restored
    metadata = restored["metadata"]
    own = {**metadata["labels"], _DEPLOYMENTS_HASH: labels[_DEPLOYMENTS_HASH]}
    return {**restored, "metadata": {**metadata, "labels": own}}


def _chosen_revision(rollout: Raw, by_number: Mapping[int, Raw], revision: int) -> int | Nothing:
    known = sorted(by_number)
    stable = fields.part(rollout, "status").get("stableRS")
    if not revision and not fields.is_promoted(rollout):
        # The one before may be an update that was overtaken by this one: nobody has ever relied on it.
        revision = next((number for number in known[:-1] if fields.hash_of(by_number[number]) == stable), 0)
    if revision:
        if revision in by_number:
            return revision
        numbers = ", ".join(map(str, known)) or "none"
        return Nothing(f"has no revision {revision}; it has: {numbers}")
    if len(known) > 1:
        return known[-2]
    return Nothing("has no earlier revision to go back to")


def undo(
    rollout: Raw,
    replica_sets: Sequence[Raw],
    template: Raw,
    revision: int = 0,
    *,
    is_same: Callable[[Raw, Raw], bool],
    path: str = "/spec/template",
) -> Answer:
    """Bring back the pod template of a revision; by default of the stable one in mid-update, else of the one before.

    `template` is the present one, and `path` where it is: in the Rollout, or in the workload that it refers to.
    `is_same` tells whether two templates ask for the same pods: the planner knows.
    """
    by_number = {fields.revision_of(each): each for each in fields.controlled_by(rollout, replica_sets)}
    by_number.pop(0, None)
    number = _chosen_revision(rollout, by_number, revision)
    if isinstance(number, Nothing):
        return number
    restored = _keeping_its_own_label(pod_template_of(by_number[number]), template)
    if is_same(restored, template):
        return Nothing(f"has the pod template of revision {number} already", is_refusal=False)
    patch = Patch([{"op": "replace", "path": path, "value": restored}], type="json")
    return Change((patch,), f"goes back to revision {number}")
