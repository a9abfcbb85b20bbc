"""How do commands that are heavy, or not installed, stay out of everybody's way? They are imported when they run."""

import importlib
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from rollouts.cli.kinds import KINDS
from rollouts.cli.switches import SwitchCommand

# What people type for a resource, and what it is called.
_ALIASES = {
    **{word: kind.singular for kind in KINDS for word in (kind.plural, kind.short)},
    "deploy": "deployment",
    "deployments": "deployment",
}


class AliasGroup(TyperGroup):
    """Subcommands named after resources answer to their short and plural names too."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of a name or an alias."""
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        singular = _ALIASES.get(cmd_name, cmd_name)
        return super().get_command(ctx, singular) or super().get_command(ctx, f"{singular}s")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command of the first word; where there is none, it may be a name whose kind was left out."""
        if not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            kind = next(iter(self.commands))
            ctx.fail(f"No such command {args[0]!r}. Did you mean '{ctx.command_path} {kind}'?")
        return super().resolve_command(ctx, args)


def load(place: str) -> Callable[..., Any]:
    """Return the function at `module:name`."""
    module, _, name = place.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return function


def lazy_command(place: str) -> type[TyperCommand]:
    """Return the class of a command whose function is imported when it is invoked."""

    class LazyCommand(TyperCommand):
        """Stands in for the real command in the list of commands."""

        def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
            """Hand over to the real command."""
            return self.real().make_context(info_name, args, parent=parent, **extra)

        def real(self) -> Any:
            """Import the command."""
            try:
                function = load(place)
            except ImportError as error:
                from rollouts.cli.console import complain

                complain(
                    f"error: `{self.name}` can't be loaded: {error}; `pip install 'rollouts[devcluster]'` has all of it"
                )
                raise typer.Exit(1) from error
            single = typer.Typer(add_completion=False)
            single.command(self.name, cls=SwitchCommand)(function)
            return typer.main.get_command(single)

    return LazyCommand
