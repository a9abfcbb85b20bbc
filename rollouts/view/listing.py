"""What stands in a list of Rollouts? One row of text cells each."""

from dataclasses import dataclass
from datetime import datetime

from rollouts.view import ages, fields
from rollouts.view.fields import Raw
from rollouts.view.rollout import strategy_of
from rollouts.view.status import shown_status
from rollouts.view.steps import set_weight, step_index, steps_of


@dataclass(frozen=True, slots=True)
class ListRow:
    """One Rollout in a list, as text; a dash stands for what its strategy doesn't have."""

    namespace: str
    name: str
    strategy: str
    status: str
    step: str
    set_weight: str
    ready: str
    desired: str
    up_to_date: str
    available: str
    age: str
    images: str


def _template_elsewhere(rollout: Raw) -> str:
    reference = fields.part(rollout, "spec", "workloadRef")
    return f"as {reference.get('kind')}/{reference.get('name')}" if reference else ""


def list_row(rollout: Raw, now: datetime) -> ListRow:
    """Return the row of one Rollout."""
    status = fields.part(rollout, "status")
    index, weight = step_index(rollout), set_weight(rollout)
    containers = fields.items(rollout, "spec", "template", "spec", "containers")
    return ListRow(
        namespace=fields.namespace_of(rollout),
        name=fields.name_of(rollout),
        strategy=strategy_of(rollout),
        status=shown_status(rollout).phase,
        step="-" if index is None else f"{index}/{len(steps_of(rollout))}",
        set_weight="-" if weight is None else str(weight),
        ready=f"{fields.count(status, 'readyReplicas')}/{fields.count(status, 'replicas')}",
        desired=str(fields.desired_replicas(rollout)),
        up_to_date=str(fields.count(status, "updatedReplicas")),
        available=str(fields.count(status, "availableReplicas")),
        age=ages.age(fields.created(rollout), now),
        images=",".join(str(each.get("image", "")) for each in containers) or _template_elsewhere(rollout),
    )
