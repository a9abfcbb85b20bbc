"""Does Argo CD say of each recorded state of an analysis run and of an experiment what a person would?"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from e2e import argocd, run_health
from rollouts.api.keys import INSTANCE_ID
from rollouts.view.experiments import shown_experiment
from rollouts.view.runs import shown_run
from rollouts.view.status import Shown

Json = dict[str, Any]
OURS = {
    run_health.PROGRESSING: {"Pending", "Running"},
    run_health.HEALTHY: {"Successful"},
    run_health.DEGRADED: {"Failed", "Error"},
    run_health.UNKNOWN: {"Inconclusive"},
}
_ENDED = {"Successful", "Failed", "Error", "Inconclusive"}


class ChildJudge:
    """Argo CD's scripts for one kind that a Rollout makes, and our own command line."""

    def __init__(self, folder: Path, expected: Callable[[Json], str], shown: Callable[[Json], Shown]) -> None:
        self.scripts = argocd.Scripts(folder)
        self._expected = expected
        self._shown = shown

    @classmethod
    def of_runs(cls, argo_cd: Path) -> "ChildJudge":
        """Judges AnalysisRuns."""
        return cls(argo_cd / "argoproj.io" / "AnalysisRun", run_health.expected_of_run, shown_run)

    @classmethod
    def of_experiments(cls, argo_cd: Path) -> "ChildJudge":
        """Judges Experiments."""
        return cls(argo_cd / "argoproj.io" / "Experiment", run_health.expected_of_experiment, shown_experiment)

    def complaints(self, states: Sequence[Json]) -> list[str]:
        """What is said otherwise than a person would; what belongs to a controller that nobody runs is left out."""
        ours = [each for each in states if INSTANCE_ID not in (each["metadata"].get("labels") or {})]
        return [f"{_title(state)}\n  {complaint}" for state in ours for complaint in self._about(state)]

    def _about(self, state: Json) -> Iterator[str]:
        expected, (health, message) = self._expected(state), self.scripts.health(state)
        if health != expected:
            yield f"Argo CD shows {health} ({message}), a person expects {expected}"
        if (phase := self._shown(state).phase) not in OURS[expected]:
            yield f"we show {phase}, a person expects {expected}"
        if self.scripts.actions and "status" in state:  # without a status, Argo CD's own script fails
            yield from self._buttons(state)

    def _buttons(self, state: Json) -> Iterator[str]:
        offered, spec = self.scripts.offered(state), state["spec"]
        may_end = not spec.get("terminate") and state["status"].get("phase") not in _ENDED
        if offered != ({"terminate"} if may_end else set()):
            yield f"Argo CD offers {sorted(offered)} of a run that is {state['status'].get('phase')}"
        for action in offered:
            written = argocd.patches(state, self.scripts.act(action, state))
            if written != ({}, {"spec": {"terminate": True}}):
                yield f"Argo CD's {action} writes {written}"


def _title(state: Json) -> str:
    return f"{state['kind']} {state['metadata']['name']} {state.get('status')}"
