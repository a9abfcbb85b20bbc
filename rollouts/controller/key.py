"""Which Rollout is meant? Its name in its namespace: a key says where to look, never what happened."""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Key(NamedTuple):
    """The name of one Rollout."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


def key_of(raw: Mapping[str, Any]) -> Key:
    """Return the key of a raw Rollout."""
    metadata = raw["metadata"]
    return Key(metadata.get("namespace", "default"), metadata["name"])
