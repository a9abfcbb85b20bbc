"""To which pods do the Services point, and when do they change over?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rollouts.api import keys
from rollouts.api.bluegreen import BlueGreenStrategy
from rollouts.api.canary import CanaryStrategy
from rollouts.plan.actions import ReleaseService, SwitchService
from rollouts.plan.observed import Observed, Raw, ReplicaSet
from rollouts.plan.revisions import Revisions
from rollouts.plan.state import State


@dataclass(frozen=True, slots=True)
class Selection:
    """Which hashes the active and the preview Service of a blue-green rollout select; empty where they select none.

    `preview` is None where the spec names no preview Service.
    """

    active: str
    preview: str | None

    @classmethod
    def of(cls, here: Observed) -> "Selection | None":
        """Return what the Services select; None for a canary."""
        blue_green = here.rollout.spec.strategy.blue_green if here.rollout.spec.strategy else None
        if blue_green is None:
            return None
        preview = blue_green.preview_service
        return cls(hash_behind(here, blue_green.active_service), hash_behind(here, preview) if preview else None)

    def active_among(self, revisions: Revisions) -> ReplicaSet | None:
        """Return the ReplicaSet that the active Service selects, if there is one."""
        return next((each for each in revisions.all if self.active and each.pod_hash == self.active), None)


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
        yield from switch(service, replica_set, is_ready=can_take_over(service, replica_set))


def can_take_over(service: Raw, replica_set: ReplicaSet) -> bool:
    """Whether a ReplicaSet's pods can take a Service's requests: all of them at first, one of them later on."""
    return replica_set.available > 0 if _is_managed(service) else _may_be_adopted(replica_set)


def active_switch(here: Observed, name: str, goal: ReplicaSet, enough: int) -> Iterator[SwitchService]:
    """Yield the switch of the active Service to `goal`, once that has `enough` pods available."""
    service = here.services.get(name)
    if service is None or not goal.is_observed:
        return  # what its status counts is from before it was scaled
    is_ready = goal.available >= enough if _is_managed(service) else _may_be_adopted(goal)
    yield from switch(service, goal, is_ready=is_ready)


def preview_switch(here: Observed, blue_green: BlueGreenStrategy, preview: ReplicaSet) -> Iterator[SwitchService]:
    """Yield the switch of the preview Service: at once, as the API has it, or once all its pods are available."""
    service = here.services.get(blue_green.preview_service) if blue_green.preview_service else None
    if service is None:
        return
    is_whole = preview.is_observed and 0 < preview.size <= preview.available
    is_ready = blue_green.preview_switch != "available" or is_whole or here.rollout.spec.replicas == 0
    yield from switch(service, preview, is_ready=is_ready)


def releases(here: Observed) -> Iterator[ReleaseService]:
    """Yield what gives the Services back that the spec names no longer; not what has just been refused."""
    refused = {each.subject for each in here.refusals if (each.verb, each.kind) == ("release", "Service")}
    for service in here.left:
        metadata = service["metadata"]
        if metadata["name"] not in refused:
            yield ReleaseService(metadata["name"], metadata["uid"], metadata["resourceVersion"])


def hash_behind(here: Observed, name: str | None) -> str:
    """Return the hash that a Service selects; empty when there is none."""
    service = here.services.get(name) if name else None
    return selected(service) if service is not None else ""


def selected(service: Raw) -> str:
    """Return the hash that a Service selects; empty when its selector has none."""
    pod_hash: str = ((service.get("spec") or {}).get("selector") or {}).get(keys.POD_TEMPLATE_HASH, "")
    return pod_hash


def _is_managed(service: Raw) -> bool:
    return keys.MANAGED_BY in (service["metadata"].get("annotations") or {})


def _may_be_adopted(replica_set: ReplicaSet) -> bool:
    """Whether all pods are there: a Service that we have never touched serves somebody, and must not lose a request."""
    return 0 < replica_set.size <= replica_set.available


def switch(service: Raw, replica_set: ReplicaSet, *, is_ready: bool) -> Iterator[SwitchService]:
    """Yield the switch if the pods can take requests, or if only the note that the Service is ours is missing."""
    metadata, current = service["metadata"], selected(service)
    is_there = current == replica_set.pod_hash
    if is_there and _is_managed(service):
        return
    if is_there or is_ready:
        yield SwitchService(
            name=metadata["name"],
            uid=metadata["uid"],
            pod_hash=replica_set.pod_hash,
            from_hash=current,
            resource_version=metadata["resourceVersion"],
        )


def rival_of(rollout: Raw, users: Iterable[Raw]) -> str:
    """Return which of the Rollouts that name a Service was there before this one; empty when none was."""
    others = (each for each in users if "deletionTimestamp" not in each["metadata"])
    first = min((rollout, *others), key=_seniority)["metadata"]
    name: str = first["name"]
    return name if name != rollout["metadata"]["name"] else ""


def _seniority(rollout: Raw) -> tuple[str, str]:
    metadata = rollout["metadata"]
    return metadata["creationTimestamp"], metadata["name"]
