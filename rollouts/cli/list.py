"""`rollouts list KINDS`: one line for each rollout, analysis run or experiment, once or live."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rollouts.api.timestamps import format_time
from rollouts.cli.kinds import ANALYSIS_RUN, EXPERIMENT, ROLLOUT, Kind
from rollouts.cli.options import (
    AllNamespacesOption,
    OnlyNameOption,
    Output,
    OutputOption,
    TimestampsOption,
    WatchOption,
    on_cluster,
)

if TYPE_CHECKING:
    from rollouts.cli.session import Session
    from rollouts.kube.resources import Resource
    from rollouts.view.listing import Line

Json = dict[str, Any]

_ROLLOUT = ("STRATEGY", "STATUS", "STEP", "SET-WEIGHT", "READY", "DESIRED", "UP-TO-DATE", "AVAILABLE")
_RUN = ("STATUS", "MEASURED", "RUNS-FOR")
_EXPERIMENT = ("STATUS", "DURATION", "REMAINING", "TEMPLATES")


@on_cluster
async def list_rollouts(
    session: "Session",
    *,
    all_namespaces: AllNamespacesOption = False,
    name: OnlyNameOption = "",
    watch: WatchOption = False,
    timestamps: TimestampsOption = False,
    output: OutputOption = None,
) -> None:
    """List rollouts: strategy, status, step and counts."""
    from rollouts.kube.resources import ROLLOUTS
    from rollouts.view.listing import rollout_line

    listed = _Listed(ROLLOUT, ROLLOUTS, _ROLLOUT, "IMAGES", rollout_line, everywhere=all_namespaces, name=name)
    await _list(session, listed, output, watch=watch, timestamps=timestamps)


@on_cluster
async def list_analysis_runs(
    session: "Session",
    *,
    all_namespaces: AllNamespacesOption = False,
    name: OnlyNameOption = "",
    watch: WatchOption = False,
    timestamps: TimestampsOption = False,
    output: OutputOption = None,
) -> None:
    """List analysis runs: status, measurements by outcome, and for whom they run."""
    from rollouts.kube.resources import ANALYSIS_RUNS
    from rollouts.view.listing import run_line

    listed = _Listed(ANALYSIS_RUN, ANALYSIS_RUNS, _RUN, "MESSAGE", run_line, everywhere=all_namespaces, name=name)
    await _list(session, listed, output, watch=watch, timestamps=timestamps)


@on_cluster
async def list_experiments(
    session: "Session",
    *,
    all_namespaces: AllNamespacesOption = False,
    name: OnlyNameOption = "",
    watch: WatchOption = False,
    timestamps: TimestampsOption = False,
    output: OutputOption = None,
) -> None:
    """List experiments: status, how long they last, and how many templates have their pods."""
    from rollouts.kube.resources import EXPERIMENTS
    from rollouts.view.listing import experiment_line

    listed = _Listed(
        EXPERIMENT, EXPERIMENTS, _EXPERIMENT, "MESSAGE", experiment_line, everywhere=all_namespaces, name=name
    )
    await _list(session, listed, output, watch=watch, timestamps=timestamps)


@dataclass(frozen=True, slots=True)
class _Listed:
    """What is listed: a kind, its columns, and how an object becomes a line."""

    kind: Kind
    resource: "Resource"
    header: tuple[str, ...]
    wide_header: str
    line: Callable[[Json, datetime], "Line"]
    everywhere: bool
    name: str


async def _list(session: "Session", listed: _Listed, output: Output | None, *, watch: bool, timestamps: bool) -> None:
    from rollouts.cli.console import complain, say

    scope = await session.found(listed.resource, everywhere=listed.everywhere, name=listed.name)
    if output in (Output.JSON, Output.YAML, Output.NAME):
        _show_objects(scope, output, listed.kind)
        return
    table = _Listing(listed, timestamps=timestamps, wide=output is Output.WIDE)
    if scope or watch:
        say("\n".join(table.lines(scope)))
    else:
        where = "" if listed.everywhere else f" in namespace {session.namespace!r}"
        complain(f"no {listed.kind.noun}s found{where}")
    if watch:
        await _watch(session, listed, table)


def _show_objects(found: list[Json], output: Output, kind: Kind) -> None:
    from rollouts.cli.console import as_json, as_yaml, say
    from rollouts.cli.get import presentable, show_object

    if output is Output.NAME:
        for raw in found:
            show_object(raw, output, kind)
        return
    whole = {"apiVersion": "v1", "kind": "List", "items": [presentable(raw) for raw in found]}
    say(as_json(whole) if output is Output.JSON else as_yaml(whole))


class _Listing:
    """The table; remembers what it has shown, so that a change that shows nowhere makes no line."""

    def __init__(self, listed: _Listed, *, timestamps: bool, wide: bool) -> None:
        from rollouts.cli.columns import Columns

        self._listed, self._timestamps, self._wide = listed, timestamps, wide
        front = ("TIMESTAMP",) * timestamps + ("NAMESPACE",) * listed.everywhere
        self._columns = Columns((*front, "NAME", *listed.header, "AGE", *(listed.wide_header,) * wide))
        self._shown: dict[tuple[str, str], tuple[str, ...]] = {}

    def lines(self, objects: list[Json]) -> list[str]:
        """Return a line for each object that looks other than before."""
        now = datetime.now(UTC)
        rows = []
        for raw in objects:
            line = self._listed.line(raw, now)
            if self._shown.get((line.namespace, line.name)) == line.facts:
                continue
            self._shown[line.namespace, line.name] = line.facts
            front = (format_time(now),) * self._timestamps + (line.namespace,) * self._listed.everywhere
            rows.append((*front, line.name, *line.facts, line.age, *(line.more,) * self._wide))
        return self._columns.lines(rows)


async def _watch(session: "Session", listed: _Listed, table: _Listing) -> None:
    """Print a line for each change that shows, until interrupted."""
    from rollouts.cli.console import say
    from rollouts.kube.cache import Cache

    def tell(_: Json | None, raw: Json | None) -> None:
        for line in table.lines([raw] if raw is not None else []):
            say(line)

    cache = Cache(
        session.api,
        listed.resource,
        None if listed.everywhere else session.namespace,
        field_selector=f"metadata.name={listed.name}" if listed.name else None,
        on_change=tell,
    )
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(cache.run())
