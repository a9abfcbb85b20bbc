"""Which analysis templates does a Rollout refer to, and which do those refer to in their turn?"""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.plan.analysis.templates import Find, TemplateKey, keys_in

Raw = Mapping[str, Any]

CANARY, BLUE_GREEN = "spec.strategy.canary", "spec.strategy.blueGreen"


def analyses_in(rollout: Raw) -> Iterator[tuple[str, Raw]]:
    """Yield (path, raw analysis) for each analysis that a raw Rollout asks for; those of its experiments excepted."""
    strategy = _part(_part(rollout.get("spec")).get("strategy"))
    canary, blue_green = _part(strategy.get("canary")), _part(strategy.get("blueGreen"))
    yield from _named(f"{CANARY}.analysis", canary.get("analysis"))
    for index, step in enumerate(_list(canary.get("steps"))):
        yield from _named(f"{CANARY}.steps[{index}].analysis", step.get("analysis"))
    for name in ("prePromotionAnalysis", "postPromotionAnalysis"):
        yield from _named(f"{BLUE_GREEN}.{name}", blue_green.get(name))


def experiments_in(rollout: Raw) -> Iterator[tuple[str, Raw]]:
    """Yield (path, raw experiment) for each step of a raw Rollout that is an experiment."""
    canary = _part(_part(_part(rollout.get("spec")).get("strategy")).get("canary"))
    for index, step in enumerate(_list(canary.get("steps"))):
        yield from _named(f"{CANARY}.steps[{index}].experiment", step.get("experiment"))


def templates_of(rollout: Raw) -> Iterator[TemplateKey]:
    """Yield the templates that a raw Rollout refers to itself; one may come more than once."""
    for _, analysis in analyses_in(rollout):
        yield from keys_in(_list(analysis.get("templates")))
    for _, experiment in experiments_in(rollout):
        yield from templates_of_experiment(experiment)


def templates_of_experiment(spec: Raw) -> Iterator[TemplateKey]:
    """Yield the templates that the raw spec of an experiment refers to itself."""
    yield from keys_in(_list(spec.get("analyses")))


def closure(roots: Iterator[TemplateKey], find: Find) -> dict[TemplateKey, Raw | None]:
    """Return the raw specs of templates and of all that they refer to; None for one that doesn't exist."""
    found: dict[TemplateKey, Raw | None] = {}
    waiting = list(roots)
    while waiting:
        key = waiting.pop()
        if key not in found:
            found[key] = spec = find(key)
            waiting += keys_in(_list(_part(spec).get("templates")))
    return found


def _named(path: str, part: object) -> Iterator[tuple[str, Raw]]:
    if isinstance(part, Mapping):
        yield path, part


def _part(value: object) -> Raw:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Raw]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list | tuple) else []
