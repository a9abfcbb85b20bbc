"""`experiment`: do pods of both versions, side by side, show that the new one is good enough? An Experiment decides."""

from collections.abc import Iterator
from datetime import datetime

from rollouts.api.experiment import RolloutExperiment
from rollouts.ports import Gate, Here, Step


class Experiment(Step[RolloutExperiment]):
    """Holds the rollout until its experiment is successful. One that isn't aborts the update, or pauses it."""

    key = "experiment"

    def problems(self, spec: RolloutExperiment, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        if not spec.templates:
            yield "templates", "is empty: name at least one template, with specRef canary or stable"
        total = 0
        for index, template in enumerate(spec.templates):
            weight, path = template.weight, f"templates[{index}].weight"
            if weight is None:
                continue
            total += max(weight, 0)
            if weight < 0:
                yield path, f"{weight} is negative: must be 0 or more"
            elif not routed:
                yield path, "needs trafficRouting: without a router nothing sends traffic to these pods"
        if total > max_weight:
            yield "templates", f"have a weight of {total} together: {max_weight} is all that there is"

    def experiment(self, spec: RolloutExperiment) -> RolloutExperiment:
        return spec

    def gate(self, spec: RolloutExperiment, here: Here, now: datetime) -> Gate:
        del spec, now
        return here.checked("its experiment begins")

    def title(self, spec: RolloutExperiment) -> str:
        del spec
        return "experiment"
