"""Where does output go, and in which form? Colours and live screens on a terminal, plain text everywhere else."""

import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

# A pipe has no width: nothing is wrapped there.
_ENDLESS = 1_000


@dataclass(frozen=True, slots=True)
class Screen:
    """A console; without `is_live` no control code may reach it."""

    console: "Console"
    is_live: bool

    def show(self, renderable: "RenderableType") -> None:
        """Print something, without blanks at the ends of lines."""
        with self.console.capture() as capture:
            self.console.print(renderable)
        say("\n".join(line.rstrip() for line in capture.get().rstrip("\n").split("\n")))


def open_screen(*, no_color: bool = False) -> Screen:
    """Return the screen for stdout."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    if no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not is_terminal:
        width = None if is_terminal else _ENDLESS
        return Screen(Console(color_system=None, force_terminal=False, highlight=False, width=width), is_live=False)
    return Screen(Console(highlight=False), is_live=True)


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)  # noqa: T201 - this is what a command line does


def complain(text: str) -> None:
    """Print a line to stderr."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - as above


def as_json(value: Any) -> str:
    """Return indented JSON."""
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def as_yaml(value: Any) -> str:
    """Return YAML with keys in the object's own order."""
    import yaml

    return str(yaml.safe_dump(value, sort_keys=False, allow_unicode=True)).rstrip("\n")
