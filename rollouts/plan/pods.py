"""Which pods must be listed before a plan can be made, and what does it see of each?

None, nearly always: pods are too many to keep, ReplicaSets count them. They are read live while a restart is due, and
while the pods of a ReplicaSet may lack the metadata of its role.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from rollouts.api import keys
from rollouts.api.timestamps import parse_time
from rollouts.plan.observed import Observed, Pod, controller_uid
from rollouts.plan.restart import is_restart_due

Raw = Mapping[str, Any]


def pending_replica_sets(here: Observed) -> frozenset[str]:
    """Return the names of the Rollout's ReplicaSets whose pods may lack metadata."""
    return frozenset(
        each.name
        for each in here.replica_sets
        if keys.PENDING_METADATA in each.annotations and each.owner_uid == here.uid and not each.is_deleting
    )


def is_up_to_date(here: Observed, names: Collection[str], live: Iterable[Raw]) -> bool:
    """Tell whether a live read shows the named ReplicaSets as they were observed, but for their status."""
    now = {raw["metadata"]["uid"]: raw for raw in live}
    return all(_is_same(each.raw, now.get(each.uid)) for each in here.replica_sets if each.name in names)


def _is_same(seen: Raw, live: Raw | None) -> bool:
    if live is None or seen["metadata"].get("generation") != live["metadata"].get("generation"):
        return False
    texts = [(raw["metadata"].get("annotations") or {}).get(keys.PENDING_METADATA) for raw in (seen, live)]
    return texts[0] == texts[1]


def pods_wanted(here: Observed, now: datetime) -> str | None:
    """Return the label selector of the pods that the plan needs to see; None when it needs none."""
    if here.selector is None:
        return None
    if is_restart_due(here.rollout.spec.restart_at, here.status.restarted_at, now):
        return str(here.selector)
    names = pending_replica_sets(here)
    hashes = sorted({each.pod_hash for each in here.replica_sets if each.name in names and each.pod_hash})
    return f"{here.selector},{keys.POD_TEMPLATE_HASH} in ({','.join(hashes)})" if hashes else None


def observe_pod(raw: Raw, here: Observed, now: datetime) -> Pod:
    """Return the view of one raw pod."""
    metadata = raw["metadata"]
    min_ready = timedelta(seconds=here.rollout.spec.min_ready_seconds_or_default)
    return Pod(
        name=metadata["name"],
        uid=metadata["uid"],
        owner_uid=controller_uid(metadata),
        created=parse_time(metadata["creationTimestamp"]),
        is_available=_is_available(raw, min_ready, now),
        is_deleting="deletionTimestamp" in metadata,
        labels=metadata.get("labels") or {},
        annotations=metadata.get("annotations") or {},
    )


def _is_available(raw: Raw, min_ready: timedelta, now: datetime) -> bool:
    conditions = (raw.get("status") or {}).get("conditions") or ()
    ready: Raw = next((each for each in conditions if each.get("type") == "Ready"), {})
    if ready.get("status") != "True" or "deletionTimestamp" in raw["metadata"]:
        return False
    since = ready.get("lastTransitionTime")  # may be left out: not every kubelet is Kubernetes' own
    return not min_ready or (bool(since) and parse_time(since) + min_ready <= now)
