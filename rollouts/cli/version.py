"""`rollouts version`: which one is this? The installed distribution tells."""

import platform
from importlib.metadata import version as installed
from typing import Annotated

import typer

from rollouts.cli.console import say


def version(*, short: Annotated[bool, typer.Option("--short", help="The number alone.")] = False) -> None:
    """Print the version."""
    number = installed("rollouts")
    say(number if short else f"rollouts {number} (Python {platform.python_version()})")
