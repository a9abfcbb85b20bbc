"""Which step plugins are to be called now, and what do their answers say of how far they are?

A call is decided, written down in `status.canary.stepPluginStatuses`, and then made: the pass that sees the entry asks
for it. What came of it is an observation of a later pass. So nothing that was called is ever forgotten, whenever the
controller dies; at worst the same call is made twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from rollouts.api.durations import format_duration, parse_duration
from rollouts.api.status import StepPluginStatus
from rollouts.api.timestamps import format_time, whole_second
from rollouts.plan.bound import BoundStep, Disabled
from rollouts.plan.state import State
from rollouts.ports import Answer
from rollouts.ports.called import ERROR, FAILED, RUNNING, SUCCESSFUL, CalledStep, Operation

Raw = Mapping[str, Any]

AGAIN = timedelta(seconds=30)
"""When a step is called again that doesn't say when, or that ended in an error."""

SHORTEST = timedelta(seconds=1)
MOST_TRIES = 5
"""How often stopping and undoing are tried before they count as failed: the rollout is elsewhere by then."""

_OVER = frozenset({SUCCESSFUL, FAILED})
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """A call to make: data only, so that whoever performs it may do so in any way.

    `number` counts the calls of this operation from 1, `started_at` is when the first of them was decided. `state` is
    what the plugin asked to be reminded of.
    """

    plugin: str
    operation: Operation
    index: int
    number: int
    started_at: datetime
    config: Raw = field(repr=False, hash=False)
    state: Raw = field(repr=False, hash=False)

    @property
    def identity(self) -> tuple[object, ...]:
        """What tells this call from all others of its Rollout."""
        return (self.plugin, self.operation, self.index, self.number, self.started_at)


@dataclass(frozen=True, slots=True)
class Returned:
    """A call that was made. Whoever performs it keeps this until a status that was planned with it is written."""

    call: Call
    finished_at: datetime
    answer: Answer


@dataclass(frozen=True, slots=True)
class Calling:
    """What one pass decides about calls.

    `entries` are the whole new stepPluginStatuses. `answer` is how the current step's `Run` stands, None before its
    first call has ended. `until` is when the next call is due. `because` tells of calls beside the current step's.
    """

    entries: tuple[StepPluginStatus, ...] = ()
    due: tuple[Call, ...] = ()
    answer: Answer | None = None
    until: datetime | None = None
    because: tuple[str, ...] = ()

    @property
    def failure(self) -> str:
        """Why the update is to be aborted; empty if it isn't."""
        if self.answer is None or self.answer.phase != FAILED:
            return ""
        return self.answer.message or "it failed without a message"


def plan_calls(
    steps: Sequence[BoundStep],
    at: State,
    written: Sequence[StepPluginStatus],
    returned: Sequence[Returned],
    under_way: Collection[Call],
    now: datetime,
    *,
    may_run: bool,
) -> Calling:
    """Return what is to be called; `written` are the entries that the API server has.

    `may_run` is false where the current step isn't to be carried out at present: while the Rollout is halted.
    """
    entries = tuple(_after(each, steps, returned) for each in at.calls if _is_sound(steps, each))
    wanted = _wanted(steps, at, entries, may_run=may_run)
    if wanted is None:
        return Calling(entries)
    index, operation = wanted
    if operation == "Run" and _is_over(entries, index, "Terminate"):
        # Somebody has come back to a step that had been left: it begins anew.
        entries = tuple(each for each in entries if each.index != index)
    if any(each.index == index for each in under_way):
        return Calling(entries, answer=_answer_of(entries, index, operation), because=_told(steps[index], operation))
    entry = find(entries, index, operation)
    if entry is None:
        entries = (*entries, _begun(steps[index], index, operation, now))
        return Calling(entries, because=_told(steps[index], operation))
    return _next(steps[index], entry, entries, now, is_written=entry in written)


def _next(
    step: BoundStep, entry: StepPluginStatus, entries: tuple[StepPluginStatus, ...], now: datetime, *, is_written: bool
) -> Calling:
    """Return what is next for an operation that has begun."""
    operation = _operation_of(entry)
    calling = Calling(entries, answer=_answer_of(entries, entry.index, operation))
    if entry.phase in _OVER or entry.disabled:
        return calling
    calling = replace(calling, because=_told(step, operation, entry))
    if not is_written:
        return calling
    due_at = _due(entry)
    return replace(calling, until=due_at) if due_at > now else replace(calling, due=(_call(step, entry, entries),))


def find(entries: Sequence[StepPluginStatus], index: int, operation: str) -> StepPluginStatus | None:
    """Return the entry of an operation of a step."""
    return next((each for each in entries if (each.index, each.operation) == (index, operation)), None)


def _wanted(
    steps: Sequence[BoundStep], at: State, entries: Sequence[StepPluginStatus], *, may_run: bool
) -> tuple[int, Operation] | None:
    """Return whose turn it is: at most one call is under way for a Rollout."""
    runs = [each for each in reversed(entries) if each.operation == "Run" and _is_called(steps, each)]
    if at.abort:
        begun = (each.index for each in runs if each.phase != FAILED)
        return next(((index, "Abort") for index in begun if not _is_over(entries, index, "Abort")), None)
    is_at_a_step = not at.is_promoted and bool(at.stable_hash) and not at.promote_full
    current = at.index if is_at_a_step else None
    for each in runs:
        if each.index != current and each.phase not in _OVER and not _is_ended(entries, each.index):
            return each.index, "Terminate"
    if current is None or current >= len(steps) or not may_run:
        return None
    return (current, "Run") if isinstance(steps[current].plugin, CalledStep | Disabled) else None


def _is_sound(steps: Sequence[BoundStep], entry: StepPluginStatus) -> bool:
    """Whether the entry is about a step that there is; anybody may have edited the status."""
    is_known = 0 <= entry.index < len(steps) and entry.operation in {"Run", "Terminate", "Abort"}
    return is_known and steps[entry.index].name == entry.name


def _is_called(steps: Sequence[BoundStep], entry: StepPluginStatus) -> bool:
    return not entry.disabled and isinstance(steps[entry.index].plugin, CalledStep)


def _is_over(entries: Sequence[StepPluginStatus], index: int, operation: str) -> bool:
    entry = find(entries, index, operation)
    return entry is not None and entry.phase in _OVER


def _is_ended(entries: Sequence[StepPluginStatus], index: int) -> bool:
    return _is_over(entries, index, "Terminate") or _is_over(entries, index, "Abort")


def _begun(step: BoundStep, index: int, operation: Operation, now: datetime) -> StepPluginStatus:
    """Return the entry of an operation that begins with this pass."""
    moment = whole_second(now)
    if isinstance(step.plugin, Disabled):
        return StepPluginStatus(index=index, name=step.name, operation=operation, started_at=moment, disabled=True)
    return StepPluginStatus(index=index, name=step.name, operation=operation, phase=RUNNING, started_at=moment)


def _call(step: BoundStep, entry: StepPluginStatus, entries: Sequence[StepPluginStatus]) -> Call:
    run = find(entries, entry.index, "Run")
    state = entry.status or (run.status if run is not None else None) or {}
    return Call(
        plugin=step.name,
        operation=_operation_of(entry),
        index=entry.index,
        number=(entry.executions or 0) + 1,
        started_at=entry.started_at or _LONG_AGO,
        config=step.config,
        state=dict(state),
    )


def _operation_of(entry: StepPluginStatus) -> Operation:
    """Return what an entry is about."""
    match entry.operation:
        case "Run" | "Abort":
            return entry.operation
        case _:
            return "Terminate"


def _due(entry: StepPluginStatus) -> datetime:
    """Return when the next call of an operation is due."""
    last = entry.updated_at
    if last is None:
        return entry.started_at or _LONG_AGO
    try:
        pause = parse_duration(entry.backoff or "")
    except ValueError:
        pause = AGAIN
    return last + max(pause, SHORTEST)


def _after(entry: StepPluginStatus, steps: Sequence[BoundStep], returned: Sequence[Returned]) -> StepPluginStatus:
    """Return an entry as it is with what its call has returned."""
    if entry.phase in _OVER or not _is_called(steps, entry):
        return entry
    mine = _call(steps[entry.index], entry, ()).identity
    found = next((each for each in returned if each.call.identity == mine), None)
    return entry if found is None else _answered(entry, found)


def _answered(entry: StepPluginStatus, found: Returned) -> StepPluginStatus:
    answer, moment = found.answer, whole_second(found.finished_at)
    number = found.call.number
    phase, message = answer.phase, answer.message
    if phase == RUNNING and entry.operation != "Run":
        phase, message = FAILED, message or "it goes on, though it should have ended"
    if phase == ERROR and entry.operation != "Run" and number >= MOST_TRIES:
        phase, message = FAILED, f"given up after {number} tries: {message}"
    is_over = phase in _OVER
    pause = AGAIN if answer.again_after is None or phase == ERROR else max(answer.again_after, SHORTEST)
    return entry.model_copy(
        update={
            "phase": phase,
            "message": message or None,
            "updated_at": moment,
            "finished_at": moment if is_over else None,
            "backoff": None if is_over else format_duration(pause),
            "executions": number,
            "status": entry.status if answer.status is None or phase == ERROR else dict(answer.status),
        }
    )


def _answer_of(entries: Sequence[StepPluginStatus], index: int, operation: Operation) -> Answer | None:
    entry = find(entries, index, "Run")
    if operation != "Run" or entry is None or not entry.executions:
        return None
    message = entry.message or ""
    match entry.phase:
        case "Successful":
            return Answer(SUCCESSFUL, message)
        case "Failed":
            return Answer(FAILED, message)
        case "Error":
            again = format_time(_due(entry))
            return Answer(
                ERROR, f'the plugin "{entry.name}" failed to answer, and is asked again at {again}: {message}'
            )
        case _:
            return Answer(RUNNING, message)


def _told(step: BoundStep, operation: Operation, entry: StepPluginStatus | None = None) -> tuple[str, ...]:
    """Tell of a call that isn't the current step's."""
    if operation == "Run":
        return ()
    what = "undo what it did" if operation == "Abort" else "stop"
    failed = entry is not None and entry.phase == ERROR
    said = f", again after an error: {entry.message}" if entry is not None and failed else ""
    return (f'the step plugin "{step.name}" is asked to {what}{said}',)


def as_json(entries: Sequence[StepPluginStatus]) -> list[dict[str, Any]]:
    """Return entries as they are written."""
    return [_entry_as_json(each) for each in entries]


def _entry_as_json(entry: StepPluginStatus) -> dict[str, Any]:
    times = {"started_at": "startedAt", "updated_at": "updatedAt", "finished_at": "finishedAt"}
    raw: dict[str, Any] = entry.model_dump(by_alias=True, exclude=set(times), exclude_none=True)
    for name, alias in times.items():
        if (moment := getattr(entry, name)) is not None:
            raw[alias] = format_time(moment)
    return raw
