"""What stands in a raw object, and which object is meant? Forgiving where something is missing."""

from collections.abc import Mapping
from typing import Any

from rollouts.api import keys
from rollouts.api.counts import parse_count
from rollouts.api.names import API_VERSION, GROUP

Raw = Mapping[str, Any]
Json = dict[str, Any]

DEPLOYMENT, ROLLOUT = "Deployment", "Rollout"
DEPLOYMENT_API = "apps/v1"

# What API servers and controllers write into metadata; none of it may be written into another object.
_SERVER_SET = (
    "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
    "managedFields", "selfLink",
)  # fmt: skip
_OF_ONE_KIND = (
    "deployment.kubernetes.io/revision", keys.LAST_APPLIED, keys.REVISION, keys.WORKLOAD_GENERATION, keys.NOTIFIED,
)  # fmt: skip


class ConversionError(Exception):
    """An object can't be converted; the message names the field and the way out."""


def part(raw: Raw | None, *path: str) -> Raw:
    """Return the mapping at `path`, empty where there is none."""
    here: Any = raw
    for key in path:
        here = here.get(key) if isinstance(here, Mapping) else None
    return here if isinstance(here, Mapping) else {}


def count(raw: Raw, key: str, default: int = 0) -> int:
    """Return a number of pods."""
    value = raw.get(key)
    return value if isinstance(value, int) else default


def name_of(raw: Raw | None) -> str:
    """Return the object's name."""
    return str(part(raw, "metadata").get("name") or "")


def namespace_of(raw: Raw | None) -> str:
    """Return the object's namespace, empty where a manifest leaves it to whoever applies it."""
    return str(part(raw, "metadata").get("namespace") or "")


def group_of(raw: Raw) -> str:
    """Return the API group; the core group is the empty string."""
    return str(raw.get("apiVersion") or "").rpartition("/")[0]


def title(raw: Raw) -> str:
    """Return how people name the object."""
    return f"{raw.get('kind')} {name_of(raw) or '(no name)'}"


def are_neighbours(one: Raw, other: Raw) -> bool:
    """Whether the two can be in one namespace."""
    places = {namespace_of(one), namespace_of(other)} - {""}
    return len(places) < 2


def is_deployment(raw: Raw) -> bool:
    """Whether this is a Deployment, of whichever version."""
    return raw.get("kind") == DEPLOYMENT and group_of(raw) in ("apps", "extensions")


def is_rollout(raw: Raw) -> bool:
    """Whether this is a Rollout."""
    return raw.get("kind") == ROLLOUT and group_of(raw) == GROUP


def size_of(workload: Raw | None) -> int:
    """Return how many pods a Deployment or a Rollout asks for."""
    return count(part(workload, "spec"), "replicas", 1)


def is_leaving(raw: Raw | None) -> bool:
    """Whether the object is being deleted."""
    return "deletionTimestamp" in part(raw, "metadata")


def is_seen(workload: Raw) -> bool:
    """Whether its controller has seen the current spec."""
    seen = parse_count(str(part(workload, "status").get("observedGeneration") or ""))
    return seen is not None and seen >= count(part(workload, "metadata"), "generation")


def without_server_fields(raw: Raw) -> Json:
    """Return an object as somebody would write it: without status and what only the server may set."""
    cleaned = {key: value for key, value in raw.items() if key != "status"}
    metadata = part(raw, "metadata")
    kept = {key: value for key, value in metadata.items() if key not in _SERVER_SET}
    if annotations := part(metadata, "annotations"):
        kept["annotations"] = {key: value for key, value in annotations.items() if key not in _OF_ONE_KIND}
        if not kept["annotations"]:
            del kept["annotations"]
    return {**cleaned, "metadata": kept}


def reference_to(kind: str, name: str) -> Json:
    """Return the reference by which autoscalers name a workload."""
    return {"apiVersion": API_VERSION if kind == ROLLOUT else DEPLOYMENT_API, "kind": kind, "name": name}
