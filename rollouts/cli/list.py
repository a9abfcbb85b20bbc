"""`rollouts list rollouts`: one line each, once or live."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollouts.api.timestamps import format_time
from rollouts.cli.options import Output, OutputOption, WatchOption, on_cluster
from rollouts.view.listing import list_row

if TYPE_CHECKING:
    from rollouts.cli.session import Session

Json = dict[str, Any]

_HEADER = ("NAME", "STRATEGY", "STATUS", "STEP", "SET-WEIGHT", "READY", "DESIRED", "UP-TO-DATE", "AVAILABLE", "AGE")


@on_cluster
async def list_rollouts(
    session: "Session",
    *,
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A", help="Those of all namespaces.")] = False,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="This one only.")] = "",
    watch: WatchOption = False,
    timestamps: Annotated[bool, typer.Option("--timestamps", help="Begin each line with the time.")] = False,
    output: OutputOption = None,
) -> None:
    """List rollouts: strategy, status, step and counts."""
    from rollouts.cli.console import complain, say

    scope = await session.rollouts(everywhere=all_namespaces, name=name)
    if output in (Output.JSON, Output.YAML, Output.NAME):
        _show_objects(scope, output)
        return
    table = _Listing(everywhere=all_namespaces, timestamps=timestamps, wide=output is Output.WIDE)
    if scope or watch:
        say("\n".join(table.lines(scope)))
    else:
        complain("no rollouts found" + ("" if all_namespaces else f" in namespace {session.namespace!r}"))
    if watch:
        await _watch(session, table, everywhere=all_namespaces, name=name)


def _show_objects(found: list[Json], output: Output) -> None:
    from rollouts.cli.console import as_json, as_yaml, say
    from rollouts.cli.get import presentable, show_object

    if output is Output.NAME:
        for raw in found:
            show_object(raw, output)
        return
    whole = {"apiVersion": "v1", "kind": "List", "items": [presentable(raw) for raw in found]}
    say(as_json(whole) if output is Output.JSON else as_yaml(whole))


class _Listing:
    """The table; remembers what it has shown, so that a change that shows nowhere makes no line."""

    def __init__(self, *, everywhere: bool, timestamps: bool, wide: bool) -> None:
        from rollouts.cli.columns import Columns

        self._everywhere, self._timestamps, self._wide = everywhere, timestamps, wide
        header = ("TIMESTAMP",) * timestamps + ("NAMESPACE",) * everywhere + _HEADER + ("IMAGES",) * wide
        self._columns = Columns(header)
        self._shown: dict[tuple[str, str], tuple[str, ...]] = {}

    def lines(self, rollouts: list[Json]) -> list[str]:
        """Return a line for each Rollout that looks other than before."""
        now = datetime.now(UTC)
        rows = []
        for raw in rollouts:
            row = list_row(raw, now)
            facts: tuple[str, ...] = (row.strategy, row.status, row.step, row.set_weight)
            facts = (*facts, row.ready, row.desired, row.up_to_date, row.available)
            if self._shown.get((row.namespace, row.name)) == facts:
                continue
            self._shown[row.namespace, row.name] = facts
            front = (format_time(now),) * self._timestamps + (row.namespace,) * self._everywhere
            rows.append((*front, row.name, *facts, row.age, *(row.images,) * self._wide))
        return self._columns.lines(rows)


async def _watch(session: "Session", table: _Listing, *, everywhere: bool, name: str) -> None:
    """Print a line for each change that shows, until interrupted."""
    from rollouts.cli.console import say
    from rollouts.kube.cache import Cache
    from rollouts.kube.resources import ROLLOUTS

    def tell(_: Json | None, raw: Json | None) -> None:
        for line in table.lines([raw] if raw is not None else []):
            say(line)

    cache = Cache(
        session.api,
        ROLLOUTS,
        None if everywhere else session.namespace,
        field_selector=f"metadata.name={name}" if name else None,
        on_change=tell,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(cache.run())
