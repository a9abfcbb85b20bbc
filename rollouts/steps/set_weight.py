"""`setWeight: 20`: which share do the canary's pods (or its traffic) get, and when has it been reached?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from rollouts.ports import Gate, Here, Open, Shut, Step, Wishes


class SetWeight(Step[int]):
    """Gives the canary a share in percent; complete when pods and router are there."""

    key = "setWeight"

    def problems(self, spec: int, *, max_weight: int, routed: bool) -> Iterator[tuple[str, str]]:
        del routed
        if not 0 <= spec <= max_weight:
            yield "", f"{spec} is out of range: a weight is a number from 0 to {max_weight}"

    def hold(self, wishes: Wishes, spec: int) -> Wishes:
        return replace(wishes, weight=spec)

    def gate(self, spec: int, here: Here, now: datetime) -> Gate:
        del now
        if here.unmet or here.unrouted:
            return Shut(here.unmet or here.unrouted)
        return Open(f"weight {spec} is reached")

    def title(self, spec: int) -> str:
        return f"setWeight: {spec}"
