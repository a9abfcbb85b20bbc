"""`rollouts demo`: what does an update look like, from the first pod to the last, and when it is not wanted?"""

import asyncio
import signal
import tempfile
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.console import complain, open_screen, say
from rollouts.cli.demos.user import NAME, User, headline

if TYPE_CHECKING:
    from rollouts.cli.console import Screen
    from rollouts.cli.demos.programs import Programs
    from rollouts.cli.demos.story import Story


class Strategy(StrEnum):
    """Which strategy is shown."""

    CANARY = "canary"
    BLUE_GREEN = "blueGreen"


_Teller = Callable[[User], "Story"]


def demo(
    *,
    strategy: Annotated[Strategy, typer.Option(help="Which strategy to show.")] = Strategy.CANARY,
    traffic: Annotated[
        bool,
        typer.Option("--traffic", help="Send real requests, through Envoy and a route of the Gateway API (Linux)."),
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up at the end and print commands to try.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain text; so does the variable NO_COLOR.")] = False,
) -> None:
    """Watch updates go through and go back; on an embedded cluster, nothing else is needed."""
    from rollouts.cli.demos.programs import Programs
    from rollouts.cli.errors import CommandError
    from rollouts.kube.errors import KubeError

    teller = _teller(strategy, traffic=traffic)
    with tempfile.TemporaryDirectory(prefix="rollouts-demo-") as directory:
        programs = Programs(Path(directory), has_traffic=traffic)
        try:
            asyncio.run(_demo(programs, open_screen(no_color=no_color), teller, keep=keep))
        except (CommandError, KubeError, TimeoutError) as error:
            complain(f"error: {error}")
            complain(f"last words of the cluster and of the controller:\n{programs.last_words()}")
            raise typer.Exit(1) from error
        except KeyboardInterrupt:
            raise typer.Exit(130) from None
        except asyncio.CancelledError:
            raise typer.Exit(143) from None


def _teller(strategy: Strategy, *, traffic: bool) -> _Teller:
    from rollouts.cli.demos.blue_green import BlueGreenStory
    from rollouts.cli.demos.canary import CanaryStory
    from rollouts.cli.demos.traffic import TrafficStory

    stories: dict[Strategy, _Teller] = {Strategy.CANARY: CanaryStory, Strategy.BLUE_GREEN: BlueGreenStory}
    if not traffic:
        return stories[strategy]
    if strategy is not Strategy.CANARY:
        raise typer.BadParameter("requests are shown with the canary only", param_hint="--traffic")
    _need_envoy()
    return TrafficStory


def _need_envoy() -> None:
    """Say at once where there will be no requests."""
    from rollouts.devcluster.gateway.envoy import NoEnvoyError, find_envoy

    try:
        find_envoy()
    except NoEnvoyError as error:
        complain(f"error: {error}\n`rollouts demo` without --traffic (`make demo`) needs nothing but Python")
        raise typer.Exit(1) from error


async def _demo(programs: "Programs", screen: "Screen", teller: _Teller, *, keep: bool) -> None:
    from rollouts.api.crds import manifests
    from rollouts.cli.demos.stage import Stage
    from rollouts.cli.session import Where, open_session

    began = time.monotonic()
    _end_well_when_told_to()
    crds = programs.directory / "crds"
    crds.mkdir()
    for name, text in manifests().items():
        (crds / name).write_text(text, encoding="utf-8")
    headline(screen, f"{programs.title}, each a process of its own")
    async with programs.running(crds), open_session(Where("default", str(programs.kubeconfig))) as session:
        story = teller(User(programs, session, screen))
        async with story.begun() as beside, Stage(session, NAME, screen, beside).open() as stage:
            await story.tell(stage)
            headline(screen, f"Done in {time.monotonic() - began:.0f} s: {story.moral}.")
            if keep:
                _say_what_to_try(programs, story)
                await stage.stay()


def _end_well_when_told_to() -> None:
    """Let SIGTERM end programs and clear away files, as Ctrl-C does."""
    task = asyncio.current_task()
    if task is not None:  # told twice, it goes on clearing away
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: task.cancelling() or task.cancel())


def _say_what_to_try(programs: "Programs", story: "Story") -> None:
    more = "".join(f"  {each}\n" for each in story.to_try())
    say(
        f"""
It stays up until Ctrl-C. In another terminal:

  export KUBECONFIG={programs.kubeconfig} PATH={programs.path}:$PATH
  rollouts get rollout {NAME} -w
  rollouts explain {NAME}
  rollouts set image {NAME} {NAME}={NAME}:4.0
  rollouts promote {NAME}
{more}  kubectl get rollouts,replicasets,pods
  kubectl patch rollout {NAME} --subresource=status --type=merge -p '{{"status":{{"abort":true}}}}'
  tail -f {programs.controller_log}
"""
    )
