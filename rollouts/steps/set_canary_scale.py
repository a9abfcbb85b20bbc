"""`setCanaryScale`: how many canary pods run, whatever share of the traffic they get?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rollouts.api.canary import SetCanaryScale as Spec
from rollouts.ports import Gate, Here, Open, Shut, Step, Wishes
from rollouts.ports.step import Scale


class SetCanaryScale(Step[Spec]):
    """Sizes the canary apart from its weight; complete when every ReplicaSet has its size.

    It stays in force for the steps after it, until the next one; `matchTrafficWeight` ends it.
    """

    key = "setCanaryScale"

    def problems(self, spec: Spec, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        if not routed:
            yield "", "needs trafficRouting: without a router pods and traffic are one; use setWeight"
        given = [name for name in ("weight", "replicas", "matchTrafficWeight") if self._value(spec, name)]
        if len(given) != 1:
            names = " and ".join(given) or "nothing"
            yield "", f"sets {names}: set exactly one of weight, replicas, matchTrafficWeight"
        if spec.weight is not None and not 0 <= spec.weight <= max_weight:
            yield "weight", f"{spec.weight} is out of range: a weight is a number from 0 to {max_weight}"
        if spec.replicas is not None and spec.replicas < 0:
            yield "replicas", f"{spec.replicas} is negative: must be 0 or more"

    @staticmethod
    def _value(spec: Spec, name: str) -> bool:
        if name == "matchTrafficWeight":
            return bool(spec.match_traffic_weight)
        return (spec.weight if name == "weight" else spec.replicas) is not None

    def hold(self, wishes: Wishes, spec: Spec) -> Wishes:
        if spec.match_traffic_weight:
            return replace(wishes, scale=None)
        return replace(wishes, scale=Scale(replicas=spec.replicas, weight=spec.weight))

    def gate(self, spec: Spec, here: Here, now: datetime) -> Gate:
        del now
        if here.unmet:
            return Shut(here.unmet)
        return Open(f"{self.title(spec)} is reached")

    def title(self, spec: Spec) -> str:
        if spec.match_traffic_weight:
            return "setCanaryScale{matchTrafficWeight: true}"
        if spec.replicas is not None:
            return f"setCanaryScale{{replicas: {spec.replicas}}}"
        return f"setCanaryScale{{weight: {spec.weight}}}"
