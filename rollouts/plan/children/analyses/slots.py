"""Which slots for analysis runs are there, and which of them are asked for now?

A slot has one current run, which the status names. When it is asked for depends on the strategy; all else about slots
is the same for all of them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollouts.api import keys
from rollouts.api.analysis import BackgroundAnalysis, RolloutAnalysis
from rollouts.api.canary import CanaryStrategy
from rollouts.plan.scene import Scene
from rollouts.plan.state import State

STEP, BACKGROUND = keys.ROLLOUT_TYPE_STEP, keys.ROLLOUT_TYPE_BACKGROUND
PRE_PROMOTION, POST_PROMOTION = keys.ROLLOUT_TYPE_PRE_PROMOTION, keys.ROLLOUT_TYPE_POST_PROMOTION

_SUFFIXES: Mapping[str, str] = {PRE_PROMOTION: "-pre", POST_PROMOTION: "-post"}
_FAILURES: Mapping[str, str] = {
    STEP: "Step-based analysis",
    BACKGROUND: "Background analysis",
    PRE_PROMOTION: "Blue/green pre-promotion analysis",
    POST_PROMOTION: "Blue/green post-promotion analysis",
}


@dataclass(frozen=True, slots=True)
class Demand:
    """A run that is asked for. `slot` is what the run's label says, `index` the step that waits for it.

    `base` is the name of its run, with a number where that is taken.
    """

    slot: str
    analysis: RolloutAnalysis | BackgroundAnalysis
    base: str
    index: int | None = None

    def has(self, name: str, labels: Mapping[str, str] | None) -> bool:
        """Whether a run is what is asked for. `labels` are the run's, None where the run isn't there."""
        if self.index is None:
            return True
        if labels is not None and keys.STEP_INDEX in labels:
            return labels[keys.STEP_INDEX] == str(self.index)
        return name == self.base or name.startswith(f"{self.base}.")


def failure(slot: str, message: str | None) -> str:
    """Return why an update is aborted whose run in a slot has failed."""
    return f"{_FAILURES[slot]} phase error/failed" + (f": {message}" if message else "")


def demand(scene: Scene, slot: str, analysis: RolloutAnalysis | BackgroundAnalysis, index: int | None = None) -> Demand:
    """Return what asks for the run of a slot."""
    suffix = _SUFFIXES.get(slot, "") if index is None else f"-{index}"
    revisions = scene.revisions
    base = f"{scene.here.name}-{revisions.pod_hash}-{revisions.next_revision}{suffix}"
    return Demand(slot, analysis, base, index)


def goes_through_steps(scene: Scene, at: State) -> bool:
    """Whether a canary goes through its steps."""
    is_over = at.abort or at.promote_full or at.is_promoted or not at.stable_hash
    return not is_over and not scene.is_rollback


def canary_demands(scene: Scene, canary: CanaryStrategy, at: State) -> Iterator[Demand]:
    """Yield what a canary asks for in a state: nothing unless it goes through its steps."""
    if not goes_through_steps(scene, at):
        return
    background = canary.analysis
    measures = background is not None and (background.templates or background.pod_health)
    if background is not None and measures and (at.index or 0) >= (background.starting_step or 0):
        yield demand(scene, BACKGROUND, background)
    if at.index is not None and at.index < len(scene.steps):
        analysis = scene.steps[at.index].analysis
        if analysis is not None:
            yield demand(scene, STEP, analysis, at.index)


def as_raw(analysis: RolloutAnalysis | BackgroundAnalysis) -> dict[str, Any]:
    """Return an analysis as the API writes it."""
    return analysis.model_dump(mode="json", by_alias=True, exclude_none=True)
