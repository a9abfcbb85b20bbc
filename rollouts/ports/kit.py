"""Which plugins may a plan use? The registry fills this in; the planner is only handed it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from rollouts.ports.provider import AnyProvider
from rollouts.ports.router import AnyRouter
from rollouts.ports.step import AnyStep


@dataclass(frozen=True, slots=True)
class Kit:
    """Everything that plugs in, by name.

    `broken` holds a sentence for each plugin that could not be loaded: it hurts the Rollouts that use it, nothing else.
    `strangers` tells of each plugin that isn't ours which distribution it is from, `disabled` names the step plugins
    that are switched off: their steps count as complete, installed or not. `unasked` are the routers whose questions
    beyond the cluster nobody wants asked: what their objects say counts as followed.
    """

    steps: Mapping[str, AnyStep]
    routers: Mapping[str, AnyRouter] = field(default_factory=dict)
    providers: Mapping[str, AnyProvider] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)
    strangers: Mapping[str, str] = field(default_factory=dict)
    disabled: frozenset[str] = frozenset()
    unasked: frozenset[str] = frozenset()

    def unasked_with(self, settings: Container[str]) -> frozenset[str]:
        """Return the routers whose questions nobody wants asked by the settings of a controller."""
        return frozenset(name for name, each in self.routers.items() if each.asks_by and each.asks_by not in settings)
