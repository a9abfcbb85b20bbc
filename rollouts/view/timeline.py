"""How does a rollout go, moment by moment? Frames that follow each other, each with what is to be seen in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from rollouts.api import keys
from rollouts.plan.actions import ANALYSIS_RUN
from rollouts.plan.children.analyses.words import told
from rollouts.plan.children.child import Child
from rollouts.plan.narrate import Event
from rollouts.view import fields
from rollouts.view.fields import Raw
from rollouts.view.replica_sets import template_images
from rollouts.view.rollout import roles
from rollouts.view.status import shown_status
from rollouts.view.steps import actual_weight, set_weight, step_index, step_title, steps_of, whole_weight


@dataclass(frozen=True, slots=True)
class RevisionPods:
    """One ReplicaSet: its roles (stable, canary, active, preview) and its pods; `size` is how many it shall have."""

    number: int
    name: str
    pod_hash: str
    roles: tuple[str, ...]
    images: tuple[str, ...]
    size: int
    pods: int
    ready: int
    available: int

    @property
    def role(self) -> str:
        """The roles in a word; one without any is on its way out."""
        return ",".join(self.roles) or "leaving"


@dataclass(frozen=True, slots=True)
class Step:
    """How far the steps are: `index` of `count` are done, and `title` is the one in progress, if there is one."""

    index: int
    count: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class Weight:
    """The canary's share: what the steps ask for, and what it has, in percent or as parts `of` something else."""

    set: int
    actual: int
    of: int = 100

    def shown(self, part: int) -> str:
        """Return one of the two as people write it."""
        return f"{part}%" if self.of == 100 else f"{part}/{self.of}"


@dataclass(frozen=True, slots=True)
class Run:
    """An analysis run: its slot (Step, Background, PrePromotion, PostPromotion), and how far it is in words."""

    name: str
    slot: str
    phase: str
    progress: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A Rollout `at` so many seconds from the start.

    `says` is what people did before it, `because` the planner's reasons, `events` what the controller told.
    """

    at: float
    says: tuple[str, ...]
    phase: str
    message: str
    step: Step | None
    weight: Weight | None
    desired: int
    revisions: tuple[RevisionPods, ...]
    because: tuple[str, ...]
    events: tuple[Event, ...]
    runs: tuple[Run, ...] = ()

    @property
    def ready(self) -> int:
        """Ready pods of all revisions."""
        return sum(each.ready for each in self.revisions)

    @property
    def available(self) -> int:
        """Available pods of all revisions."""
        return sum(each.available for each in self.revisions)


def frame(
    at: float,
    rollout: Raw,
    replica_sets: Iterable[Raw],
    *,
    runs: Iterable[Raw] = (),
    because: Sequence[str] = (),
    events: Iterable[Event] = (),
) -> Frame:
    """Return the frame of one moment from its raw objects."""
    rows = sorted(
        (_revision(rollout, each) for each in fields.controlled_by(rollout, replica_sets)),
        key=lambda row: (row.number, row.name),
    )
    shown = shown_status(rollout)
    current = fields.part(rollout, "status").get("currentPodHash")
    canary = sum(row.available for row in rows if row.pod_hash == current)
    wanted, has = set_weight(rollout), actual_weight(rollout, canary, sum(row.available for row in rows))
    # The first deploy runs no steps.
    is_update = bool(fields.part(rollout, "status").get("stableRS"))
    return Frame(
        at=at,
        says=(),
        phase=shown.phase,
        message=shown.message,
        step=_step(rollout) if is_update else None,
        weight=Weight(wanted, has, whole_weight(rollout))
        if is_update and wanted is not None and has is not None
        else None,
        desired=fields.desired_replicas(rollout),
        revisions=tuple(rows),
        because=tuple(because),
        events=tuple(events),
        runs=tuple(_run(each) for each in fields.controlled_by(rollout, runs)),
    )


def _run(raw: Raw) -> Run:
    run = Child.of(ANALYSIS_RUN, raw)
    return Run(run.name, run.labels.get(keys.ROLLOUT_TYPE, ""), run.phase or "Pending", told(run))


def _revision(rollout: Raw, replica_set: Raw) -> RevisionPods:
    status, pod_hash = fields.part(replica_set, "status"), fields.hash_of(replica_set)
    return RevisionPods(
        number=fields.revision_of(replica_set),
        name=fields.name_of(replica_set),
        pod_hash=pod_hash,
        roles=tuple(roles(rollout, pod_hash)),
        images=template_images(fields.part(replica_set, "spec", "template")),
        size=fields.count(fields.part(replica_set, "spec"), "replicas", 1),
        pods=fields.count(status, "replicas"),
        ready=fields.count(status, "readyReplicas"),
        available=fields.count(status, "availableReplicas"),
    )


def _step(rollout: Raw) -> Step | None:
    steps, index = steps_of(rollout), step_index(rollout)
    if index is None:
        return None
    is_moving = index < len(steps) and not fields.is_aborted(rollout)
    return Step(index, len(steps), step_title(steps[index]) if is_moving else "")


@dataclass(slots=True)
class Timeline:
    """Frames in order. What happens at one instant without changing phase, step or weight is one frame."""

    frames: list[Frame] = field(default_factory=list)
    _says: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Tell what people did: the next frame begins with it."""
        self._says.append(text)

    def add(self, latest: Frame) -> None:
        """Add a frame, unless it shows nothing that the last one doesn't."""
        latest, self._says = replace(latest, says=tuple(self._says)), []
        before = self.frames[-1] if self.frames else None
        if before and not latest.says and before.at == latest.at and _position(before) == _position(latest):
            latest = replace(latest, says=before.says, events=(*before.events, *latest.events))
            self.frames.pop()
        if not self.frames or not _shows_no_more(latest, self.frames[-1]):
            self.frames.append(latest)


def _shows_no_more(latest: Frame, last: Frame) -> bool:
    if latest.says or latest.events:
        return False
    return _gist(latest) == _gist(last)


def _gist(of: Frame) -> Frame:
    """Return what of a frame is worth another one: not one more measurement."""
    because = of.because
    for run in of.runs:
        because = tuple(each.replace(run.progress, run.name) for each in because)
    runs = tuple(replace(run, progress="") for run in of.runs)
    return replace(of, at=0, says=(), events=(), because=because, runs=runs)


def _position(of: Frame) -> tuple[object, ...]:
    return of.phase, of.step, of.weight and of.weight.set, of.desired
