"""Which pods are in trouble, and in which? What a person would look up next when pods don't become available."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from rollouts.view import fields
from rollouts.view.fields import Raw
from rollouts.view.pods import pod_row

MOST_LINES = 5
_STARTING = timedelta(seconds=30)


def troubles(rollout: Raw, replica_sets: Iterable[Raw], pods: Iterable[Raw], now: datetime) -> tuple[str, ...]:
    """Return a line for each ReplicaSet's pods that have the same trouble, the latest revision first."""
    pods = list(pods)
    mine = sorted(fields.controlled_by(rollout, replica_sets), key=fields.revision_of, reverse=True)
    counted: dict[tuple[str, str], list[str]] = {}
    for replica_set in mine:
        for pod in fields.controlled_by(replica_set, pods):
            if trouble := _trouble(pod, now):
                counted.setdefault((fields.name_of(replica_set), trouble), []).append(fields.name_of(pod))
    lines = [_line(owner, trouble, names) for (owner, trouble), names in counted.items()]
    more = len(lines) - MOST_LINES
    return (*lines[:MOST_LINES], *([f"and {more} more: kubectl get pods shows them"] if more > 0 else []))


def _line(owner: str, trouble: str, names: list[str]) -> str:
    if len(names) == 1:
        return f"pod {names[0]}: {trouble}"
    return f"{len(names)} pods of {owner}, {names[0]} for one: {trouble}"


def _trouble(pod: Raw, now: datetime) -> str:
    """Say what keeps a pod from being ready; nothing where it is, or has hardly begun."""
    row = pod_row(pod)
    if row.status == "Terminating" or row.mood == "good":
        return ""
    if unplaced := _unplaced(pod):
        return unplaced
    if row.mood == "bad":
        return ", ".join((row.status, *_how_it_ended(pod)))
    is_new = row.created is None or now - row.created < _STARTING
    return (
        "" if is_new or row.mood == "idle" else f"{row.status}, but not ready (kubectl describe pod tells its probes)"
    )


def _unplaced(pod: Raw) -> str:
    conditions = fields.items(pod, "status", "conditions")
    placed: Raw = next((each for each in conditions if each.get("type") == "PodScheduled"), {})
    if placed.get("status") != "False":
        return ""
    return f"{placed.get('reason') or 'not scheduled'}: {placed.get('message') or 'no node takes it'}"


def _how_it_ended(pod: Raw) -> Iterator[str]:
    """Yield how the container in trouble last ended, and what the kubelet says of it."""
    for status in (
        *fields.items(pod, "status", "initContainerStatuses"),
        *fields.items(pod, "status", "containerStatuses"),
    ):
        state = fields.part(status, "state")
        ended = fields.part(state, "terminated") or fields.part(status, "lastState", "terminated")
        waiting = fields.part(state, "waiting")
        if not ended and not waiting:
            continue
        if ended:
            reason = ended.get("reason")
            yield f"last ended with exit code {ended.get('exitCode', 0)}{f' ({reason})' if reason else ''}"
        if restarts := fields.count(status, "restartCount"):
            yield "1 restart" if restarts == 1 else f"{restarts} restarts"
        if message := waiting.get("message") or ended.get("message"):
            yield str(message).strip().split("\n")[0][:200]
        return
