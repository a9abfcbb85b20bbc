"""Which plugin carries out a step, and how does it read its part of the spec?"""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from rollouts.api.analysis import RolloutAnalysis
from rollouts.api.base import describe
from rollouts.api.canary import CanaryStep, PluginStep
from rollouts.api.experiment import RolloutExperiment
from rollouts.ports import Gate, Here, Kit, Open
from rollouts.ports.step import AnyStep, Step

Raw = Mapping[str, Any]

PLUGIN = "plugin"
_TYPED = frozenset(each.alias or name for name, each in CanaryStep.model_fields.items())


class StepError(ValueError):
    """A step can't be carried out by anybody; `path` is below the step."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path


class Disabled(Step[Any]):
    """Stands for a step plugin that is switched off: complete at once, whatever its configuration."""

    key = ""

    def gate(self, spec: Any, here: Here, now: datetime) -> Gate:
        del spec, here, now
        return Open("the plugin is disabled: its step counts as complete")


@dataclass(frozen=True, slots=True)
class BoundStep:
    """A step of a spec together with the plugin that knows what it means.

    `path` is where its spec stands, below the step. `name` and `config` are those of a `plugin`; the name of any other
    step is empty.
    """

    plugin: AnyStep
    spec: Any
    path: str
    name: str = ""
    config: Raw = field(default_factory=dict, repr=False)

    @property
    def title(self) -> str:
        return f"{PLUGIN}: {self.name}" if self.name else self.plugin.title(self.spec)

    @property
    def analysis(self) -> RolloutAnalysis | None:
        """The analysis that the step waits for, if it is such a step."""
        return self.plugin.analysis(self.spec)

    @property
    def experiment(self) -> RolloutExperiment | None:
        """The experiment that the step waits for, if it is such a step."""
        return self.plugin.experiment(self.spec)


def bind(step: CanaryStep, kit: Kit) -> BoundStep:
    """Bind a step with one action to its plugin. Raises StepError."""
    key, spec = step.actions[0]
    if key == PLUGIN:
        return bind_plugin(spec, kit)
    if key not in kit.steps:
        installed = ", ".join(each for each in sorted(kit.steps) if each in _TYPED)
        raise StepError(key, kit.broken.get(key) or f"no such step is installed; installed are {installed}")
    return BoundStep(kit.steps[key], spec, key)


def bind_steps(steps: Sequence[CanaryStep], kit: Kit) -> tuple[BoundStep, ...]:
    """Bind each step of a valid spec to its plugin."""
    return tuple(bind(step, kit) for step in steps if step.actions)


def bind_plugin(spec: PluginStep, kit: Kit) -> BoundStep:
    """Bind a step of the kind `plugin`. Raises StepError."""
    name, config, path = spec.name, dict(spec.config or {}), f"{PLUGIN}.config"
    if name in kit.disabled:
        return BoundStep(Disabled(), None, path, name)
    if name not in kit.steps or name in _TYPED:
        raise StepError(f"{PLUGIN}.name", _missing(name, kit))
    plugin = kit.steps[name]
    if plugin.model is None:
        return BoundStep(plugin, deepcopy(config), path, name, config)
    try:
        read = plugin.model.model_validate(config, by_alias=True, by_name=False)
    except ValidationError as error:
        raise StepError(path, describe(error)) from None
    return BoundStep(plugin, read, path, name, config)


def _missing(name: str, kit: Kit) -> str:
    if name in kit.broken:
        return kit.broken[name]
    installed = ", ".join(each for each in sorted(kit.steps) if each not in _TYPED) or "none"
    return f'no step plugin "{name}" is installed; installed are {installed}'


def title_of(step: CanaryStep, kit: Kit) -> str:
    """Return a valid step in a few words, as events tell it; a plugin isn't asked."""
    key, spec = step.actions[0]
    return f"{PLUGIN}: {spec.name}" if key == PLUGIN else kit.steps[key].title(spec)
