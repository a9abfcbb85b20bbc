"""What do people hear of a pass? Events on the Rollout, lines in the log, counts; of an idle pass nothing."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import structlog

from rollouts.controller.key import Key, key_of
from rollouts.controller.metrics import Metrics
from rollouts.controller.outcome import Outcome, Refused
from rollouts.kube.resources import PODS, ROLLOUTS
from rollouts.plan import Action, Observed, Plan
from rollouts.plan.actions import (
    ChildAction,
    CreateReplicaSet,
    ObjectAction,
    PatchRollout,
    ScaleWorkload,
    SwitchService,
    UpdateReplicaSet,
)
from rollouts.plan.narrate import Event, invalid_spec, narrate
from rollouts.ports import Found, Kit

Raw = Mapping[str, Any]

NORMAL, WARNING = "Normal", "Warning"
RECONCILIATION_ERROR = "ReconciliationError"
TRAFFIC_ROUTING_ERROR = "TrafficRoutingError"
WEIGHT_VERIFY_ERROR = "WeightVerifyError"
TRAFFIC_ROUTING_CONFLICT = "TrafficRoutingConflict"
MOST_TROUBLES = 50
_REFUSED_REASONS: Mapping[str, str] = {"update": "ReplicaSetUpdateError", "patch": "PodMetadataError"}

_log = structlog.get_logger(__name__)


class Recorder(Protocol):
    """Who sends events about objects."""

    def record(self, regarding: Raw, type: str, reason: str, message: str) -> None:  # noqa: A002
        """Tell people something about an object."""


class Teller:
    """Tells of passes, and of the same trouble only once."""

    def __init__(self, recorder: Recorder, metrics: Metrics, kit: Kit) -> None:
        self._recorder = recorder
        self._metrics = metrics
        self._kit = kit
        self._met: dict[Key, str] = {}
        self._troubles: dict[Key, set[str]] = {}

    def event(self, raw: Raw, kind: str, reason: str, message: str) -> None:
        """Send an event about an object, and count it."""
        self._recorder.record(raw, kind, reason, message)
        self._metrics.event(key_of(raw), kind, reason)

    def met(self, key: Key, rollout: Raw) -> None:
        """Say that we have seen a Rollout for the first time.

        One that has a status has been looked after before: at every start of the controller all Rollouts are new to it,
        and thousands of events would say nothing.
        """
        uid = rollout["metadata"]["uid"]
        if rollout.get("status") or self._met.get(key) == uid:
            return
        self._met[key] = uid
        self.event(rollout, NORMAL, "RolloutAddedToInformer", f"Rollout {key} is looked after from now on")

    def deleted(self, key: Key, raw: Raw) -> None:
        """Say that a Rollout is gone; of other kinds the API knows no such event."""
        if key.kind == ROLLOUTS.kind:
            self.event(raw, NORMAL, "RolloutDeleted", f"Rollout {key} is deleted")

    def passed(self, key: Key, rollout: Raw, plan: Plan, outcome: Outcome, observed: Observed | None) -> None:
        """Tell of a pass over a Rollout that did something, or tried to."""
        self.acted(key, rollout, plan.because, outcome, self._told(rollout, plan, outcome, observed))

    def acted(self, key: Key, raw: Raw, because: Sequence[str], outcome: Outcome, events: Iterable[Event] = ()) -> None:
        """Tell of a pass that did something, or tried to."""
        for event in events:
            self.event(raw, event.type, event.reason, event.message)
        for text, refused in _in_words(outcome.refused):
            self._refused(key, raw, text, refused)
        _log.info(
            "pass",
            **{key.kind.lower(): str(key)},
            because=list(because),
            actions=[describe(action) for action in outcome.acknowledged],
            **_particulars(outcome),
        )

    def _told(self, rollout: Raw, plan: Plan, outcome: Outcome, observed: Observed | None) -> Iterable[Event]:
        if not outcome.has_written:
            return ()
        if observed is None:  # its spec couldn't even be read
            return invalid_spec(rollout, plan) if outcome.status_is_written else ()
        return narrate(observed, plan, outcome.acknowledged, status_written=outcome.status_is_written, kit=self._kit)

    def failed(self, key: Key, raw: Raw | None, error: BaseException, *, is_ours: bool) -> None:
        """Tell of trouble; `is_ours` marks a mistake in our own code, which deserves its traceback."""
        self._metrics.failed(key)
        while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
            error = error.exceptions[0]
        text = f"{type(error).__name__}: {error}"
        if self._is_known(key, text):
            return
        if is_ours:
            _log.error("pass failed", key=str(key), error=text, exc_info=error)
        else:
            _log.warning("pass failed", key=str(key), error=text)
        if raw is not None:
            self.event(raw, WARNING, RECONCILIATION_ERROR, text)

    def answered(self, raw: Raw, found: Found) -> None:
        """Tell what came of a traffic router's question."""
        key, text = key_of(raw), found.error or found.because
        _log.info("asked", rollout=str(key), verified=found.verified, answer=text)
        if found.error:
            self.event(raw, WARNING, WEIGHT_VERIFY_ERROR, text)
        elif found.reason:
            self.event(raw, NORMAL if found.verified else WARNING, found.reason, text)

    def contested(self, key: Key, raw: Raw, text: str) -> None:
        """Tell of somebody who changes an object of a traffic router back each time."""
        _log.warning("contested", rollout=str(key), what=text)
        self.event(raw, WARNING, TRAFFIC_ROUTING_CONFLICT, text)

    def recovered(self, key: Key) -> None:
        """Note that things go well again: the next trouble is news, even if it is an old one."""
        self._troubles.pop(key, None)

    def forget(self, key: Key) -> None:
        """Drop what is known of an object that is gone."""
        self._met.pop(key, None)
        self._troubles.pop(key, None)
        self._metrics.forget(key)

    def _refused(self, key: Key, raw: Raw, text: str, refused: Refused) -> None:
        _log.warning("refused", **{key.kind.lower(): str(key)}, what=text)
        verb, is_of_router = refused.refusal.verb, isinstance(refused.action, ObjectAction)
        is_told = verb == "create" and not is_of_router  # by the condition of a ReplicaSet that can't be created
        if not is_told and not self._is_known(key, text):
            reason = TRAFFIC_ROUTING_ERROR if is_of_router else _REFUSED_REASONS.get(verb, RECONCILIATION_ERROR)
            self.event(raw, WARNING, reason, text)

    def _is_known(self, key: Key, text: str) -> bool:
        troubles = self._troubles.setdefault(key, set())
        if text in troubles:
            return True
        if len(troubles) >= MOST_TROUBLES:
            troubles.clear()  # a text that differs each time must not fill the memory
        troubles.add(text)
        return False


def _in_words(refused: Sequence[Refused]) -> Iterator[tuple[str, Refused]]:
    """Yield refusals in words; those of many pods, which have the same cause, as one."""
    pods = [each for each in refused if each.refusal.kind == PODS.kind]
    for each in (*(each for each in refused if each.refusal.kind != PODS.kind), *pods[:1]):
        refusal = each.refusal
        more = f" and {len(pods) - 1} more" if refusal.kind == PODS.kind and len(pods) > 1 else ""
        yield f"{refusal.verb} {refusal.kind} {refusal.subject}{more}: {refusal.reason}: {refusal.message}", each


def describe(action: Action) -> str:
    """Return an action in a few words."""
    match action:
        case CreateReplicaSet():
            return f"create ReplicaSet {action.name} with {action.size} pods"
        case UpdateReplicaSet():
            return _describe_update(action)
        case PatchRollout():
            return "patch the Rollout"
        case ScaleWorkload():
            return f"scale Deployment {action.name} from {action.seen_size} to {action.size}"
        case SwitchService():
            return f"switch Service {action.name} to {action.pod_hash}"
        case _:
            verb, kind = _split(type(action).__name__)
            kind = action.kind if isinstance(action, ChildAction) else kind
            kind = action.reference.kind if isinstance(action, ObjectAction) else kind
            return f"{verb} {kind} {action.name}"


def _describe_update(action: UpdateReplicaSet) -> str:
    if action.size is not None:
        return f"scale ReplicaSet {action.name} from {action.seen_size} to {action.size}"
    return f"{'annotate' if action.template is None else 'write the template of'} ReplicaSet {action.name}"


def _split(name: str) -> tuple[str, str]:
    """Split a name such as DeleteReplicaSet into verb and kind."""
    at = next(place for place, letter in enumerate(name) if place and letter.isupper())
    return name[:at].lower(), name[at:]


def _particulars(outcome: Outcome) -> dict[str, Any]:
    """Return what is worth a field in the log besides the actions."""
    notes: dict[str, Sequence[str] | bool] = {
        "status": outcome.status_is_written,
        "outdated": [f"{each['kind']} {each['metadata']['name']}" for each in (*outcome.outdated, *outcome.gone)],
        "postponed": outcome.postponed,
        "errors": [str(error) for error in outcome.errors],
    }
    return {name: note for name, note in notes.items() if note}
