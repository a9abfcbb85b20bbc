"""Which managed routes of a Rollout in a file would have no effect, because the canary has no pods for them?"""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.plan.problem import Problem
from rollouts.view import fields

Raw = Mapping[str, Any]

_ROUTES = ("setHeaderRoute", "setMirrorRoute")


def route_remarks(rollout: Raw) -> Iterator[Problem]:
    """Yield the steps that set a route, where a later step waits while no step has given the canary pods.

    A pause, an analysis, or a plugin's step lasts; the steps between two of those follow each other at once.
    """
    path = "spec.strategy.canary.steps"
    unmet: dict[str, str] = {}
    weight: Any = 0
    scale: Any = None
    for index, step in enumerate(fields.items(rollout, *path.split("."))):
        if not isinstance(step, Mapping):
            return
        if "setWeight" in step:
            weight = step["setWeight"]
        elif "setCanaryScale" in step:
            scale = _scale(fields.part(step, "setCanaryScale"))
        elif key := next((each for each in _ROUTES if each in step), ""):
            route = fields.part(step, key)
            unmet.pop(str(route.get("name")), None)
            if route.get("match"):
                unmet[str(route.get("name"))] = f"{path}[{index}].{key}"
        elif not (weight if scale is None else scale):
            for where in unmet.values():
                says = f"has no effect while step {index + 1} lasts, as the canary has no pods"
                yield Problem(where, f"{says}: give it some by a setCanaryScale or setWeight before")
            unmet.clear()


def _scale(spec: Raw) -> Any:
    """Return the pods or the share that a setCanaryScale asks for; None where it follows the weight."""
    return None if spec.get("matchTrafficWeight") else spec.get("replicas", spec.get("weight"))
