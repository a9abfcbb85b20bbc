"""Who lets things happen when a rollout has come so far? Lists of happenings that wait for their moments."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from rollouts.sim.course import Asked, Condition, Happening, Word
from rollouts.sim.scenario import Change
from rollouts.sim.world import Raw, World

Deed = Word | Asked


@dataclass(frozen=True, slots=True)
class People:
    """What the director can't know by itself.

    `act` returns how a deed is told and done in the world as it is; `must_act` tells whether a Rollout waits until a
    person does something.
    """

    act: Callable[[World, str, Deed], tuple[str, Callable[[World], None]]]
    must_act: Callable[[Raw], bool]


@dataclass(slots=True)
class _Line:
    """Happenings that come one after the other; `due` is the time of the first one, once that is known."""

    left: deque[Happening]
    due: datetime | None = None


@dataclass(slots=True)
class Director:
    """Directs one Rollout. Lists run beside each other; `until` ends the play once they are through and it is so.

    A pause that only a person can end is ended after `resume_after`.
    """

    name: str
    people: People
    start: datetime
    lists: Sequence[Iterable[Happening]]
    resume_after: timedelta | None = None
    until: Condition | None = None
    _lines: list[_Line] = field(init=False)
    _pause: Any = field(init=False, default=None)
    _resume_at: datetime | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._lines = [_Line(deque(each)) for each in self.lists]

    @property
    def never_happened(self) -> list[Happening]:
        """What has been waiting for its moment in vain so far."""
        return [each for line in self._lines for each in line.left]

    def is_over(self, world: World) -> bool:
        """Tell whether all has happened, and the end that was asked for is there."""
        return self.until is not None and not self.never_happened and holds(self.until, world.rollouts.get(self.name))

    def cues(self, world: World) -> Sequence[Change]:
        """Return what happens now: one thing at most, so that the next one finds the world settled."""
        for line in self._lines:
            if line.left and self._is_due(line, world):
                line.due = None
                return [self._change(world, line.left.popleft().do)]
        return self._resumption(world)

    def next_cue(self) -> datetime | None:
        """Return when something happens, as far as that is known."""
        times = [*(line.due for line in self._lines), self._resume_at]
        return min((time for time in times if time is not None), default=None)

    def _is_due(self, line: _Line, world: World) -> bool:
        first = line.left[0]
        if line.due is None:
            if first.at is not None:
                line.due = self.start + first.at
            elif first.when is None or holds(first.when, world.rollouts.get(self.name)):
                line.due = world.now + first.after
        return line.due is not None and line.due <= world.now

    def _change(self, world: World, deed: Deed, because: str = "") -> Change:
        says, do = self.people.act(world, self.name, deed)
        return Change((world.now - self.start).total_seconds(), says + because, do)

    def _resumption(self, world: World) -> Sequence[Change]:
        """Let somebody promote what has waited long enough for that."""
        rollout = world.rollouts.get(self.name)
        if self.resume_after is None or rollout is None or not self.people.must_act(rollout):
            self._pause = self._resume_at = None
            return ()
        status = rollout["status"]
        pause = (status.get("pauseConditions"), status.get("currentStepIndex"), rollout["spec"].get("paused"))
        if pause != self._pause:
            self._pause, self._resume_at = pause, world.now + self.resume_after
        if self._resume_at is None or self._resume_at > world.now:
            return ()
        self._pause = self._resume_at = None
        waited = f"{self.resume_after.total_seconds():g}s"
        return [self._change(world, Word.PROMOTE, f", as nobody did for {waited} (simulated)")]


def holds(condition: Condition, rollout: Raw | None) -> bool:
    """Tell whether a Rollout is in a state."""
    status = (rollout or {}).get("status") or {}
    if condition.state:
        return str(status.get("phase", "")).lower() == condition.state
    is_moving = status.get("stableRS") != status.get("currentPodHash") and not status.get("abort")
    return is_moving and status.get("currentStepIndex") == condition.step - 1
