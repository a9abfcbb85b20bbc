"""What is asked of a plugin that was compiled for Argo Rollouts? A call, as data; whoever runs the flow makes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class CompiledKind(Enum):
    """What a compiled plugin is for."""

    METRIC = "metric provider"
    STEP = "step plugin"
    ROUTER = "traffic router"


@dataclass(frozen=True, slots=True)
class CompiledCall:
    """A call of a method of a plugin, answered with what it returns; both in the notation of the API's objects.

    Calls of the same `order` are made one after the other, in the order in which they were asked for: also if whoever
    asked for the one before has given up waiting.
    """

    kind: CompiledKind
    plugin: str
    method: str
    arguments: Mapping[str, Any] = field(repr=False)
    order: str = ""
