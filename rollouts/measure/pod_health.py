"""How healthy are the pods of the canary, beside the stable ones? The API server knows: no metrics system is needed.

Trouble that both versions have in the same time, pod for pod, is not the canary's: what counts is how much more it has.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rollouts.api.keys import POD_TEMPLATE_HASH
from rollouts.api.providers import PodHealthMetric
from rollouts.measure.answers import at, json_text
from rollouts.measure.pod_signs import Seen, Signs, began, signs_of
from rollouts.measure.pods import PODS
from rollouts.ports.objects import ListObjects, ObjectKind, ObjectRequest, Raw
from rollouts.ports.provider import Asked, Flow, NoData, ObjectError, Provider, Reading, Verdict

EVENTS = ObjectKind("", "v1", "events", "Event")
_WARNINGS = "type=Warning,involvedObject.kind=Pod"
_MOST_REMEMBERED = 25
_MOST_REASONS = 3


@dataclass(frozen=True, slots=True)
class _Sign:
    """One thing that speaks against pods: its name in the result, how much is tolerated, and how it is told."""

    name: str
    noun: str
    limit: Callable[[PodHealthMetric], int | None]
    default: int
    count: Callable[[Signs], int]
    told: Callable[[Signs], str]

    def tolerated(self, spec: PodHealthMetric) -> int:
        limit = self.limit(spec)
        return self.default if limit is None else limit


_SIGNS = (
    _Sign(
        "restarts", "restart", lambda spec: spec.max_restarts, 1, lambda pod: pod.restarts,
        lambda pod: f"restarted {_times(pod.restarts)}{_because(pod.reasons)}",
    ),
    _Sign(
        "oomKills", "OOM kill", lambda spec: spec.max_oom_kills, 0, lambda pod: pod.oom_kills,
        lambda _: "ran out of memory (OOMKilled)",
    ),
    _Sign(
        "readinessFlaps", "readiness flap", lambda spec: spec.max_readiness_flaps, 1, lambda pod: pod.readiness_flaps,
        lambda pod: f"had been ready and was so no longer {_times(pod.readiness_flaps)}",
    ),
    _Sign(
        "waiting", "stuck pod", lambda spec: spec.max_waiting, 0, lambda pod: int(bool(pod.waiting)),
        lambda pod: f"can't run ({pod.waiting})",
    ),
    _Sign(
        "warningEvents", "warning event", lambda spec: spec.max_warning_events, 20, lambda pod: pod.warnings,
        lambda pod: f"has {_many(pod.warnings, 'warning event')}{_because(pod.warning_reasons)}",
    ),
)  # fmt: skip


class PodHealth(Provider[PodHealthMetric]):
    """A map of numbers for canary and for stable. Without conditions, the limits judge."""

    key = "podHealth"
    model = PodHealthMetric
    objects = {PODS: frozenset({"list"}), EVENTS: frozenset({"list"})}  # noqa: RUF012 - as the superclass has it

    def problems(self, spec: PodHealthMetric) -> Iterator[tuple[str, str]]:
        if not spec.canary_hash:
            yield "canaryHash", "is empty: take it from an argument, with podTemplateHashValue: Latest in the Rollout"
        if spec.canary_hash == spec.stable_hash:
            yield "stableHash", f"{spec.stable_hash!r} is canaryHash, too: pods can't be compared with themselves"
        limits = {f"max{sign.name[0].upper()}{sign.name[1:]}": sign.limit(spec) for sign in _SIGNS}
        for name, limit in limits.items():
            if limit is not None and limit < -1:
                yield name, f"{limit} is too small: 0 or more, or -1 to tolerate all"

    def flow(self, spec: PodHealthMetric, asked: Asked) -> Flow:
        canary_pods = yield from _pods(spec.canary_hash)
        stable_pods = (yield from _pods(spec.stable_hash)) if spec.stable_hash else []
        events = yield from _events(spec, any_pods=bool(canary_pods))
        since = began(canary_pods)
        canary = _Side.of("canary", canary_pods, asked, None, events)
        stable = _Side.of("stable", stable_pods, asked, since, events)
        result = {side.name: side.numbers for side in (canary, stable)}
        value = json_text(result)
        if not canary.pods:
            return NoData(f"there are no pods with the hash {spec.canary_hash}", result, value)
        memory = {**canary.memory, **stable.memory}
        if asked.turn.has_conditions:
            return Reading(result, value, memory=memory)
        faults = [*_faults(spec, canary, stable)]
        return Verdict("Failed" if faults else "Successful", value, "; ".join(faults), memory=memory)


@dataclass(frozen=True, slots=True)
class _Side:
    """The pods of one version."""

    name: str
    pods: Sequence[Signs]

    @classmethod
    def of(cls, name: str, pods: Sequence[Raw], asked: Asked, since: Any, events: Sequence[Raw]) -> "_Side":
        before = _remembered(asked.memory.get(_place(name), ""))
        signs = [signs_of(pod, since, before.get(_short(pod)), events) for pod in pods]
        return cls(name, sorted(signs, key=lambda pod: pod.name))

    def total(self, sign: _Sign) -> int:
        return sum(sign.count(pod) for pod in self.pods)

    @property
    def numbers(self) -> dict[str, int]:
        ready = sum(bool(pod.seen.ready_since) for pod in self.pods)
        return {"pods": len(self.pods), "ready": ready, **{sign.name: self.total(sign) for sign in _SIGNS}}

    @property
    def memory(self) -> dict[str, str]:
        entries = [
            f"{_last(pod.name)} {pod.seen.restarts} {pod.seen.flaps} {pod.seen.ready_since}" for pod in self.pods
        ]
        return {_place(self.name): "; ".join(entries[:_MOST_REMEMBERED])}


def _pods(template_hash: str) -> Generator[ObjectRequest, Any, list[Raw]]:
    """Return the pods of a version, without those that are on their way out."""
    pods = yield from ListObjects(PODS, f"{POD_TEMPLATE_HASH}={template_hash}").ask()
    return [each for each in pods if not at(each, "metadata", "deletionTimestamp")]


def _events(spec: PodHealthMetric, *, any_pods: bool) -> Generator[ObjectRequest, Any, Sequence[Raw]]:
    """Return the warning events of pods; where they can't be read, the pods themselves tell enough."""
    if any_pods and spec.max_warning_events != -1:
        with suppress(ObjectError):
            return (yield from ListObjects(EVENTS, fields=_WARNINGS).ask())
    return ()


def _faults(spec: PodHealthMetric, canary: _Side, stable: _Side) -> Iterator[str]:
    """Yield in which way the canary's pods are worse than is tolerated."""
    for sign in _SIGNS:
        limit = sign.tolerated(spec)
        there, beside = canary.total(sign), stable.total(sign)
        share = beside * len(canary.pods) / len(stable.pods) if stable.pods else 0.0
        if limit < 0 or there - share <= limit:
            continue
        worst = max(canary.pods, key=sign.count)
        compared = f", {beside} in {_many(len(stable.pods), 'stable pod')}" if stable.pods else ""
        numbers = f"{_many(there, sign.noun)} in {_many(len(canary.pods), 'canary pod')}{compared}"
        yield f"canary pod {worst.name} {sign.told(worst)}; {numbers} (tolerated: {limit} more)"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _because(reasons: Sequence[str]) -> str:
    return f" ({', '.join(reasons[:_MOST_REASONS])})" if reasons else ""


def _place(side: str) -> str:
    return f"{side}-pods"


def _last(name: str) -> str:
    """Return what tells a pod from others of its version."""
    return name.rpartition("-")[2]


def _short(pod: Raw) -> str:
    return _last(str(at(pod, "metadata", "name") or ""))


def _remembered(text: str) -> Mapping[str, Seen]:
    """Read what `_Side.memory` wrote; who edits a status can only make us forget."""
    remembered: dict[str, Seen] = {}
    for entry in text.split("; "):
        match entry.split(" "):
            case [name, restarts, flaps, ready_since] if restarts.isdecimal() and flaps.isdecimal():
                remembered[name] = Seen(int(restarts), int(flaps), ready_since)
    return remembered
