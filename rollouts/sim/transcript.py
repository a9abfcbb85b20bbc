"""How does a rollout read, told from beginning to end?"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from textwrap import wrap

from rollouts.plan import Action, ReplicaSet
from rollouts.plan.actions import (
    AdoptReplicaSet,
    CreateChild,
    CreateObject,
    CreateReplicaSet,
    DeleteChild,
    DeleteObject,
    DeleteReplicaSet,
    EvictPod,
    PatchObject,
    PatchPod,
    PatchRollout,
    ReleaseReplicaSet,
    ReleaseService,
    ScaleWorkload,
    SwitchService,
    TemplateChange,
    TerminateChild,
    UpdateReplicaSet,
)
from rollouts.plan.services import Selection
from rollouts.sim.scenario import Change
from rollouts.sim.simulation import Moment, Pass
from rollouts.sim.world import Raw

WIDTH = 140
_INDENT = " " * 10


@dataclass(slots=True)
class _Last:
    """What was told last, so that nothing is told twice."""

    headline: str = ""
    because: tuple[str, ...] = ()


def transcript(title: str, start: datetime, moments: Iterable[Moment]) -> str:
    """Return the whole story as text."""
    lines, last = [title, "=" * len(title)], _Last()
    for moment in moments:
        if isinstance(moment, Change):
            lines += ["", f"{_clock(start, moment.at)}  * {moment.says}"]
        else:
            lines += _told(start, moment, last)
    return "\n".join(lines) + "\n"


def _clock(start: datetime, when: float | datetime) -> str:
    seconds = (when - start).total_seconds() if isinstance(when, datetime) else when
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes):02}:{int(rest):02}"


def _told(start: datetime, record: Pass, last: _Last) -> Iterator[str]:
    because, headline = record.plan.because, _headline(record)
    if not record.has_written and (headline, because) == (last.headline, last.because):
        return
    if record.has_written or headline != last.headline:
        yield f"{_clock(start, record.now)}  {headline}"
    last.headline, last.because = headline, because
    label = "because" if record.has_written else "waits"
    for reason in because:
        yield from _labelled(label, reason)
    done = set(map(id, record.acknowledged))
    for action in record.plan.actions:
        yield from _labelled("does" if id(action) in done else "tries", describe(action))
    for call in record.plan.calls:
        yield from _labelled("calls", f"{call.plugin}: {call.operation}, number {call.number}")
    for text in record.denied:
        yield from _labelled("denied", text)
    if record.status_written:
        yield from _labelled("writes", "status")
    for event in record.events:
        yield from _labelled("tells", f"{event.reason}: {event.message}")


def _labelled(label: str, text: str) -> Iterator[str]:
    first, *rest = wrap(text, WIDTH - len(_INDENT) - 10) or [""]
    yield f"{_INDENT}{label:<8}  {first}".rstrip()
    yield from (f"{_INDENT}{'':<8}  {line}" for line in rest)


def _headline(record: Pass) -> str:
    """Sum the Rollout up as the pass leaves it: phase, step, and the pods of each revision as the pass saw them."""
    raw = record.here.raw
    status = (record.plan.status if record.status_written else None) or raw.get("status") or {}
    phase, message = status.get("phase", "(no phase)"), status.get("message")
    parts = [f"{phase}: {message}" if message else phase]
    index, count = status.get("currentStepIndex"), _step_count(record)
    if isinstance(index, int) and count:
        parts.append(f"step {index}/{count}")
    parts += _weights((status.get("canary") or {}).get("weights"))
    parts += [_pods(each, record) for each in sorted(record.here.replica_sets, key=lambda each: each.revision)]
    return " | ".join(parts)


def _weights(weights: Raw | None) -> list[str]:
    if weights is None:
        return []
    shares = f"weight {weights['canary']['weight']}:{weights['stable']['weight']}"
    return [shares if weights.get("verified") is not False else f"{shares} (not verified)"]


def _step_count(record: Pass) -> int:
    strategy = record.here.rollout.spec.strategy
    return len(strategy.canary.steps) if strategy and strategy.canary else 0


def _pods(each: ReplicaSet, record: Pass) -> str:
    role = ""
    if each.pod_hash and each.pod_hash == record.here.status.stable_rs:
        role = " stable"
    selection = Selection.of(record.here)
    if selection is not None and each.pod_hash == selection.active:
        role += " active"
    if selection is not None and each.pod_hash == selection.preview:
        role += " preview"
    return f"r{each.revision}{role} {each.available}/{each.size}"


_VERBS: Mapping[type[Action], str] = {
    DeleteReplicaSet: "delete ReplicaSet",
    AdoptReplicaSet: "adopt ReplicaSet",
    ReleaseReplicaSet: "release ReplicaSet",
    ReleaseService: "release Service",
    EvictPod: "evict pod",
}


def describe(action: Action) -> str:
    """Return what an action does, in a few words."""
    match action:
        case CreateReplicaSet():
            text = f"create ReplicaSet {action.name}{_revision(action.revision)} with {action.size} pods"
        case UpdateReplicaSet():
            text = _describe_update(action)
        case PatchRollout():
            changes = [f"{_key(key)}={value}" for key, value in action.annotations.items()]
            changes += [] if action.replicas is None else [f"spec.replicas={action.replicas}"]
            text = f"patch the Rollout: {', '.join(changes)}"
        case SwitchService():
            text = f"switch Service {action.name} from '{action.from_hash}' to '{action.pod_hash}'"
        case ScaleWorkload():
            text = f"scale Deployment {action.name} from {action.seen_size} to {action.size} pods"
        case PatchPod():
            text = f"patch pod {action.name}: {', '.join(_told_changes(action))}"
        case CreateObject() | PatchObject() | DeleteObject():
            text = f"{type(action).__name__.removesuffix('Object').lower()} {action.reference}"
        case CreateChild() | TerminateChild() | DeleteChild():
            text = f"{type(action).__name__.removesuffix('Child').lower()} {action.kind} {action.name}"
        case _:
            text = f"{_VERBS[type(action)]} {action.name}"
    return text


def _key(key: str) -> str:
    """Return an annotation's key without the prefix that all of ours have."""
    return key.removeprefix("rollout.argoproj.io/")


def _short(value: str) -> str:
    """Return a value as it is, or the beginning of a long one: nobody reads a digest."""
    return value if len(value) <= 40 else f"{value[:8]}..."


def _told_changes(change: PatchPod | TemplateChange) -> Iterator[str]:
    for part, changes in (("label", change.labels), ("annotation", change.annotations)):
        for key, value in changes.items():
            yield f"without {part} {key}" if value is None else f"{part} {key}={_short(value)}"


def _template_change(change: TemplateChange) -> Iterator[str]:
    yield from _told_changes(change)
    if change.affinity is not None:
        yield "affinity" if change.affinity else "without affinity"


def _describe_update(action: UpdateReplicaSet) -> str:
    changes = [] if action.size is None else [f"{action.seen_size} to {action.size} pods"]
    for key, value in action.annotations.items():
        changes.append(f"without {_key(key)}" if value is None else f"{_key(key)}={_short(value)}")
    if action.hash_label is not None:
        changes.append(f"hash label {action.hash_label}")
    if action.min_ready_seconds is not None:
        changes.append(f"minReadySeconds={action.min_ready_seconds}")
    if action.template is not None:
        changes.append(f"in its template: {', '.join(_template_change(action.template))}")
    return f"update ReplicaSet {action.name}{_revision(action.revision)}: {', '.join(changes)}"


def _revision(revision: int) -> str:
    """Return which revision a ReplicaSet has; those of experiments have none."""
    return f" (revision {revision})" if revision else ""
