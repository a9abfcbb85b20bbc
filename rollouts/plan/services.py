"""To which pods do the canary's Services point?"""

from collections.abc import Iterator

from rollouts.api import keys
from rollouts.api.canary import CanaryStrategy
from rollouts.plan.actions import SwitchService
from rollouts.plan.observed import Observed, Raw, ReplicaSet
from rollouts.plan.revisions import Revisions
from rollouts.plan.state import State


def canary_service_switches(
    here: Observed, canary: CanaryStrategy, revisions: Revisions, state: State
) -> Iterator[SwitchService]:
    """Yield the switches that are due: stableService to stable, canaryService to the canary, or to stable on abort."""
    wanted = (
        (canary.stable_service, revisions.stable),
        (canary.canary_service, revisions.stable if state.abort else revisions.canary),
    )
    for name, replica_set in wanted:
        service = here.services.get(name) if name else None
        if service is None or replica_set is None:
            continue
        if (switch := _switch(service, replica_set)) is not None:
            yield switch


def hash_behind(here: Observed, name: str | None) -> str:
    """Return the hash that a Service selects; empty when there is none."""
    service = here.services.get(name) if name else None
    return _selected(service) if service is not None else ""


def _selected(service: Raw) -> str:
    pod_hash: str = ((service.get("spec") or {}).get("selector") or {}).get(keys.POD_TEMPLATE_HASH, "")
    return pod_hash


def _switch(service: Raw, replica_set: ReplicaSet) -> SwitchService | None:
    """Return the switch if the pods can take requests, or if only the note that the Service is ours is missing."""
    metadata = service["metadata"]
    current = _selected(service)
    is_ours = keys.MANAGED_BY in (metadata.get("annotations") or {})
    is_there = current == replica_set.pod_hash
    if is_ours and is_there:
        return None
    if not is_there and not _can_take_requests(replica_set, is_ours=is_ours):
        return None
    return SwitchService(
        name=metadata["name"],
        uid=metadata["uid"],
        pod_hash=replica_set.pod_hash,
        from_hash=current,
        resource_version=metadata["resourceVersion"],
    )


def _can_take_requests(replica_set: ReplicaSet, *, is_ours: bool) -> bool:
    """Whether a Service may be pointed at the pods: all of them must be available at first, one of them later on.

    A Service that we have never touched is serving somebody: taking it over must not lose a request.
    """
    return replica_set.available > 0 if is_ours else 0 < replica_set.size <= replica_set.available
