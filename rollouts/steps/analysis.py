"""`analysis`: is the version good enough to go on? An analysis run decides."""

from collections.abc import Iterator
from datetime import datetime

from rollouts.api.analysis import RolloutAnalysis
from rollouts.ports import Gate, Here, Step


class Analysis(Step[RolloutAnalysis]):
    """Holds the rollout until its analysis run is successful. One that isn't aborts the update, or pauses it."""

    key = "analysis"

    def problems(self, spec: RolloutAnalysis, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del max_weight, routed
        if not spec.templates and not spec.pod_health:
            yield "templates", "is empty, so nothing would ever end this step: name a template, or set podHealth: true"

    def analysis(self, spec: RolloutAnalysis) -> RolloutAnalysis:
        return spec

    def gate(self, spec: RolloutAnalysis, here: Here, now: datetime) -> Gate:
        del spec, now
        return here.checked("its analysis run begins")

    def title(self, spec: RolloutAnalysis) -> str:
        del spec
        return "analysis"
