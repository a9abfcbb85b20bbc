"""Which plugins does a Rollout use that only its controller has? Those that it has found sound, and we don't know."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from rollouts.compiled.router import compiled_router
from rollouts.compiled.step import compiled_step
from rollouts.ports import Kit
from rollouts.view import fields

Raw = Mapping[str, Any]


def kit_for(rollout: Raw, kit: Kit) -> Kit:
    """Return a Kit in which what a controller carries out, and we lack, counts as a compiled plugin.

    Which those are stands in a ConfigMap beside the controller, which a person may not read, or not find.
    """
    if not _is_carried_out(rollout):
        return kit
    routers = {name: compiled_router(name) for name in _routers(rollout) if name not in kit.routers}
    steps = {name: compiled_step(name) for name in _steps(rollout) if name not in kit.steps}
    return replace(kit, routers={**kit.routers, **routers}, steps={**kit.steps, **steps}) if routers or steps else kit


def _is_carried_out(rollout: Raw) -> bool:
    """Whether a controller has looked at this very spec, and has nothing to say against it."""
    seen = str(fields.part(rollout, "status").get("observedGeneration"))
    conditions = fields.items(rollout, "status", "conditions")
    is_invalid = any((each.get("type"), each.get("status")) == ("InvalidSpec", "True") for each in conditions)
    return seen == str(rollout["metadata"].get("generation")) and not is_invalid


def _routers(rollout: Raw) -> Iterator[str]:
    for strategy in ("canary", "blueGreen"):
        yield from fields.part(rollout, "spec", "strategy", strategy, "trafficRouting", "plugins")


def _steps(rollout: Raw) -> Iterator[str]:
    for step in fields.items(rollout, "spec", "strategy", "canary", "steps"):
        if name := (step.get("plugin") or {}).get("name"):
            yield name
