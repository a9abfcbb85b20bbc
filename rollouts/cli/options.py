"""Which options do commands share? And how a coroutine function becomes a command that typer can run."""

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from rollouts.api.durations import parse_pause

if TYPE_CHECKING:
    from rollouts.cli.session import Session

P = ParamSpec("P")

ROLLOUT_KINDS = ("rollout", "rollouts", "ro", "rollouts.argoproj.io", "rollout.argoproj.io")
WHERE = "Where"
_INTERRUPTED = 130  # what a shell reports for SIGINT


def rollout_name(text: str) -> str:
    """Take `rollout/NAME` for NAME, as kubectl does."""
    kind, slash, name = text.partition("/")
    if not slash:
        return text
    if kind not in ROLLOUT_KINDS or not name:
        raise typer.BadParameter(f"{text!r} names no rollout: write NAME or rollout/NAME")
    return name


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


RolloutName = Annotated[str, typer.Argument(metavar="NAME", help="The rollout's name.", callback=rollout_name)]
OutputOption = Annotated[
    Output | None, typer.Option("--output", "-o", metavar="FORM", help="json, yaml, wide or name.", show_default=False)
]
WatchOption = Annotated[bool, typer.Option("--watch", "-w", help="Stay and show every change.")]
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
        subject = f"rollout {arguments['rollout']!r}" if "rollout" in arguments else "rollouts"
        run_on_cluster(command, subject, where, arguments)

    annotations = dict(command.__annotations__)
    annotations.pop(next(iter(signature.parameters)))
    run.__annotations__ = {**annotations, **added}
    run.__signature__ = signature.replace(parameters=[*own, *shared, invocation])  # type: ignore[attr-defined]
    return run


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
