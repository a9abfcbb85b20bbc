"""What can a plan use besides what is installed? The compiled plugins of a configuration, which go before ours."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from rollouts.compiled.config import Config
from rollouts.compiled.provider import compiled_provider
from rollouts.compiled.router import compiled_router
from rollouts.compiled.step import compiled_step
from rollouts.ports import Kit
from rollouts.ports.compiled import CompiledKind

P = TypeVar("P")


def with_compiled(kit: Kit, config: Config) -> Kit:
    """Return a Kit with the plugins of a configuration.

    Whoever configures a compiled plugin of a name means that one, also where we have one that does the same.
    """
    named = {kind: [each.name for each in config.entries if each.kind is kind] for kind in CompiledKind}
    return replace(
        kit,
        steps={**_without(kit.steps, config), **{name: compiled_step(name) for name in named[CompiledKind.STEP]}},
        routers={
            **_without(kit.routers, config),
            **{name: compiled_router(name) for name in named[CompiledKind.ROUTER]},
        },
        providers={
            **_without(kit.providers, config),
            **{name: compiled_provider(name) for name in named[CompiledKind.METRIC]},
        },
        broken={**kit.broken, **config.broken},
        disabled=kit.disabled | config.disabled,
        strangers={name: origin for name, origin in kit.strangers.items() if name not in _names(config)},
    )


def _without(plugins: Mapping[str, P], config: Config) -> dict[str, P]:
    """Return plugins but for those whose place a mistaken entry was to take."""
    return {name: each for name, each in plugins.items() if name not in config.broken}


def _names(config: Config) -> set[str]:
    return {each.name for each in config.entries}
