"""What of the routes of a Rollout in a file has no effect, or keeps weights from having theirs?"""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.plan.problem import Problem
from rollouts.ports import Objects
from rollouts.view import fields

Raw = Mapping[str, Any]

_ROUTES = ("setHeaderRoute", "setMirrorRoute")
_WITH_SESSIONS = frozenset({"HTTPRoute", "GRPCRoute"})


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


def session_remarks(rollout: Raw, read: Objects) -> Iterator[Problem]:
    """Yield the routes of the Gateway API with sessions of their own in a rule of the Rollout's stable Service."""
    canary = fields.part(rollout, "spec", "strategy", "canary")
    stable = canary.get("stableService")
    if not stable or "sessionAffinity" in fields.part(canary, "trafficRouting"):
        return
    for place, raw in read.items():
        if place.kind in _WITH_SESSIONS and any(
            _keeps(rule, stable) for rule in fields.items(raw or {}, "spec", "rules")
        ):
            yield Problem(
                "spec.strategy.canary.trafficRouting",
                f"{place} has sessionPersistence in a rule of {stable}: a session outranks the weights, even a weight"
                " of 0, so clients may stay with the canary after an abort until their session ends. Remove it for"
                " the time of updates, or set sessionAffinity instead",
            )


def _keeps(rule: Any, stable: str) -> bool:
    if not isinstance(rule, Mapping) or not rule.get("sessionPersistence"):
        return False
    return any(isinstance(each, Mapping) and each.get("name") == stable for each in fields.items(rule, "backendRefs"))
