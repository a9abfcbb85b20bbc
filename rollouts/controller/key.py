"""Which object is meant? Its kind, and its name in its namespace: a key says where to look, never what happened."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from rollouts.kube.resources import ANALYSIS_RUNS, EXPERIMENTS, ROLLOUTS, Resource

LOOKED_AFTER: Mapping[str, Resource] = {each.kind: each for each in (ROLLOUTS, ANALYSIS_RUNS, EXPERIMENTS)}
"""The kinds that have passes, each with the resource that it is."""


def status_of(resource: Resource) -> str | None:
    """Return the subresource that the status of a kind is written through; most of this API's kinds have none."""
    return "status" if resource is ROLLOUTS else None


class Key(NamedTuple):
    """The name of one object that is looked after."""

    namespace: str
    name: str
    kind: str = ROLLOUTS.kind

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}"
        return place if self.kind == ROLLOUTS.kind else f"{self.kind} {place}"


def key_of(raw: Mapping[str, Any]) -> Key:
    """Return the key of a raw object."""
    metadata = raw["metadata"]
    return Key(metadata.get("namespace", "default"), metadata["name"], raw.get("kind", ROLLOUTS.kind))
