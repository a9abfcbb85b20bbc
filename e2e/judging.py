"""Do the tools that people look through say of each recorded state what a person would?"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from e2e import argocd, health
from rollouts.view.status import shown_status
from tests.docs.flux import Flux

Json = dict[str, Any]
OURS = {"Healthy": "Healthy", "Progressing": "Progressing", "Suspended": "Paused", "Degraded": "Degraded"}
FLUX = {"Healthy": "Current", "Progressing": "InProgress", "Suspended": "InProgress", "Degraded": "Failed"}
# What an action may write: anything else would be our object coming back altered.
WRITES = {
    "restart": {"spec.restartAt"},
    "resume": {"status.pauseConditions", "spec.paused"},
    "abort": {"status.abort"},
    "retry": {"status.abort"},
    "pause": {"spec.paused"},
    "promote-full": {"status.promoteFull"},
    "skip-current-step": {"status.pauseConditions", "status.currentStepIndex"},
}


class Judge:
    """Argo CD's scripts, the health checks of our page for Flux, and our own command line."""

    def __init__(self, argo_cd: Path) -> None:
        self.scripts = argocd.Scripts(argo_cd / "argoproj.io" / "Rollout")
        self._flux = Flux.from_page()

    def complaints(self, states: Sequence[Json]) -> list[str]:
        """What is said otherwise than a person would."""
        return [f"{_title(state)}\n  {complaint}" for state in states for complaint in self._about(state)]

    def _about(self, state: Json) -> Iterator[str]:
        if health.is_answered(state):
            yield from self._health(state)
        offered, makes_sense = self._offered(state), health.buttons(state)
        if offered != makes_sense:
            yield f"Argo CD offers {sorted(offered)}, what makes sense is {sorted(makes_sense)}"
        for action in sorted(offered):
            wanted = self.scripts.act(action, state)
            written = {
                f"{part}.{name}" for patch in argocd.patches(state, wanted) for part in patch for name in patch[part]
            }
            if not written <= WRITES[action]:
                yield f"Argo CD's {action} writes {sorted(written)}"

    def _offered(self, state: Json) -> set[str]:
        """The buttons, without one that fails by Argo CD's own making: it skips steps where no index can be."""
        status, steps = state.get("status") or {}, (state["spec"]["strategy"].get("canary") or {}).get("steps")
        is_invalid = any(each["type"] == "InvalidSpec" for each in status.get("conditions") or ())
        has_no_index = "currentStepIndex" not in status and (is_invalid or steps == [])
        return self.scripts.offered(state) - ({"skip-current-step"} if has_no_index else set())

    def _health(self, state: Json) -> Iterator[str]:
        expected = health.expected(state)
        shown, message = self.scripts.health(state)
        if shown != expected:
            yield f"Argo CD shows {shown} ({message}), a person expects {expected}"
        if (ours := shown_status(state).phase) != OURS[expected]:
            yield f"`rollouts status` shows {ours}, a person expects {OURS[expected]}"
        # The page for Flux says so: what is behind workloadRef is no part of the spec that its expressions look at.
        looks = "status" in state and health.workload_is_seen(state)
        if looks and (checked := self._flux.health(state)) != FLUX[expected]:
            yield f"Flux takes it for {checked}, a person expects {FLUX[expected]}"


def _title(state: Json) -> str:
    spec, status = state["spec"], state.get("status") or {}
    seen = {name: value for name, value in status.items() if name not in ("conditions", "selector", "duration")}
    reasons = [f"{each['type']}={each['status']}/{each['reason']}" for each in status.get("conditions") or ()]
    asked = {name: spec[name] for name in ("replicas", "paused", "restartAt") if name in spec}
    return f"{state['metadata']['name']} generation {state['metadata']['generation']} {asked} {seen} {reasons}"
