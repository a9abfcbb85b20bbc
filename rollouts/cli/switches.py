"""How is a switch given a value, as in `--watch=false`? So kubectl and its plugins write it, and their scripts."""

from typing import Any

import typer
from typer.core import TyperCommand

_TRUTHS = {"true": True, "false": False}


class SwitchCommand(TyperCommand):
    """A command whose switches also take `=true` and `=false`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read each `--switch=value` as the word that means the same."""
        end = args.index("--") if "--" in args else len(args)
        plain = [word for written in args[:end] for word in self._plain(written)]
        try:
            return super().parse_args(ctx, [*plain, *args[end:]])
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # the validator's word, not people's
            raise

    def _plain(self, written: str) -> list[str]:
        name, _, value = written.partition("=")
        wanted = _TRUTHS.get(value.lower())
        if wanted is None or not name.startswith("-"):
            return [written]
        for param in self.params:
            if getattr(param, "is_flag", False) and name in param.opts:
                # A switch that has no opposite is off unless it is named.
                return [name] if wanted else param.secondary_opts[:1]
        return [written]
