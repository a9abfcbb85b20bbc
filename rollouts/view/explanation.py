"""Why does nothing move, what happens next, and what can a person do? A plan in words."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.api.timestamps import format_time
from rollouts.plan import actions
from rollouts.plan.actions import Action, Plan
from rollouts.view import ages, fields, requests
from rollouts.view.fields import Raw
from rollouts.view.requests import Answer, Change, kubectl_line
from rollouts.view.status import Shown, Waiting, is_invalid, refused_creation, shown_status, waiting
from rollouts.view.steps import StepRow, step_rows
from rollouts.view.verdicts import Finding


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that a person can do now: what it does, our command, and the patches that do the same without us."""

    does: str
    command: str
    kubectl: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer; `next_writes` is empty when the controller has nothing to do until something changes."""

    name: str
    namespace: str
    status: Shown
    waiting: Waiting | None
    because: tuple[str, ...]
    next_writes: tuple[str, ...]
    looks_again_at: datetime | None
    remaining_steps: tuple[StepRow, ...]
    choices: tuple[Choice, ...]
    troubles: tuple[str, ...] = ()
    analyses: tuple[Finding, ...] = ()

    def lines(self, now: datetime) -> Iterator[str]:
        """Yield the answer as text."""
        yield f"rollout {self.name!r} in namespace {self.namespace!r} is {self.status}"
        yield from _section("Because", self.because or ("nothing is left to do",))
        if self.analyses:
            yield "Analyses:"
            yield from (line for each in self.analyses for line in each.lines())
        if self.troubles:
            yield from _section("Pods in trouble", self.troubles)
        yield from _section("The controller does next", self.next_writes or ("nothing, until something changes",))
        if self.looks_again_at is not None:
            left = ages.remaining(self.looks_again_at, now)
            yield f"It looks again by itself at {format_time(self.looks_again_at)} (in {left})"
        steps = [f"{row.index + 1}. {row.title}{' (now)' * (row.state == 'current')}" for row in self.remaining_steps]
        if steps:
            yield from _section("Steps that remain", steps)
        yield from offered(self.choices)


def offered(choices: Iterable[Choice]) -> Iterator[str]:
    """Yield what a person can do, as text."""
    yield "You can now:"
    for choice in choices:
        yield f"  {choice.does}:"
        yield f"    {choice.command}"
        yield from (f"    {line}" for line in choice.kubectl)


def _section(title: str, lines: Iterator[str] | tuple[str, ...] | list[str]) -> Iterator[str]:
    yield f"{title}:"
    yield from (f"  - {line}" for line in lines)


def explain_plan(
    rollout: Raw,
    plan: Plan,
    replica_sets: Iterable[Raw] = (),
    troubles: tuple[str, ...] = (),
    analyses: tuple[Finding, ...] = (),
) -> Explanation:
    """Return the explanation of a plan for the Rollout as it is; `replica_sets` tell which ways back there are."""
    return Explanation(
        name=fields.name_of(rollout),
        namespace=fields.namespace_of(rollout),
        status=shown_status(rollout),
        waiting=waiting(rollout),
        because=(*_last_try(rollout), *plan.because),
        next_writes=tuple(_next_writes(rollout, plan)),
        looks_again_at=plan.wake_at,
        remaining_steps=tuple(row for row in step_rows(rollout) if row.state != "done"),
        choices=tuple(choices(rollout, replica_sets)),
        troubles=troubles,
        analyses=analyses,
    )


def _last_try(rollout: Raw) -> Iterator[str]:
    """Yield the API server's own words, which the plan of somebody who hasn't tried can't have."""
    if refusal := refused_creation(rollout):
        yield refusal


def _next_writes(rollout: Raw, plan: Plan) -> Iterator[str]:
    for action in plan.actions:
        yield action_in_words(action)
    for call in plan.calls:
        yield f"call the step plugin {call.plugin}: {call.operation}, number {call.number}"
    if plan.status is not None:
        yield f"write the status: {_status_change(fields.part(rollout, 'status'), plan.status)}"


def _status_change(before: Raw, after: Raw) -> str:
    """Name the fields that change; small values are shown."""
    changed = sorted(key for key in {*before, *after} if before.get(key) != after.get(key))
    return ", ".join(_field_change(key, before.get(key), after.get(key)) for key in changed) or "no field"


def _field_change(key: str, before: Any, after: Any) -> str:
    if isinstance(before, Mapping | list) or isinstance(after, Mapping | list):
        return key
    return f"{key} {_word(before)} -> {_word(after)}"


def _word(value: Any) -> str:
    return "(none)" if value in (None, "") else str(value)


def action_in_words(action: Action) -> str:  # noqa: C901, PLR0911 - one line for each member of a closed union
    """Return what an action does."""
    match action:
        case actions.CreateReplicaSet():
            return f"create ReplicaSet {action.name} (revision {action.revision}) with {_pods(action.size)}"
        case actions.UpdateReplicaSet():
            return _update_in_words(action)
        case actions.DeleteReplicaSet():
            return f"delete the old, empty ReplicaSet {action.name}"
        case actions.AdoptReplicaSet():
            return f"adopt ReplicaSet {action.name}, which has no owner and matches the selector"
        case actions.ReleaseReplicaSet():
            return f"release ReplicaSet {action.name}, which the selector no longer matches"
        case actions.PatchRollout():
            changes = [*action.annotations] + ["spec.replicas"] * (action.replicas is not None)
            return f"write the Rollout's own {', '.join(changes)}"
        case actions.SwitchService():
            return f"point Service {action.name} at the pods of {action.pod_hash}"
        case actions.ReleaseService():
            return f"give Service {action.name} back, which the spec no longer names"
        case actions.ScaleWorkload():
            return f"scale Deployment {action.name} from {action.seen_size} to {action.size}"
        case actions.CreateObject() | actions.PatchObject() | actions.DeleteObject():
            verb = type(action).__name__.removesuffix("Object").lower()
            return f"{verb} {action.reference}, which the traffic router reads"
        case actions.CreateChild() | actions.TerminateChild() | actions.DeleteChild():
            return f"{type(action).__name__.removesuffix('Child').lower()} {action.kind} {action.name}"
        case actions.EvictPod() | actions.PatchPod():
            return _pod_in_words(action)


def _pod_in_words(action: actions.EvictPod | actions.PatchPod) -> str:
    if isinstance(action, actions.EvictPod):
        return f"evict pod {action.name}, so that its ReplicaSet replaces it"
    return f"write {', '.join(_changed_keys(action))} of pod {action.name}"


def _changed_keys(change: actions.PatchPod | actions.TemplateChange) -> list[str]:
    parts = (("label", change.labels), ("annotation", change.annotations))
    return [f"{part} {key}" for part, changes in parts for key in changes]


def _pods(count: int) -> str:
    return "1 pod" if count == 1 else f"{count} pods"


def _update_in_words(action: actions.UpdateReplicaSet) -> str:
    parts = []
    if action.size is not None and action.size != action.seen_size:
        parts.append(f"scale ReplicaSet {action.name} from {action.seen_size} to {action.size}")
    metadata = [*action.annotations] + ["minReadySeconds"] * (action.min_ready_seconds is not None)
    if action.template is not None:
        metadata += [f"template's {key}" for key in _changed_keys(action.template)]
        metadata += ["template's affinity"] * (action.template.affinity is not None)
    if metadata:
        subject = "its" if parts else f"ReplicaSet {action.name}'s"
        parts.append(f"write {subject} {', '.join(metadata)}")
    return " and ".join(parts) or f"touch ReplicaSet {action.name}"


def choices(rollout: Raw, replica_sets: Iterable[Raw] = ()) -> Iterator[Choice]:
    """Yield what a person can sensibly do now, with every way to do it."""
    name, namespace = fields.name_of(rollout), fields.namespace_of(rollout)
    if is_invalid(rollout):
        # Any verb would be accepted and do nothing: the controller acts on a valid spec only.
        yield Choice("correct the spec", f"kubectl edit rollout {name} -n {namespace}")
        yield Choice("check a manifest before it is applied", "rollouts lint -f FILE")
        yield Choice("look at everything", f"rollouts get rollout {name} -n {namespace}")
        return
    offers: tuple[tuple[str, str, Answer], ...] = (
        ("go on now", "promote", requests.promote(rollout)),
        ("skip everything that is left", "promote --full", requests.promote_full(rollout)),
        ("go back to the stable pods", "abort", requests.abort(rollout)),
        ("start the update again", "retry rollout", requests.retry(rollout)),
        ("hold everything by hand", "pause", requests.pause(rollout)),
    )
    for does, verb, answer in offers:
        if isinstance(answer, Change):
            yield _choice(rollout, does, verb, answer)
    yield from _ways_back(rollout, replica_sets)
    yield Choice("look at everything", f"rollouts get rollout {name} -n {namespace}")


def _ways_back(rollout: Raw, replica_sets: Iterable[Raw]) -> Iterator[Choice]:
    """Yield the version to ask for again: stable after an abort; after a promotion, one whose pods are all still up."""
    stable = fields.part(rollout, "status").get("stableRS")
    mine = sorted(fields.controlled_by(rollout, replica_sets), key=fields.revision_of)
    if fields.is_promoted(rollout):
        does, enough = "go back to revision {}, whose pods are still up", max(1, fields.desired_replicas(rollout))
        found = [
            each
            for each in mine
            if fields.hash_of(each) != stable
            and fields.count(fields.part(each, "status"), "availableReplicas") >= enough
        ]
    else:
        does = "ask for the stable version, revision {}, again"
        found = [each for each in mine if fields.hash_of(each) == stable and fields.is_aborted(rollout)]
    for each in found[-1:]:
        number = fields.revision_of(each)
        words = f"rollouts undo {fields.name_of(rollout)} --to-revision={number} -n {fields.namespace_of(rollout)}"
        yield Choice(does.format(number), words)


def _choice(rollout: Raw, does: str, verb: str, change: Change) -> Choice:
    name, namespace = fields.name_of(rollout), fields.namespace_of(rollout)
    command, *flags = verb.split(" --")
    words = ["rollouts", *command.split(), name, *(f"--{flag}" for flag in flags), "-n", namespace]
    return Choice(does, " ".join(words), tuple(kubectl_line(patch, name, namespace) for patch in change.patches))
