"""`rollouts`, also `kubectl rollouts`: which commands are there?"""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rollouts.cli.abort import abort
from rollouts.cli.completion import COMPLETE, complete, completion
from rollouts.cli.create import create, create_analysis_run
from rollouts.cli.explain import explain
from rollouts.cli.get import get_analysis_run, get_experiment, get_rollout
from rollouts.cli.lazy import AliasGroup, lazy_command
from rollouts.cli.lint import lint
from rollouts.cli.list import list_analysis_runs, list_experiments, list_rollouts
from rollouts.cli.migrate import migrate_deployment
from rollouts.cli.options import ContextOption, KubeconfigOption, NamespaceOption
from rollouts.cli.pause import pause
from rollouts.cli.promote import promote
from rollouts.cli.restart import restart
from rollouts.cli.retry import retry
from rollouts.cli.set_image import set_image
from rollouts.cli.status import status
from rollouts.cli.switches import SwitchCommand
from rollouts.cli.terminate import terminate_analysis_run, terminate_experiment
from rollouts.cli.undo import undo
from rollouts.cli.version import version

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK, _ACT, _CHECK, _RUN = "Look", "Act", "Check and install", "Run"
_STYLE = {"help_option_names": ["-h", "--help"]}


def _group(summary: str) -> typer.Typer:
    return typer.Typer(cls=AliasGroup, help=summary, no_args_is_help=True, context_settings=_STYLE)


app = typer.Typer(
    help="Canaries that explain themselves: look at rollouts and steer them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings=_STYLE,
)


@app.callback()
def _where(
    invocation: typer.Context,
    *,
    namespace: NamespaceOption = None,
    kubeconfig: KubeconfigOption = None,
    context: ContextOption = None,
) -> None:
    invocation.obj = {"namespace": namespace, "kubeconfig": kubeconfig, "context": context}


get_app, list_app, set_app = _group("Show one in full."), _group("List them."), _group("Change a part.")
get_app.command("rollout", cls=SwitchCommand)(get_rollout)
get_app.command("analysisrun", cls=SwitchCommand)(get_analysis_run)
get_app.command("experiment", cls=SwitchCommand)(get_experiment)
list_app.command("rollouts", cls=SwitchCommand)(list_rollouts)
list_app.command("analysisruns", cls=SwitchCommand)(list_analysis_runs)
list_app.command("experiments", cls=SwitchCommand)(list_experiments)
create_app = typer.Typer(cls=AliasGroup, no_args_is_help=True, invoke_without_command=True, context_settings=_STYLE)
create_app.callback()(create)
create_app.command("analysisrun", cls=SwitchCommand)(create_analysis_run)
terminate_app = _group("End an analysis or an experiment now.")
terminate_app.command("analysisrun", cls=SwitchCommand)(terminate_analysis_run)
terminate_app.command("experiment", cls=SwitchCommand)(terminate_experiment)
set_app.command("image", cls=SwitchCommand)(set_image)
migrate_app = _group("Make Rollouts of Deployments, and go back.")
migrate_app.command("deployment", cls=SwitchCommand)(migrate_deployment)

app.add_typer(get_app, name="get", rich_help_panel=_LOOK)
app.add_typer(list_app, name="list", rich_help_panel=_LOOK)
app.command(rich_help_panel=_LOOK, cls=SwitchCommand)(status)
app.command(rich_help_panel=_LOOK, cls=SwitchCommand)(explain)

_VERBS: "tuple[Callable[..., None], ...]" = (promote, abort, retry, pause, undo, restart)
for _verb in _VERBS:
    app.command(rich_help_panel=_ACT, cls=SwitchCommand)(_verb)
app.add_typer(set_app, name="set", rich_help_panel=_ACT)
app.add_typer(create_app, name="create", rich_help_panel=_ACT)
app.add_typer(terminate_app, name="terminate", rich_help_panel=_ACT)

app.command(rich_help_panel=_CHECK)(lint)
app.add_typer(migrate_app, name="migrate", rich_help_panel=_CHECK)


def _elsewhere() -> None:
    """Never runs: the lazy command hands over to the real one."""


for _name, _summary, _panel in (
    ("simulate", "Show how an update will go, by the controller's own planner on a simulated cluster.", _CHECK),
    ("eval", "Evaluate a condition or a JSONPath on a result, before a template ships.", _CHECK),
    ("analyze", "Run an analysis template from here, without a cluster, and print its verdict.", _CHECK),
    ("plugins", "Show which plugins are installed here, and what is broken.", _CHECK),
    ("crds", "Print the CustomResourceDefinitions.", _CHECK),
    ("controller", "Run the controller.", _RUN),
    ("devcluster", "Run a small API server with workloads, for trying and testing.", _RUN),
    ("demo", "Watch a canary go up, be promoted and, broken, be aborted.", _RUN),
):
    app.command(_name, help=_summary, rich_help_panel=_panel, cls=lazy_command(f"rollouts.cli.{_name}:{_name}"))(
        _elsewhere
    )

app.command(rich_help_panel=_CHECK)(version)
app.command(rich_help_panel=_CHECK)(completion)


def program_name(argv0: str) -> str:
    """Return how this program was called: kubectl runs plugins by a file name with dashes."""
    name = Path(argv0).name.removesuffix(".exe")
    return name.replace("kubectl-", "kubectl ", 1).replace("_", "-") if name.startswith("kubectl-") else name


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == [COMPLETE]:
        complete(sys.argv[2:])
        return
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            # An icon that a terminal can't show must not end the command.
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    name = program_name(sys.argv[0])
    app(prog_name="rollouts" if name in ("__main__.py", "-c", "") else name)


if __name__ == "__main__":
    main()
