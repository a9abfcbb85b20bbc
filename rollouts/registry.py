"""What is installed? Entry points become a Kit; what is missing is named, with the way to get it."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rollouts.guard import LOADING_LIMIT, within
from rollouts.ports import Kit
from rollouts.ports.checked import PluginError
from rollouts.ports.checked_provider import CheckedProvider
from rollouts.ports.checked_router import CheckedRouter
from rollouts.ports.checked_step import checked_step
from rollouts.ports.provider import Provider
from rollouts.ports.router import Router
from rollouts.ports.step import Step

STEPS = "rollouts.steps"
TRAFFIC = "rollouts.traffic"
MEASURE = "rollouts.measure"
OURS = "rollouts"

_KINDS = {STEPS: ("step", Step), TRAFFIC: ("router", Router), MEASURE: ("metric provider", Provider)}


@dataclass(frozen=True, slots=True)
class Plugin:
    """One entry point. `loaded` is None where there is a `problem`."""

    group: str
    name: str
    place: str
    distribution: str
    version: str
    loaded: Any = field(default=None, repr=False)
    problem: str = ""

    @property
    def kind(self) -> str:
        return _KINDS[self.group][0]

    @property
    def is_ours(self) -> bool:
        return self.distribution == OURS

    @property
    def origin(self) -> str:
        return f"{self.distribution} {self.version}".strip()


@cache
def plugins() -> tuple[Plugin, ...]:
    """Load every installed plugin once per process; ours come first."""
    found = [_plugin(group, point) for group in _KINDS for point in entry_points(group=group)]
    return tuple(_loaded(each, point) for each, point in _without_doubles(found))


@cache
def load_kit() -> Kit:
    """Return all plugins by name."""
    by_group: dict[str, dict[str, Any]] = {group: {} for group in _KINDS}
    for each in plugins():
        if not each.problem:
            by_group[each.group][each.name] = each.loaded
    return Kit(
        steps=by_group[STEPS],
        routers=by_group[TRAFFIC],
        providers=_acquainted(by_group[MEASURE]),
        broken={each.name: each.problem for each in plugins() if each.problem},
        strangers={each.name: each.origin for each in plugins() if not each.is_ours and not each.problem},
    )


def _acquainted(providers: dict[str, Any]) -> dict[str, Any]:
    return {name: provider.beside(providers) for name, provider in providers.items()}


def _plugin(group: str, point: EntryPoint) -> tuple[Plugin, EntryPoint]:
    home = point.dist
    name, version = (home.name, home.version) if home is not None else ("an unknown distribution", "")
    return Plugin(group, point.name, point.value, name, version), point


def _without_doubles(found: list[tuple[Plugin, EntryPoint]]) -> Iterator[tuple[Plugin, EntryPoint]]:
    """Yield all plugins, with a problem where two have one name: ours keep theirs, of strangers' neither counts."""
    times = Counter((each.group, each.name) for each, _ in found)
    ours = {(each.group, each.name) for each, _ in found if each.is_ours}
    for each, point in sorted(found, key=lambda pair: not pair[0].is_ours):
        key = each.group, each.name
        if each.is_ours or times[key] == 1:
            yield each, point
        elif key in ours:
            problem = f"{each.kind} {each.name!r} of {each.origin} has the name of one of ours: it needs another one"
            yield replace(each, problem=problem), point
        else:
            problem = f"{each.kind} {each.name!r} is registered twice ({each.place}): uninstall one of the two"
            yield replace(each, problem=problem), point


def _loaded(plugin: Plugin, point: EntryPoint) -> Plugin:
    if plugin.problem:
        return plugin
    try:
        if plugin.is_ours:
            return replace(plugin, loaded=_load(plugin, point))
        says = "it didn't finish loading"
        return replace(plugin, loaded=_checked(plugin, within(LOADING_LIMIT, lambda: _load(plugin, point), says)))
    except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything while it is imported
        said = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
        return replace(
            plugin,
            problem=f"{plugin.kind} {plugin.name!r} ({plugin.place}, of {plugin.origin}) can't be loaded: {said}",
        )


def _load(plugin: Plugin, point: EntryPoint) -> Any:
    loaded: Any = point.load()()
    expected: Any = _KINDS[plugin.group][1]
    if not isinstance(loaded, expected):
        raise TypeError(f"the class isn't derived from {expected.__module__}.{expected.__name__}")
    if loaded.key != plugin.name:
        raise ValueError(f"the class calls itself {loaded.key!r} but is registered as {plugin.name!r}")
    return loaded


def _checked(plugin: Plugin, loaded: Any) -> Any:
    """Return a stranger's plugin with somebody before it who looks at what it returns."""
    if plugin.group == STEPS:
        return checked_step(loaded, plugin.name, plugin.origin)
    if plugin.group == MEASURE:
        return CheckedProvider(loaded, plugin.name, plugin.origin)
    return CheckedRouter(loaded, plugin.name, plugin.origin)
