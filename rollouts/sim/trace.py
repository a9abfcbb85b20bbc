"""What of a rollout must be the same, simulated or on a real API server? Its trace: states, events, sizes at rest.

Compared, one by one and in order:

- **states**: current and stable revision, step index, phase, and the reason of a pause or a degradation. They are the
  promise of the API: people, pipelines and dashboards act on them. Taken from fields that only the controller writes,
  so that a person's patch is no state of its own. `Progressing` is left out where `Healthy` follows on it at the same
  revisions and step: pods are on their way then, and whether anybody sees that depends on how fast they are.
- **events**: reason and message. A run of events about pods (scaling, evictions) counts as its sum for each revision:
  in how many parts surge lets pods move depends on how many got ready at once.
- **switches**: what each Service selected, one after the other. A Service follows its pods beside the steps: whether
  that is told before or after the step depends on which pods were seen first.
- **rests**: the sizes of the revisions before each thing that people do, unless an update is moving just then, and at
  the end: how it gets there depends on speed, where it comes to rest doesn't.

Not compared: times, messages of progress, counts in the status, names of pods. Revisions are called A, B, C in the
order in which they come, so that no hash matters.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from rollouts.api import keys
from rollouts.sim.scenario import Change
from rollouts.sim.simulation import Moment

Raw = Mapping[str, Any]

HEALTHY, PROGRESSING = "Healthy", "Progressing"
# Told when a controller first sees a Rollout: there is none in a simulation.
_OF_CONTROLLERS = frozenset({"RolloutAddedToInformer"})
_SCALED = re.compile(r"Scaled \w+ ReplicaSet (\S+) \(revision \d+\) from (\d+) to (\d+)")
_SWITCHED = re.compile(r"Switched selector for service '([^']+)' from '\w*' to '(\w*)'")
_EVICTED = re.compile(r"Evicted pod (\S+)-[^-\s]+ of")


@dataclass(frozen=True, slots=True)
class State:
    """Where a rollout stands."""

    current: str
    stable: str
    step: int | None
    phase: str
    reason: str = ""

    def __str__(self) -> str:
        step = "" if self.step is None else f" step {self.step}"
        return f"{self.current} over {self.stable or 'nothing'}{step}: {self.phase} {self.reason}".rstrip()


@dataclass(frozen=True, slots=True)
class Trace:
    """What is compared."""

    states: tuple[State, ...]
    events: tuple[str, ...]
    switches: tuple[tuple[str, ...], ...]
    rests: tuple[Mapping[str, int] | None, ...]


@dataclass(slots=True)
class Tracer:
    """Makes a trace of what is seen, told and done, in the order of it."""

    _letters: dict[str, str] = field(default_factory=dict)
    _states: list[State] = field(default_factory=list)
    _events: list[str] = field(default_factory=list)
    _moved: dict[str, tuple[int, int]] = field(default_factory=dict)
    _evicted: dict[str, int] = field(default_factory=dict)
    _switched: dict[str, list[str]] = field(default_factory=dict)
    _rests: list[Mapping[str, int] | None] = field(default_factory=list)
    _sizes: Mapping[str, int] = field(default_factory=dict)

    def see(self, rollout: Raw, replica_sets: Iterable[Raw]) -> None:
        """Note how things are."""
        status = rollout.get("status") or {}
        if not status.get("phase"):
            return
        message = str(status.get("message") or "")
        state = State(
            current=self._letter(status.get("currentPodHash")),
            stable=self._letter(status.get("stableRS")),
            step=status.get("currentStepIndex"),
            phase=status["phase"],
            reason="" if status["phase"] in (HEALTHY, PROGRESSING) else message.partition(":")[0],
        )
        if state.phase == HEALTHY and self._states[-1:] == [replace(state, phase=PROGRESSING)]:
            self._states.pop()
        if self._states[-1:] != [state]:
            self._states.append(state)
        self._sizes = {_hash_of(each): each["spec"]["replicas"] for each in replica_sets}

    def tell(self, reason: str, message: str) -> None:
        """Note an event."""
        if reason in _OF_CONTROLLERS:
            return
        if scaled := _SCALED.match(message):
            name, before, after = scaled[1], int(scaled[2]), int(scaled[3])
            self._moved[name] = (self._moved.get(name, (before, 0))[0], after)
        elif evicted := _EVICTED.match(message):
            self._evicted[evicted[1]] = self._evicted.get(evicted[1], 0) + 1
        elif switched := _SWITCHED.match(message):
            self._switched.setdefault(switched[1], []).append(self._letter(switched[2]))
        else:
            self._end_run()
            self._events.append(f"{reason}: {self._with_letters(message)}")

    def act(self) -> None:
        """Note that somebody is about to do something to the Rollout."""
        if not self._states:
            return
        if self._states[-1].phase == PROGRESSING:
            self._rests.append(None)
        else:
            self._end_run()
            self._rests.append(self._rest())

    def trace(self) -> Trace:
        """Return what was noted."""
        self._end_run()
        switches = tuple((service, *selected) for service, selected in sorted(self._switched.items()))
        return Trace(tuple(self._states), tuple(self._events), switches, (*self._rests, self._rest()))

    def _letter(self, pod_hash: str | None) -> str:
        if not pod_hash:
            return ""
        return self._letters.setdefault(pod_hash, chr(ord("A") + len(self._letters)))

    def _with_letters(self, text: str) -> str:
        for pod_hash, letter in self._letters.items():
            text = text.replace(pod_hash, letter)
        return text

    def _rest(self) -> Mapping[str, int]:
        sizes = {self._letter(pod_hash): size for pod_hash, size in self._sizes.items() if size}
        return dict(sorted(sizes.items()))

    def _end_run(self) -> None:
        for name, (before, after) in sorted(self._moved.items(), key=lambda each: self._with_letters(each[0])):
            self._events.append(f"scaled {self._with_letters(name)} from {before} to {after}")
        for name, count in sorted(self._evicted.items()):
            self._events.append(f"evicted {count} of {self._with_letters(name)}")
        self._moved.clear()
        self._evicted.clear()


def _hash_of(replica_set: Raw) -> str:
    return str(replica_set["metadata"]["labels"][keys.POD_TEMPLATE_HASH])


def trace_of(moments: Iterable[Moment], name: str) -> Trace:
    """Return the trace of a simulation."""
    tracer = Tracer()
    for moment in moments:
        if isinstance(moment, Change):
            tracer.act()
            continue
        tracer.see(moment.after.rollouts[name], moment.after.replica_sets.values())
        for event in moment.events:
            tracer.tell(event.reason, event.message)
    return tracer.trace()


def differences(simulated: Trace, recorded: Trace) -> list[str]:
    """Tell for each kind where two traces part: what was the same before it, and both continuations."""
    return [
        *_parting("state", simulated.states, recorded.states),
        *_parting("event", simulated.events, recorded.events),
        *_parting("Service", simulated.switches, recorded.switches),
        *_parting("rest", simulated.rests, recorded.rests),
    ]


def _parting(kind: str, simulated: Iterable[object], recorded: Iterable[object]) -> list[str]:
    same: list[str] = []
    for ours, theirs in zip_longest(simulated, recorded):
        if ours != theirs:
            before = f" after {same[-1]}" if same else ""
            return [f"{kind} {len(same) + 1}{before}: simulated {ours}, but on the API server {theirs}"]
        same.append(str(ours))
    return []
