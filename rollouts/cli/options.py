"""Which options do commands share? And how a coroutine function becomes a command that typer can run."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from rollouts.api.durations import parse_pause
from rollouts.cli.kinds import ANALYSIS_RUN, EXPERIMENT, ROLLOUT, kind_of

if TYPE_CHECKING:
    from rollouts.cli.session import Session

P = ParamSpec("P")

WHERE = "Where"
_INTERRUPTED = 130  # what a shell reports for SIGINT


def seconds_of(text: str) -> float | None:
    """Return a time limit in seconds; None where there is none."""
    return parse_pause(text).total_seconds() or None


def _time_limit(text: str) -> str:
    try:
        parse_pause(text)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return text


class Output(StrEnum):
    """The forms in which objects are shown."""

    JSON = "json"
    YAML = "yaml"
    WIDE = "wide"
    NAME = "name"


RolloutName = Annotated[str, typer.Argument(metavar="NAME", help="The rollout's name.", callback=ROLLOUT.name_of)]
AnalysisRunName = Annotated[
    str, typer.Argument(metavar="NAME", help="The analysis run's name.", callback=ANALYSIS_RUN.name_of)
]
ExperimentName = Annotated[
    str, typer.Argument(metavar="NAME", help="The experiment's name.", callback=EXPERIMENT.name_of)
]
OutputOption = Annotated[
    Output | None, typer.Option("--output", "-o", metavar="FORM", help="json, yaml, wide or name.", show_default=False)
]
WatchOption = Annotated[bool, typer.Option("--watch", "-w", help="Stay and show every change.")]
WatchSecondsOption = Annotated[
    int, typer.Option("--timeout-seconds", min=0, metavar="N", help="End a watch after so long; 0: no limit.")
]
AllNamespacesOption = Annotated[bool, typer.Option("--all-namespaces", "-A", help="Those of all namespaces.")]
OnlyNameOption = Annotated[str, typer.Option("--name", metavar="NAME", help="This one only.")]
TimestampsOption = Annotated[bool, typer.Option("--timestamps", help="Begin each line with the time.")]
NoColorOption = Annotated[bool, typer.Option("--no-color", help="Plain text; so does the variable NO_COLOR.")]
ShowPatchOption = Annotated[bool, typer.Option("--show-patch", help="Print the kubectl commands that do the same.")]
TimeoutOption = Annotated[
    str,
    typer.Option("--timeout", "-t", metavar="DURATION", help="How long to wait; 0: no limit.", callback=_time_limit),
]
NamespaceOption = Annotated[
    str | None,
    typer.Option("--namespace", "-n", metavar="NAME", help="The namespace; else the context's.", rich_help_panel=WHERE),
]
KubeconfigOption = Annotated[
    str | None,
    typer.Option("--kubeconfig", metavar="FILE", help="The kubeconfig; else KUBECONFIG.", rich_help_panel=WHERE),
]
ContextOption = Annotated[
    str | None,
    typer.Option("--context", metavar="NAME", help="The kubeconfig's context to use.", rich_help_panel=WHERE),
]

_SHARED = {"namespace": NamespaceOption, "kubeconfig": KubeconfigOption, "context": ContextOption}


def on_cluster(command: Callable[Concatenate["Session", P], Awaitable[None]]) -> Callable[..., None]:
    """Make a typer command of a coroutine function whose first parameter is the session.

    The options that say where the cluster is are added, errors become a line and exit code 1.
    """
    signature = inspect.signature(command)
    own = list(signature.parameters.values())[1:]
    added = {"invocation": typer.Context, **_SHARED}
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in _SHARED.items()
    ]
    invocation = inspect.Parameter("invocation", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)

    @functools.wraps(command)
    def run(*, invocation: typer.Context, **arguments: Any) -> None:
        # What was given in front of the command's name counts where nothing was given behind it.
        in_front: dict[str, str | None] = invocation.obj or {}
        where = {name: arguments.pop(name) or in_front.get(name) for name in _SHARED}
        run_on_cluster(command, _subject(arguments), where, arguments)

    annotations = dict(command.__annotations__)
    annotations.pop(next(iter(signature.parameters)))
    run.__annotations__ = {**annotations, **added}
    run.__signature__ = signature.replace(parameters=[*own, *shared, invocation])  # type: ignore[attr-defined]
    return run


def _subject(arguments: dict[str, Any]) -> str:
    """Say what a command is about: the object that an argument names, `[kind, name]` where there is a choice."""
    for parameter, value in arguments.items():
        word, name = value if parameter == "subject" else (parameter.replace("_", ""), value)
        kind = kind_of(word) if isinstance(word, str) else None
        if kind is not None and isinstance(name, str):
            return f"{kind.noun} {name!r}"
    return "rollouts"


def run_on_cluster(
    command: Callable[..., Awaitable[None]], subject: str, where: dict[str, str | None], arguments: dict[str, Any]
) -> None:
    """Run a command on the cluster that `where` names; errors become a line and exit code 1."""
    # Importing aiohttp costs more than all of --help does.
    from rollouts.cli.console import complain
    from rollouts.cli.errors import CommandError, describe
    from rollouts.cli.session import Where, open_session
    from rollouts.kube.errors import KubeError

    namespace = where["namespace"] or ""

    async def main() -> None:
        nonlocal namespace
        async with open_session(Where(**where)) as session:
            namespace = session.namespace
            await command(session, **arguments)

    try:
        asyncio.run(main())
    except KeyboardInterrupt as error:
        raise typer.Exit(_INTERRUPTED) from error
    except CommandError as error:
        complain(f"error: {error}")
        raise typer.Exit(1) from error
    except KubeError as error:
        complain(f"error: {describe(error, subject, namespace)}")
        raise typer.Exit(1) from error
