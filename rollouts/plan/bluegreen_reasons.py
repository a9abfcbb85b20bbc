"""Why is a blue-green rollout as it is? What the preview waits for, who may promote it, what is kept until when."""

from collections.abc import Iterator, Sequence

from rollouts.api.timestamps import format_time
from rollouts.plan.progress import Facts
from rollouts.plan.scaling import Scaling
from rollouts.plan.scene import Scene
from rollouts.ports import Gate


def blue_green_reasons(
    scene: Scene, gate: Gate | None, scaling: Scaling, why: Sequence[str], facts: Facts
) -> Iterator[str]:
    """Yield the reasons of a pass; `why` says what Services and analyses wait for."""
    yield from _course(scene, gate, facts)
    if not scene.is_halted:
        missing = scaling.unmet
        if missing and not facts.after.abort and (gate is None or gate.because != missing):
            yield missing
        yield from (each for each in why if gate is None or each != gate.because)
        yield from scaling.because
    else:
        yield from why
    for name, end in sorted(scaling.deadlines.items(), key=lambda item: item[1]):
        yield f"{name} keeps its pods until {format_time(end)}"


def _course(scene: Scene, gate: Gate | None, facts: Facts) -> Iterator[str]:
    before, after = scene.state, facts.after
    if scene.begins and after.stable_hash and not after.is_promoted:
        yield "the update begins: the new version comes up beside the active one"
    elif scene.begins and after.stable_hash and scene.has_new_template:
        yield "back to the stable template: nothing is to be previewed"
    elif after.is_promoted and not before.stable_hash:
        yield "the first revision is stable from the start"
    elif after.is_promoted and not before.is_promoted:
        yield "the active Service selects the new version: it becomes stable"
    elif after.abort:
        yield f"the update is aborted: {_refuge(scene, facts)}; retry, or change the template"
    elif gate is not None:
        yield gate.because


def _refuge(scene: Scene, facts: Facts) -> str:
    if scene.revisions.stable is None:
        return "stable is gone, so clients get what there is"
    if facts.selection is not None and facts.selection.active == facts.after.stable_hash:
        return "clients stay with stable"
    once = " once spec.paused is false" if scene.here.rollout.spec.paused else ""
    return f"the active Service goes back to stable{once}"
