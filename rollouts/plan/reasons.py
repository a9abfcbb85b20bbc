"""Why are things as they are? One short reason per decision, the most important first, for people to read."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rollouts.plan.missing import pods, unmet
from rollouts.plan.progress import Facts
from rollouts.plan.scaling import Scaling, is_scaling_event
from rollouts.plan.scene import Scene
from rollouts.ports import Gate, Open

_TOLD_HERE = (
    ("switch", "Service"), ("release", "Service"), ("adopt", "ReplicaSet"), ("release", "ReplicaSet"),
    ("delete", "ReplicaSet"), ("evict", "Pod"), ("update", "Rollout"), ("terminate", "AnalysisRun"),
    ("delete", "AnalysisRun"), ("terminate", "Experiment"), ("delete", "Experiment"),
)  # fmt: skip


def because(scene: Scene, facts: Facts, told: Iterable[str]) -> tuple[str, ...]:
    """Return the reasons of one pass, in the midst of them those that the strategy has told, and those about pods."""
    return (
        *_trouble(facts),
        *_refused(scene),
        *_halt(scene),
        *told,
        *(f"status part ignored: {path}" for path in scene.here.rubbish),
    )


def canary_reasons(
    scene: Scene, gate: Gate | None, scaling: Scaling, why: Iterable[str], facts: Facts
) -> Iterator[str]:
    """Yield the reasons of a canary's pass; `why` are those about the traffic."""
    yield from _beginning(scene, facts)
    yield from _step(scene, facts, gate)
    said = gate.because if gate is not None else ""
    yield from (each for each in why if each != said)
    yield from _sizes(scene, facts, scaling, gate)


def _trouble(facts: Facts) -> Iterator[str]:
    if facts.cause:
        yield f"aborted: {facts.cause}"
    if facts.refused:
        yield f"the API server refuses the ReplicaSet: {facts.refused}"
    stable_hash = facts.after.stable_hash
    if stable_hash and facts.revisions.stable is None and not facts.after.is_promoted:
        yield f"status.stableRS, {stable_hash}, names no ReplicaSet: the current template gets all pods"


def _refused(scene: Scene) -> Iterator[str]:
    """Say which writes wait for the API server to change its mind, where nothing else tells: of each kind the first."""
    told = {(each.verb, each.kind): each for each in reversed(scene.here.refusals)}
    for each in (told[place] for place in _TOLD_HERE if place in told):
        yield f"the API server refuses to {each.verb} {each.kind} {each.subject}: {each.message}"


def _halt(scene: Scene) -> Iterator[str]:
    if not scene.here.rollout.spec.paused:
        if scene.state.is_inconclusive:
            yield "a measurement was inconclusive: nothing is scaled until somebody promotes or aborts"
    elif is_scaling_event(scene.revisions, scene.bounds.replicas):
        yield "spec.paused is true: no step completes; sizes only follow spec.replicas"
    else:
        yield "spec.paused is true: no step completes and nothing is scaled"


def _beginning(scene: Scene, facts: Facts) -> Iterator[str]:
    if not scene.begins or scene.is_rollback or facts.after.index is None or not facts.after.stable_hash:
        return
    if not facts.after.is_promoted:
        yield "the update begins at step 1" if scene.has_new_template else "the steps have changed: back to step 1"
    elif scene.has_new_template:
        yield "back to the stable template: no steps are needed"
    else:
        yield "the steps have changed: nothing is being updated"


def _step(scene: Scene, facts: Facts, gate: Gate | None) -> Iterator[str]:
    """Say where the update is in its steps."""
    before, after = scene.state, facts.after
    if after.is_promoted:
        if not before.stable_hash:
            yield "the first revision is stable from the start"
        elif not before.is_promoted:
            done = "this rollback needs no steps" if scene.is_rollback else "all steps are done"
            yield f"{done} and all pods are available: the canary becomes stable"
    elif after.abort:
        once = " once spec.paused is false" if scene.here.rollout.spec.paused else ""
        yield f"the update is aborted: everything goes back to stable{once}; retry, or change the template"
    elif after.promote_full:
        yield "full promotion was requested: steps are skipped"
    elif scene.is_rollback:
        yield "back to a revision within spec.rollbackWindow: no steps are needed"
    elif gate is not None and before.index is not None and scene.current is not None:
        place = f"step {before.index + 1} of {len(scene.steps)} ({scene.current.title})"
        is_complete = isinstance(gate, Open) or after.index != before.index
        yield f"{place} is complete" if is_complete else f"{place}: {gate.because}"
        if is_complete and not isinstance(gate, Open):
            yield gate.because


def _missing(scene: Scene, facts: Facts, scaling: Scaling) -> str:
    """Say what keeps the ReplicaSets from their target, in the words of what this pass has decided."""
    if not facts.after.is_promoted or scene.state.is_promoted:
        return scaling.unmet
    # From this pass on "stable" is what has been the canary's until now.
    revisions = scene.revisions
    previous = revisions.stable if revisions.has_distinct_stable else None
    if previous is not None and previous.replicas:
        return f"the previous stable ReplicaSet still has {pods(previous.replicas)}"
    return unmet(replace(revisions, stable=revisions.canary), scaling.target)


def _sizes(scene: Scene, facts: Facts, scaling: Scaling, gate: Gate | None) -> Iterator[str]:
    """Say what the sizes wait for, unless the step has said so, and what holds them back."""
    missing = _missing(scene, facts, scaling)
    if scene.is_halted:
        return
    if missing and (gate is None or missing != gate.because):
        yield missing
    yield from scaling.because
    gone = [each for each in scene.revisions.others if each.replicas and not each.available]
    if gone and not missing:
        yield f"older revisions still have {pods(sum(each.replicas for each in gone))} terminating"
