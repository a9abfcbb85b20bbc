"""What does the planner get to see? One frozen picture of a Rollout and of everything that belongs to it.

The picture is made from raw objects as the API server delivers them. Views name the few fields that decisions need and
keep the raw object beside them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rollouts.api import keys
from rollouts.api.counts import parse_count
from rollouts.api.rollout import Rollout, parse_rollout
from rollouts.api.selectors import Selector, read_selector
from rollouts.api.status import RolloutStatus, parse_status
from rollouts.api.timestamps import parse_time
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.calls import Call, Returned
from rollouts.plan.hashing import step_hash, template_digest
from rollouts.plan.workload import is_same_workload, meant_spec
from rollouts.ports import Answers, Objects, Reads, Reference

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ReplicaSet:
    """One ReplicaSet as decisions see it. Counts are pods; `revision` is 0 where no annotation tells it."""

    name: str
    uid: str
    pod_hash: str
    created: datetime
    size: int
    replicas: int
    ready: int
    available: int
    revision: int
    is_observed: bool
    is_deleting: bool
    owner_uid: str
    raw: Raw = field(repr=False)

    @property
    def annotations(self) -> Mapping[str, str]:
        return self.raw["metadata"].get("annotations") or {}

    @property
    def labels(self) -> Mapping[str, str]:
        return self.raw["metadata"].get("labels") or {}

    @property
    def template(self) -> Raw:
        template: Raw = self.raw["spec"]["template"]
        return template

    @property
    def age(self) -> tuple[datetime, int]:
        """Compares by when it was made: creation times are whole seconds, then the first of its revisions counts."""
        earlier = self.annotations.get(keys.REVISION_HISTORY, "").split(",")
        return self.created, min((number for each in earlier if (number := parse_count(each))), default=self.revision)

    @property
    def desired(self) -> int | None:
        """The rollout's size when this ReplicaSet was last scaled, as its annotation tells it."""
        return parse_count(self.annotations.get(keys.DESIRED_REPLICAS, ""))


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that the API server refused for good: the next plan sees it as a fact.

    `subject` is the name of the object that the action was about, `reason` the Status' reason (`AlreadyExists`,
    `Invalid`, `Forbidden`, ...), `message` its text. `digest` tells for which pod template it was. `namespace` is that
    of a router's object, which may be another one than the Rollout's.
    """

    verb: str
    kind: str
    subject: str
    reason: str
    message: str
    digest: str = ""
    namespace: str = ""

    @property
    def name_is_taken(self) -> bool:
        """Whether an object of another owner has the name that was wanted."""
        return self.verb == "create" and self.reason == "AlreadyExists"


def refusal_of(refusals: Iterable[Refusal], verb: str, kind: str, subject: str) -> Refusal | None:
    """Return the API server's refusal of a write, if there was one."""
    wanted = (verb, kind, subject)
    return next((each for each in refusals if (each.verb, each.kind, each.subject) == wanted), None)


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod, seen only while something is to be done to pods. `is_available` counts minReadySeconds."""

    name: str
    uid: str
    owner_uid: str
    created: datetime
    is_available: bool
    is_deleting: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that one plan may depend on.

    `replica_sets` holds those that the Rollout controls and those without a controller that its selector matches,
    oldest first. `services` has an entry for each Service that the spec names: None where it doesn't exist. `left` are
    the Services that carry our mark though the spec names them no longer, `rivals` the other Rollouts that name a
    Service of ours and have been there before us, by its name. `objects` has what traffic routers read, None where
    nobody can show that. `runs` and `experiments` are the raw AnalysisRuns and Experiments that the Rollout controls,
    oldest first; `templates` holds the raw specs of the templates that it refers to, and of those that these refer to:
    None for one that doesn't exist. `returned` are calls of step plugins whose answers the status doesn't tell yet,
    `calling` those that are being made. `answers` has what was found out for traffic routers outside of the cluster,
    None where nobody asks. `contested` names who changes objects of routers back. `unheard` says why
    strangers' routers that the spec no longer names can't be called, empty where they can. `pods` is None unless
    something is to be done to them (`rollouts.plan.pods`
    says to which). `rubbish` names the parts of the status that somebody else wrote and that don't parse. `digest` and
    `step_hash` stand for the desired template and the canary's steps; blue-green has none. `selector` is None where it
    can't be read. `workload` is the object that spec.workloadRef names, None without one. `spec` is the raw spec as it
    is meant: with the template, and if need be the selector, of the workload. `sound` is what an earlier picture was
    found sound with (`rollouts.plan.soundness`): it only saves time.
    """

    rollout: Rollout
    status: RolloutStatus
    raw: Raw = field(repr=False)
    replica_sets: tuple[ReplicaSet, ...] = ()
    services: Mapping[str, Raw | None] = field(default_factory=dict)
    left: tuple[Raw, ...] = ()
    rivals: Mapping[str, str] = field(default_factory=dict)
    objects: Objects | None = None
    hidden: Reads = ()
    unheard: str = ""
    contested: Mapping[Reference, str] = field(default_factory=dict)
    runs: tuple[Raw, ...] = field(default=(), repr=False)
    experiments: tuple[Raw, ...] = field(default=(), repr=False)
    templates: Mapping[TemplateKey, Raw | None] = field(default_factory=dict, repr=False)
    returned: tuple[Returned, ...] = ()
    calling: tuple[Call, ...] = ()
    answers: Answers | None = field(default=None, repr=False)
    pods: tuple[Pod, ...] | None = None
    refusals: tuple[Refusal, ...] = ()
    rubbish: tuple[str, ...] = ()
    workload: Raw | None = field(default=None, repr=False)
    spec: Raw = field(default_factory=dict, repr=False)
    digest: str = ""
    step_hash: str = ""
    selector: Selector | None = None
    sound: tuple[object, ...] | None = field(default=None, repr=False, compare=False)

    @property
    def name(self) -> str:
        name: str = self.raw["metadata"]["name"]
        return name

    @property
    def namespace(self) -> str:
        namespace: str = self.raw["metadata"].get("namespace", "default")
        return namespace

    @property
    def uid(self) -> str:
        uid: str = self.raw["metadata"]["uid"]
        return uid

    @property
    def generation(self) -> int:
        generation: int = self.raw["metadata"].get("generation", 0)
        return generation

    @property
    def annotations(self) -> Mapping[str, str]:
        return self.raw["metadata"].get("annotations") or {}

    @property
    def sound_status(self) -> Raw:
        """The raw status without the parts that don't parse: somebody else's rubbish must not stop us."""
        status = self.raw.get("status") or {}
        if not isinstance(status, Mapping):
            return {}
        broken = {re.split(r"[:\[]", each.removeprefix("status."), maxsplit=1)[0] for each in self.rubbish}
        return {key: value for key, value in status.items() if key not in broken} if broken else status

    @property
    def template(self) -> Raw:
        """The desired pod template, raw."""
        return self.spec.get("template") or {}


def controller_uid(metadata: Raw) -> str:
    """Return the uid of the object that controls the one with this metadata; empty if none does."""
    for reference in metadata.get("ownerReferences") or ():
        if reference.get("controller"):
            uid: str = reference["uid"]
            return uid
    return ""


def _pod_hash(metadata: Raw, spec: Raw) -> str:
    """Return the hash that the pods carry. Anybody may edit the label; the selector can't be changed."""
    selected = (spec.get("selector") or {}).get("matchLabels") or {}
    pod_hash: str = selected.get(keys.POD_TEMPLATE_HASH) or (metadata.get("labels") or {}).get(
        keys.POD_TEMPLATE_HASH, ""
    )
    return pod_hash


def observe_replica_set(raw: Raw) -> ReplicaSet:
    """Return the view of one raw ReplicaSet."""
    metadata, spec, status = raw["metadata"], raw["spec"], raw.get("status") or {}
    annotations = metadata.get("annotations") or {}
    return ReplicaSet(
        name=metadata["name"],
        uid=metadata["uid"],
        pod_hash=_pod_hash(metadata, spec),
        created=parse_time(metadata["creationTimestamp"]),
        size=spec.get("replicas", 1),
        replicas=status.get("replicas", 0),
        ready=status.get("readyReplicas", 0),
        available=status.get("availableReplicas", 0),
        revision=parse_count(annotations.get(keys.REVISION, "")) or 0,
        is_observed=status.get("observedGeneration", 0) >= metadata.get("generation", 0),
        is_deleting="deletionTimestamp" in metadata,
        owner_uid=controller_uid(metadata),
        raw=raw,
    )


def observe_rollout(
    raw: Raw,
    replica_sets: Iterable[Raw] = (),
    services: Mapping[str, Raw | None] | None = None,
    pods: Iterable[Pod] | None = None,
    refusals: Iterable[Refusal] = (),
    *,
    left: Iterable[Raw] = (),
    rivals: Mapping[str, str] | None = None,
    workload: Raw | None = None,
    objects: Objects | None = None,
    runs: Iterable[Raw] = (),
    experiments: Iterable[Raw] = (),
    templates: Mapping[TemplateKey, Raw | None] | None = None,
    previous: Observed | None = None,
) -> Observed:
    """Put raw objects together into the picture that `plan_rollout` takes.

    Raises pydantic.ValidationError when the spec doesn't have the API's shape; a status that doesn't is read as far
    as it does. `workload` is the object that its workloadRef names. `previous` is an earlier picture of the same
    Rollout: what its spec meant is not worked out again.
    """
    status, rubbish = parse_status(raw.get("status"))
    if previous is None or not _is_same_spec(previous, raw, workload):
        previous = _observe_spec(raw, workload)
    views = sorted((observe_replica_set(each) for each in replica_sets), key=lambda view: (view.created, view.name))
    return replace(
        previous,
        status=status,
        raw=raw,
        replica_sets=tuple(views),
        services=services or {},
        left=tuple(left),
        rivals=rivals or {},
        objects=objects,
        runs=tuple(runs),
        experiments=tuple(experiments),
        templates=templates or {},
        pods=None if pods is None else tuple(pods),
        refusals=tuple(refusals),
        rubbish=tuple(rubbish),
        workload=workload,
    )


def _is_same_spec(previous: Observed, raw: Raw, workload: Raw | None) -> bool:
    """Whether an API server vouches for it: the generation counts every change of a spec."""
    before, now = previous.raw["metadata"], raw["metadata"]
    generation = now.get("generation")
    is_same = bool(generation) and generation == before.get("generation") and now["uid"] == before["uid"]
    return is_same and is_same_workload(previous.workload, workload)


def _observe_spec(raw: Raw, workload: Raw | None) -> Observed:
    spec = meant_spec(raw["spec"], workload)
    try:
        selector = read_selector(spec.get("selector") or {})
    except ValueError:
        selector = None  # validation says what is wrong with it
    canary = (spec.get("strategy") or {}).get("canary")
    return Observed(
        rollout=parse_rollout(raw),
        status=RolloutStatus(),
        raw=raw,
        spec=spec,
        digest=template_digest(spec.get("template") or {}),
        step_hash="" if canary is None else step_hash(canary.get("steps")),
        selector=selector,
    )
