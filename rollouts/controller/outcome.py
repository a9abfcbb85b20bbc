"""What came of a plan's writes?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.kube.errors import ApiError
from rollouts.plan import Action, Refusal

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """A write that the server refused for good, and the action that asked for it."""

    action: Action
    refusal: Refusal


@dataclass(slots=True)
class Outcome:
    """What one plan's writes led to; filled in while they run, in the order in which answers arrive.

    `written` are objects as the server returned them. `outdated` are those as we saw them that turned out to have
    changed since, `gone` those that turned out not to exist, `deleted` those that we deleted ourselves. `postponed`
    says why something is left for later that is no error.
    """

    acknowledged: list[Action] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    errors: list[ApiError] = field(default_factory=list)
    written: list[Raw] = field(default_factory=list)
    outdated: list[Raw] = field(default_factory=list)
    gone: list[Raw] = field(default_factory=list)
    deleted: list[Raw] = field(default_factory=list)
    postponed: list[str] = field(default_factory=list)
    owner_is_gone: bool = False
    status_is_written: bool = False

    @property
    def has_written(self) -> bool:
        """Whether anything at all has changed on the server by our doing."""
        return bool(self.acknowledged) or self.status_is_written
