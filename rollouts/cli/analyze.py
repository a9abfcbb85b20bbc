"""`rollouts analyze -f FILE`: what would this analysis say now? Measured from here, without a controller."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from rollouts.cli.console import Screen, as_json, complain, open_screen, say
from rollouts.cli.errors import CommandError
from rollouts.cli.options import WHERE, ContextOption, KubeconfigOption
from rollouts.cli.pairs import read_pairs

if TYPE_CHECKING:
    from rich.table import Table

Raw = Mapping[str, Any]

_EXIT_CODES = {"Successful": 0, "Failed": 1, "Inconclusive": 3, "Error": 4}
_STYLES = {"Successful": "green", "Failed": "red", "Error": "red", "Inconclusive": "yellow"}


class Form(StrEnum):
    """How the analysis is printed."""

    TEXT = "text"
    JSON = "json"


def analyze(
    invocation: typer.Context,
    filename: Annotated[
        list[str],
        typer.Option(
            "--filename", "-f", metavar="FILE", help="A file with templates, a directory of them, or -; repeatable."
        ),
    ],
    *,
    template: Annotated[
        str | None, typer.Option("--template", metavar="NAME", help="Which template to run, if there are several.")
    ] = None,
    arg: Annotated[
        list[str] | None, typer.Option("--arg", "-a", metavar="NAME=VALUE", help="An argument; repeatable.")
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(
            "--secret",
            metavar="NAME/KEY=VALUE",
            help="One key of a Secret; repeatable. Better in the environment: ROLLOUTS_SECRET_NAME_KEY.",
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, metavar="N", help="Measure each metric so many times.")
    ] = None,
    output: Annotated[Form, typer.Option("--output", "-o", help="text or json (the run's status).")] = Form.TEXT,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace", "-n", metavar="NAME", help="The namespace; else the file's.", rich_help_panel=WHERE
        ),
    ] = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    """Run an analysis template from here: print each measurement, and the verdict.

    Only metrics about objects, such as Jobs, need a cluster.

    Exit codes: 0 Successful, 1 Failed, 3 Inconclusive, 4 Error; 2 if it can't be run. Control-C terminates the run.
    """
    from rollouts.cli.analyzing import run_of
    from rollouts.cli.manifests import UnreadableError, files_of, read_documents

    in_front: Mapping[str, str | None] = invocation.obj or {}
    where = {"kubeconfig": kubeconfig, "context": context, "namespace": namespace}
    where = {name: value or in_front.get(name) for name, value in where.items()}
    try:
        contents = [each.content for place in filename for file in files_of(place) for each in read_documents(file)]
        run = run_of(contents, template, read_pairs("--arg", arg), count, where["namespace"])
        status = asyncio.run(_analyzed(run, _secrets(secret), where, is_quiet=output is Form.JSON))
    except (CommandError, UnreadableError) as error:
        complain(f"error: {error}")
        raise typer.Exit(2) from None
    if output is Form.JSON:
        say(as_json(status))
    else:
        say(f"{status['phase']}: {status['message']}" if status.get("message") else status["phase"])
    raise typer.Exit(_EXIT_CODES[status["phase"]])


def _secrets(written: Sequence[str] | None) -> list[tuple[str, str, str]]:
    secrets: list[tuple[str, str, str]] = []
    for place, value in read_pairs("--secret", written).items():
        name, slash, key = place.partition("/")
        if not slash or not key:
            raise CommandError("--secret: write NAME/KEY=VALUE")
        secrets.append((name, key, value))
    return secrets


async def _analyzed(
    run: dict[str, Any],
    secrets: Sequence[tuple[str, str, str]],
    where: Mapping[str, str | None],
    *,
    is_quiet: bool,
) -> Raw:
    from rollouts.cli.analyzing import Secrets, carry_out
    from rollouts.cli.analyzing_objects import ClusterObjects
    from rollouts.cli.session import Where
    from rollouts.fetch import open_session, settings_from
    from rollouts.fetch.perform import Bench
    from rollouts.registry import load_kit

    held = Secrets.of(secrets, os.environ, run)
    stopped = asyncio.Event()
    with contextlib.suppress(NotImplementedError, ValueError):  # no signals here: Control-C ends the program
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stopped.set)
    with Display(open_screen(), is_quiet=is_quiet) as display:
        async with open_session() as session, ClusterObjects(Where(**where)) as objects:
            bench = Bench(
                load_kit(),
                run["metadata"]["namespace"],
                session,
                held.read,
                lambda: settings_from(os.environ),
                lambda: datetime.now(UTC),
                objects,
            )
            return await carry_out(run, bench, stopped, display.show)


class Display:
    """Tells of each measurement once; on a terminal the metrics stand below, and what is waited for."""

    def __init__(self, screen: Screen, *, is_quiet: bool) -> None:
        from rich.live import Live

        self._told: set[tuple[str, str, str]] = set()
        self._is_quiet = is_quiet
        is_live = screen.is_live and not is_quiet
        self._live = Live(console=screen.console, auto_refresh=False, transient=True) if is_live else None

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, status: Raw, because: Sequence[str]) -> None:
        """Show what is new."""
        if self._is_quiet:
            return
        for result in status.get("metricResults", ()):
            for measurement in result["measurements"]:
                key = (result["name"], measurement["startedAt"], measurement.get("finishedAt", ""))
                if key[2] and key not in self._told:
                    self._told.add(key)
                    self._tell(result, measurement)
        if self._live is not None:
            self._live.update(_table(status, because), refresh=True)

    def _tell(self, result: Raw, measurement: Raw) -> None:
        from rich.text import Text

        phase = measurement["phase"]
        parts = (result["name"], measurement.get("value", "-"), phase, measurement.get("message", ""))
        line = "  ".join((measurement["finishedAt"], *filter(None, parts)))
        if self._live is not None:
            self._live.console.print(Text(line, style=_STYLES.get(phase, "")))
        else:
            say(line)


def _table(status: Raw, because: Sequence[str]) -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table("metric", "phase", "measured", "good", "bad", "errors", caption=Text("\n".join(because)))
    for result in status.get("metricResults", ()):
        numbers = (str(result.get(name, 0)) for name in ("count", "successful", "failed", "error"))
        phase = Text(result["phase"], style=_STYLES.get(result["phase"], ""))
        table.add_row(Text(result["name"]), phase, *numbers)
    return table
