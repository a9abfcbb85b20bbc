"""What speaks against a pod? Its restarts, memory, readiness and warnings, counted within a span of time.

A pod tells only of its present and of each container's last end. What lies between two measurements is told by what the
earlier one remembered of the pod.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rollouts.api.timestamps import parse_time
from rollouts.measure.answers import at, list_at
from rollouts.measure.pods import containers, name_of
from rollouts.ports.objects import Raw

TROUBLES = frozenset(
    {
        "CrashLoopBackOff", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "ImageInspectError",
        "CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PostStartHookError",
    }
)  # fmt: skip
_OOM = "OOMKilled"
# Of a pod that has not been ready yet these tell nothing: probes wait for the start, nodes and volumes for the cluster.
_OF_THE_START = frozenset({"Unhealthy", "FailedScheduling", "FailedMount", "FailedAttachVolume"})


@dataclass(frozen=True, slots=True)
class Seen:
    """What an earlier measurement remembered of a pod: its restarts, readiness flaps, and since when it is ready."""

    restarts: int
    flaps: int
    ready_since: str


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks against one pod, and what is to be remembered of it. `reasons` says how its containers ended."""

    name: str
    restarts: int
    oom_kills: int
    readiness_flaps: int
    waiting: str
    warnings: int
    warning_reasons: tuple[str, ...]
    reasons: tuple[str, ...]
    seen: Seen


def signs_of(pod: Raw, since: datetime | None, before: Seen | None, events: Sequence[Raw]) -> Signs:
    """Count what happened to a pod since then; None stands for its whole life."""
    total = sum(_count(container) for container in containers(pod))
    ends = [end for container in containers(pod) for end in _ends(container) if _is_after(at(end, "finishedAt"), since)]
    flaps = _flaps(pod, before)
    warnings: Counter[str] = Counter()
    for event in events:
        if _counts(event, pod, since):
            warnings[event_reason(event)] += count_of(event)
    return Signs(
        name=name_of(pod),
        restarts=_restarts(pod, total, since, before, ends),
        oom_kills=sum(at(end, "reason") == _OOM for end in ends),
        readiness_flaps=flaps,
        waiting=next(filter(None, map(_trouble, containers(pod))), ""),
        warnings=warnings.total(),
        warning_reasons=tuple(reason for reason, _ in warnings.most_common()),
        reasons=tuple(dict.fromkeys(_reason(end) for end in ends)),
        seen=Seen(total if before is None else before.restarts, flaps, _ready_since(pod)),
    )


def began(pods: Iterable[Raw]) -> datetime | None:
    """Return when the oldest of some pods was created."""
    stamps = (_time(at(pod, "metadata", "creationTimestamp")) for pod in pods)
    return min((stamp for stamp in stamps if stamp is not None), default=None)


def count_of(event: Raw) -> int:
    """Return how often an event happened."""
    count = at(event, "count") or at(event, "series", "count")
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 1


def event_reason(event: Raw) -> str:
    """Return an event's reason."""
    return str(at(event, "reason") or "Unknown")


def _restarts(pod: Raw, total: int, since: datetime | None, before: Seen | None, ends: Sequence[Raw]) -> int:
    """Count restarts since then. Of a pod that is older only those are known that happened between measurements."""
    created = _time(at(pod, "metadata", "creationTimestamp"))
    if since is None or (created is not None and created >= since):
        return total
    at_least = min(total, len(ends))
    return at_least if before is None else max(at_least, total - before.restarts)


def _flaps(pod: Raw, before: Seen | None) -> int:
    """Count how often the pod was ready no longer: a readiness that is another one than before was lost in between."""
    ready_since = _ready_since(pod)
    if before is None:
        return int(not ready_since and _had_been_ready(pod))
    return before.flaps + int(bool(before.ready_since) and before.ready_since != ready_since)


def _ready_since(pod: Raw) -> str:
    ready = _condition(pod, "Ready")
    return str(at(ready, "lastTransitionTime") or "") if at(ready, "status") == "True" else ""


def _had_been_ready(pod: Raw) -> bool:
    """Whether an unready pod has lost its readiness: one that never had it was so before its containers ran."""
    lost = _time(at(_condition(pod, "Ready"), "lastTransitionTime"))
    running = [_time(at(each, "state", "running", "startedAt")) for each in containers(pod)]
    started = [each for each in running if each is not None]
    return lost is not None and bool(started) and lost > max(started)


def _counts(event: Raw, pod: Raw, since: datetime | None) -> bool:
    """Whether an event speaks against the pod: it is about it, in that time, and not one of those that starts have."""
    last = at(event, "lastTimestamp") or at(event, "series", "lastObservedTime") or at(event, "eventTime")
    if at(event, "involvedObject", "name") != name_of(pod) or not _is_after(last, since):
        return False
    if event_reason(event) not in _OF_THE_START:
        return True
    ready = _time(_ready_since(pod))
    when = _time(last)
    return when is not None and (when > ready if ready is not None else _had_been_ready(pod))


def _trouble(container: Raw) -> str:
    reason = at(container, "state", "waiting", "reason")
    return reason if isinstance(reason, str) and reason in TROUBLES else ""


def _ends(container: Raw) -> Iterator[Mapping[str, Any]]:
    """Yield how a container ended: before it was started again, and now."""
    for state in ("lastState", "state"):
        end = at(container, state, "terminated")
        if isinstance(end, dict) and at(end, "exitCode") != 0:
            yield end


def _reason(end: Raw) -> str:
    reason, code = at(end, "reason"), at(end, "exitCode")
    return str(reason) if reason and reason != "Error" else f"exit code {code}"


def _count(container: Raw) -> int:
    count = at(container, "restartCount")
    return count if isinstance(count, int) and not isinstance(count, bool) and count > 0 else 0


def _condition(pod: Raw, kind: str) -> Any:
    return next((each for each in list_at(pod, "status", "conditions") if at(each, "type") == kind), None)


def _is_after(stamp: Any, since: datetime | None) -> bool:
    """Whether something happened in the span of time; what has no time is taken to have."""
    when = _time(stamp)
    return since is None or when is None or when >= since


def _time(stamp: Any) -> datetime | None:
    try:
        return parse_time(stamp) if isinstance(stamp, str) and stamp else None
    except ValueError:
        return None
