"""`rollouts plugins`: what is installed here, from which distribution, and what is broken and why?"""

from enum import StrEnum
from typing import Annotated, Any

import typer

from rollouts.cli.columns import Columns
from rollouts.cli.console import as_json, say
from rollouts.registry import Plugin
from rollouts.registry import plugins as installed


class Form(StrEnum):
    """How the list is printed."""

    TEXT = "text"
    JSON = "json"


def plugins(
    *,
    strangers: Annotated[
        bool, typer.Option("--strangers", help="Leave out those that come with rollouts itself.")
    ] = False,
    output: Annotated[Form, typer.Option("--output", "-o", help="text or json.")] = Form.TEXT,
) -> None:
    """Show which steps, routers and metric providers are installed here; exit code 1 if one of them is broken."""
    found = sorted(
        (each for each in installed() if not (strangers and each.is_ours)),
        key=lambda each: (each.is_ours, each.kind, each.name),
    )
    if output is Form.JSON:
        say(as_json([_fields(each) for each in found]))
    else:
        _print(found)
    if any(each.problem for each in found):
        raise typer.Exit(1)


def _fields(plugin: Plugin) -> dict[str, Any]:
    fields = {
        "kind": plugin.kind,
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "place": plugin.place,
    }
    return {**fields, "problem": plugin.problem} if plugin.problem else fields


def _print(found: list[Plugin]) -> None:
    rows = [(each.kind, each.name, f"{each.origin} (broken)" if each.problem else each.origin) for each in found]
    for line in Columns(("KIND", "NAME", "FROM")).lines(rows):
        say(line)
    for plugin in found:
        if plugin.problem:
            say(f"broken: {plugin.problem}")
