"""What stands in a raw object? The few reads that every view needs, forgiving where something is missing still."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rollouts.api import keys
from rollouts.api.counts import parse_count
from rollouts.api.timestamps import parse_time

Raw = Mapping[str, Any]


def part(raw: Raw, *path: str) -> Raw:
    """Return the mapping at `path`, empty where there is none."""
    here: Any = raw
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else {}


def items(raw: Raw, *path: str) -> Sequence[Any]:
    """Return the list at `path`, empty where there is none."""
    value = part(raw, *path[:-1]).get(path[-1])
    return value if isinstance(value, list) else ()


def name_of(raw: Raw) -> str:
    """Return the object's name."""
    return str(part(raw, "metadata").get("name", ""))


def namespace_of(raw: Raw) -> str:
    """Return the object's namespace."""
    return str(part(raw, "metadata").get("namespace") or "default")


def annotation(raw: Raw, key: str) -> str:
    """Return an annotation, or an empty string."""
    return str(part(raw, "metadata", "annotations").get(key) or "")


def revision_of(raw: Raw) -> int:
    """Return the revision that an annotation tells; 0 where none does."""
    return parse_count(annotation(raw, keys.REVISION)) or 0


def hash_of(raw: Raw) -> str:
    """Return the pod template hash that a label tells, or an empty string."""
    return str(part(raw, "metadata", "labels").get(keys.POD_TEMPLATE_HASH) or "")


def time_at(raw: Raw, key: str) -> datetime | None:
    """Return the time in a field; None where it is missing or isn't one."""
    try:
        return parse_time(str(raw.get(key) or ""))
    except ValueError:
        return None


def created(raw: Raw) -> datetime | None:
    """Return when the object was created."""
    return time_at(part(raw, "metadata"), "creationTimestamp")


def count(raw: Raw, key: str, default: int = 0) -> int:
    """Return a number of pods."""
    value = raw.get(key)
    return value if isinstance(value, int) else default


def desired_replicas(rollout: Raw) -> int:
    """Return how many pods the spec asks for."""
    return count(part(rollout, "spec"), "replicas", 1)


def controlled_by(owner: Raw, objects: Iterable[Raw]) -> list[Raw]:
    """Return those objects that `owner` controls."""
    uid = part(owner, "metadata").get("uid")
    return [
        each
        for each in objects
        if any(
            reference.get("uid") == uid and reference.get("controller")
            for reference in items(each, "metadata", "ownerReferences")
        )
    ]


def is_canary(rollout: Raw) -> bool:
    """Whether the strategy is canary."""
    return isinstance(part(rollout, "spec", "strategy").get("canary"), Mapping)


def is_blue_green(rollout: Raw) -> bool:
    """Whether the strategy is blue-green."""
    return isinstance(part(rollout, "spec", "strategy").get("blueGreen"), Mapping)


def is_aborted(rollout: Raw) -> bool:
    """Whether the update is aborted, or about to be."""
    return part(rollout, "status").get("abort") is True


def is_promoted(rollout: Raw) -> bool:
    """Whether the stable pods are the current ones: no update is in progress."""
    status = part(rollout, "status")
    return bool(status.get("stableRS")) and status.get("stableRS") == status.get("currentPodHash")


def active_hash(rollout: Raw) -> str:
    """Return the hash that the active Service selects, as far as the controller has noted it."""
    return str(part(rollout, "status", "blueGreen").get("activeSelector") or "")


def is_observed(rollout: Raw) -> bool:
    """Whether the controller has seen the current spec.

    A number greater than the generation counts so, and what is no number (from controllers of long ago) too.
    """
    text = str(part(rollout, "status").get("observedGeneration") or "")
    if not text:
        return False
    number = parse_count(text)
    return number is None or number >= count(part(rollout, "metadata"), "generation")


def workload_is_observed(rollout: Raw) -> bool:
    """Whether the controller has seen the current template of the workload that spec.workloadRef names."""
    if not part(rollout, "spec", "workloadRef"):
        return True
    generation = annotation(rollout, keys.WORKLOAD_GENERATION)
    return not generation or generation == str(part(rollout, "status").get("workloadObservedGeneration") or "")
