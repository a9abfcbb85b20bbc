"""How long does it take from a decision to the first request that goes by it?

A step's decision is the status that names the step, as a watch brings it. Answers carry the generation of the route by
which their requests were sent, so the first one on a weight is known, not guessed from shares.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rollouts.cli.demos.requests import Answer

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delay:
    """What passed until the first request on a weight, in seconds."""

    weight: int
    since_decision: float
    since_write: float


class Pace:
    """Notes when weights are decided, written, and first followed."""

    def __init__(self, canary_service: str) -> None:
        self._service = canary_service
        self._decided: tuple[int, float] | None = None
        self._written: dict[int, tuple[int, float | None, float]] = {}  # by generation: weight, decided, written
        self._first: dict[int, float] = {}

    def weight_at(self, generation: int) -> int | None:
        """Return the canary's weight in a generation of the route."""
        written = self._written.get(generation)
        return None if written is None else written[0]

    def rollout_changed(self, old: Json | None, new: Json | None) -> None:
        """Note the step or the abort that a Rollout's status has come to."""
        before, after = _decision(old), _decision(new)
        if after is not None and after != before:
            self._decided = (after[1], time.monotonic())

    def route_changed(self, _: Json | None, new: Json | None) -> None:
        """Note the weights of a route."""
        if new is None or new["metadata"]["generation"] in self._written:
            return
        weight = sum(
            backend.get("weight", 1)
            for rule in new["spec"]["rules"]
            for backend in rule.get("backendRefs") or ()
            if backend["name"] == self._service
        )
        decided = self._decided[1] if self._decided is not None and self._decided[0] == weight else None
        self._written[new["metadata"]["generation"]] = (weight, decided, time.monotonic())

    def answered(self, answer: "Answer") -> None:
        """Note the first answer by each generation."""
        self._first.setdefault(answer.generation, answer.at)

    def delays(self) -> Iterator[Delay]:
        """Yield the delays of all decisions, in their order."""
        for generation, (weight, decided, written) in sorted(self._written.items()):
            first = self._first.get(generation)
            if decided is not None and first is not None:
                yield Delay(weight, first - decided, max(0.0, first - written))  # a watch may be later than an answer


def _decision(rollout: Json | None) -> tuple[Any, int] | None:
    """Return what a Rollout has decided about its weight last, None where that isn't a step or an abort."""
    status = (rollout or {}).get("status") or {}
    if rollout is None or status.get("observedGeneration") != str(rollout["metadata"].get("generation")):
        return None
    if status.get("abort"):
        return "abort", 0
    steps: list[Json] = rollout["spec"]["strategy"]["canary"].get("steps") or []
    index: int = status.get("currentStepIndex") or 0
    is_weight = index < len(steps) and "setWeight" in steps[index]
    return ((rollout["metadata"]["generation"], index), steps[index]["setWeight"]) if is_weight else None
