"""What is installed? Entry points become a Kit; what is missing is named, with the way to get it."""

from functools import cache
from importlib.metadata import EntryPoint, entry_points

from rollouts.ports import Kit
from rollouts.ports.step import AnyStep

STEPS = "rollouts.steps"


def _load_step(point: EntryPoint) -> AnyStep:
    step: AnyStep = point.load()()
    if step.key != point.name:
        raise ValueError(f"the class calls itself {step.key!r} but is registered as {point.name!r}")
    return step


@cache
def load_kit() -> Kit:
    """Load every installed plugin once per process."""
    steps: dict[str, AnyStep] = {}
    broken: dict[str, str] = {}
    for point in entry_points(group=STEPS):
        if point.name in steps or point.name in broken:
            steps.pop(point.name, None)
            broken[point.name] = f"step {point.name!r} is registered twice ({point.value}): uninstall one of the two"
            continue
        try:
            steps[point.name] = _load_step(point)
        except Exception as error:  # noqa: BLE001 - a stranger's module may raise anything while it is imported
            broken[point.name] = f"step {point.name!r} ({point.value}) can't be loaded: {type(error).__name__}: {error}"
    return Kit(steps=steps, broken=broken)
