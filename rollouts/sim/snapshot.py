"""What could be read from the API server at one moment?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.ports import Reference

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What could be read at one moment."""

    rollouts: Mapping[str, Raw]
    replica_sets: Mapping[str, Raw]
    services: Mapping[str, Raw]
    workloads: Mapping[str, Raw]
    objects: Mapping[Reference, Raw] = field(default_factory=dict)
