"""What is installed? Entry points become a Kit; what is missing is named, with the way to get it."""

from collections.abc import Iterator
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rollouts.ports import Kit

STEPS = "rollouts.steps"
TRAFFIC = "rollouts.traffic"
MEASURE = "rollouts.measure"


@cache
def load_kit() -> Kit:
    """Load every installed plugin once per process."""
    broken: dict[str, str] = {}
    steps = dict(_load(STEPS, "step", broken))
    providers = dict(_load(MEASURE, "metric provider", broken))
    return Kit(
        steps=steps,
        routers=dict(_load(TRAFFIC, "router", broken)),
        providers={name: provider.beside(providers) for name, provider in providers.items()},
        broken=broken,
    )


def _load(group: str, kind: str, broken: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield the plugins of a group by key; what can't be had is told in `broken`."""
    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=group):
        points.setdefault(point.name, []).append(point)
    for name, (point, *more) in points.items():
        if more:
            broken[name] = f"{kind} {name!r} is registered twice ({more[-1].value}): uninstall one of the two"
            continue
        try:
            yield name, _loaded(point)
        except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything while it is imported
            broken[name] = f"{kind} {name!r} ({point.value}) can't be loaded: {type(error).__name__}: {error}"


def _loaded(point: EntryPoint) -> Any:
    plugin = point.load()()
    if plugin.key != point.name:
        raise ValueError(f"the class calls itself {plugin.key!r} but is registered as {point.name!r}")
    return plugin
