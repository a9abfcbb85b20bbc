"""What do a Deployment's maxSurge and maxUnavailable become in a Rollout, and back?

A Deployment reads "3" as no number at all, a Rollout as 3 %: written are whole numbers and percentages with their sign.
"""

from typing import Any

from rollouts.api.intorstring import percentage
from rollouts.migrate.objects import ConversionError, Json, Raw, part

BOUNDS = ("maxSurge", "maxUnavailable")
ROLLING_UPDATE, RECREATE = "RollingUpdate", "Recreate"


def strategy_type(deployment: Raw) -> str:
    """Return the type of a Deployment's strategy."""
    return str(part(deployment, "spec", "strategy").get("type") or ROLLING_UPDATE)


def bounds_of(deployment: Raw) -> Json:
    """Return maxSurge and maxUnavailable as a Rollout writes them; what is left out is 25% in both kinds."""
    strategy = part(deployment, "spec", "strategy")
    kind = strategy_type(deployment)
    if kind == RECREATE:
        return {"maxSurge": 0, "maxUnavailable": "100%"}
    if kind != ROLLING_UPDATE:
        raise ConversionError(f"spec.strategy.type: {kind!r} is no strategy: write {ROLLING_UPDATE} or {RECREATE}")
    given = part(strategy, "rollingUpdate")
    return {name: _count(name, given[name]) for name in BOUNDS if given.get(name) is not None}


def _count(name: str, value: Any) -> int | str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if isinstance(value, str):
        try:
            percent = percentage(value)
        except ValueError:
            pass
        else:
            return f"{percent}%" if value.endswith("%") else percent
    raise ConversionError(
        f"spec.strategy.rollingUpdate.{name}: {value!r} is no count: write a whole number of pods, or a percentage"
    )


def bounds_back(strategy: Raw) -> Json:
    """Return a Rollout's maxSurge and maxUnavailable as a Deployment writes them: a bare "3" means 3 % there."""
    return {name: _percentage(name, strategy[name]) for name in BOUNDS if strategy.get(name) is not None}


def _percentage(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return f"{percentage(value)}%"
    except ValueError as error:
        raise ConversionError(f"spec.strategy.{name}: {error}") from error
