"""What can a plan ask for? A closed union of actions, each idempotent and independent of the others in its plan.

An action names what it saw (`uid`, `seen_size`), so that whoever performs it can refuse to act on an object that has
changed since. An action that is lost is planned again by the next pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollouts.api import names
from rollouts.plan.calls import Call
from rollouts.ports import Question, Reference

Raw = Mapping[str, Any]

ANALYSIS_RUN, EXPERIMENT, SERVICE = names.ANALYSIS_RUN.name, names.EXPERIMENT.name, "Service"
"""The kinds of objects of our own, besides ReplicaSets."""


@dataclass(frozen=True, slots=True)
class CreateReplicaSet:
    """Create `body`, whole and at its size. The name is deterministic: one that exists already and is ours will do."""

    name: str
    pod_hash: str
    digest: str
    revision: int
    size: int
    body: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """What becomes other in a ReplicaSet's pod template, in place: no pod is replaced for it.

    Labels and annotations set to None are removed. `affinity` is the whole new affinity: None leaves it as it is, an
    empty one takes it away.
    """

    labels: Mapping[str, str | None] = field(default_factory=dict)
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    affinity: Raw | None = None


@dataclass(frozen=True, slots=True)
class UpdateReplicaSet:
    """Scale a ReplicaSet, or change its metadata or its template's, in one patch.

    `size` is None when the size stays as it is. Annotations and labels set to None are removed. `seen_size` is what
    `spec.replicas` was when the plan was made, and `seen_annotations` what annotations were (None: not there): the
    patch must fail if they are something else by now. `hash_label` puts the pod template hash label back that somebody
    has changed.
    """

    name: str
    uid: str
    revision: int
    seen_size: int
    size: int | None = None
    annotations: Mapping[str, str | None] = field(default_factory=dict)
    min_ready_seconds: int | None = None
    hash_label: str | None = None
    template: TemplateChange | None = None
    seen_annotations: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeleteReplicaSet:
    """Delete an old, empty ReplicaSet; must fail if the object is another one or has changed (`resource_version`)."""

    name: str
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class AdoptReplicaSet:
    """Make an orphan ours; only after a live read has shown that the Rollout still exists and isn't being deleted."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class ReleaseReplicaSet:
    """Give up a ReplicaSet that our selector no longer matches."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class PatchRollout:
    """Change the Rollout's own metadata or spec (never its status), if it is still at the observed resourceVersion."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    replicas: int | None = None


@dataclass(frozen=True, slots=True)
class SwitchService:
    """Point a Service at the pods of one hash, and mark it as managed by us. `from_hash` is empty at first."""

    name: str
    uid: str
    pod_hash: str
    from_hash: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class ReleaseService:
    """Take our hash and our mark off a Service that is no longer ours; whoever has changed it since comes first."""

    name: str
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class ScaleWorkload:
    """Scale the Deployment that the Rollout takes over, if it still has the size that was seen.

    Where its counts of pods mattered for the decision, nothing of it may have changed since: `resource_version`.
    """

    name: str
    uid: str
    seen_size: int
    size: int
    resource_version: str = ""


@dataclass(frozen=True, slots=True)
class CreateObject:
    """Create an object for a traffic router; one that exists by now is looked at in the next pass."""

    reference: Reference
    body: Raw = field(repr=False)

    @property
    def name(self) -> str:
        return self.reference.name


@dataclass(frozen=True, slots=True)
class PatchObject:
    """Merge a patch into a traffic router's object; must fail if it has changed since it was seen.

    With `needs` it must fail, too, if the API server doesn't know one of the fields; `needs` says what is missing then.
    """

    reference: Reference
    uid: str
    resource_version: str
    body: Raw
    needs: str = ""

    @property
    def name(self) -> str:
        return self.reference.name


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """Delete a traffic router's object; must fail if it has changed since it was seen."""

    reference: Reference
    uid: str
    resource_version: str

    @property
    def name(self) -> str:
        return self.reference.name


@dataclass(frozen=True, slots=True)
class EvictPod:
    """Evict a pod so that its ReplicaSet replaces it; a PodDisruptionBudget may refuse for now."""

    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class PatchPod:
    """Change a living pod's labels and annotations in place, None removes one; must fail if it is another pod."""

    name: str
    uid: str
    labels: Mapping[str, str | None] = field(default_factory=dict)
    annotations: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CreateChild:
    """Create an object of our own: an AnalysisRun, an Experiment, or a Service of an experiment.

    The name is deterministic: one that exists already is looked at in the next pass. `body` is whole. Whoever performs
    it sees first that the owner is still there.
    """

    kind: str
    name: str
    body: Raw = field(repr=False)


@dataclass(frozen=True, slots=True)
class TerminateChild:
    """Ask an AnalysisRun or an Experiment of ours to end: `spec.terminate`."""

    kind: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class DeleteChild:
    """Delete an object of our own; must fail if it is another one."""

    kind: str
    name: str
    uid: str


ChildAction = CreateChild | TerminateChild | DeleteChild

ObjectAction = CreateObject | PatchObject | DeleteObject

Action = (
    CreateReplicaSet
    | UpdateReplicaSet
    | DeleteReplicaSet
    | AdoptReplicaSet
    | ReleaseReplicaSet
    | PatchRollout
    | SwitchService
    | ReleaseService
    | ScaleWorkload
    | ObjectAction
    | ChildAction
    | EvictPod
    | PatchPod
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one pass decided.

    `status` is the whole new status as JSON; None leaves it as it is. `status_can_wait` is true when it differs from
    the observed one in counts and messages only, so that a few such changes may share a write. `wake_at` is when time
    alone changes the answer. `because` has one short reason per decision, the most important first. `problem` is the
    text of a spec that can't be carried out. `calls` are those of step plugins that are to be made beside the passes:
    they write nothing, and what they return is seen by a later pass. `asks` are the questions of traffic routers that
    are to be asked until they are answered with yes, or not asked any more.
    """

    actions: tuple[Action, ...] = ()
    status: Raw | None = None
    status_can_wait: bool = False
    wake_at: datetime | None = None
    because: tuple[str, ...] = ()
    problem: str | None = None
    calls: tuple[Call, ...] = ()
    asks: tuple[Question, ...] = ()

    @property
    def is_settled(self) -> bool:
        """Whether nothing is left to do until something changes or time passes."""
        return not self.actions and self.status is None and not self.calls
