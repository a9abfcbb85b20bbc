"""`rollouts demo`: what does an update look like, from the first pod to the last, and when it is not wanted?"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rollouts.cli.console import complain, open_screen, say
from rollouts.cli.demos.user import BETTER, NAME, User, headline

if TYPE_CHECKING:
    from rollouts.cli.console import Screen
    from rollouts.cli.demos.programs import Programs
    from rollouts.cli.demos.story import Story

_Teller = Callable[[User], "Story"]


class Strategy(StrEnum):
    """Which strategy is shown."""

    CANARY = "canary"
    BLUE_GREEN = "blueGreen"


def demo(
    *,
    strategy: Annotated[Strategy, typer.Option(help="Which strategy to show.")] = Strategy.CANARY,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up at the end and print commands to try.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain text; so does the variable NO_COLOR.")] = False,
) -> None:
    """Watch updates go through and go back; on an embedded cluster, nothing else is needed."""
    from rollouts.cli.demos.programs import Programs
    from rollouts.cli.errors import CommandError
    from rollouts.kube.errors import KubeError

    with tempfile.TemporaryDirectory(prefix="rollouts-demo-") as directory:
        try:
            asyncio.run(_demo(Path(directory), open_screen(no_color=no_color), strategy, keep=keep))
        except (CommandError, KubeError, TimeoutError) as error:
            complain(f"error: {error}")
            complain(f"the controller's last words:\n{Programs(Path(directory)).last_words()}")
            raise typer.Exit(1) from error
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


async def _demo(directory: Path, screen: "Screen", strategy: Strategy, *, keep: bool) -> None:
    from rollouts.api.crds import manifests
    from rollouts.cli.demos.blue_green import BlueGreenStory
    from rollouts.cli.demos.canary import CanaryStory
    from rollouts.cli.demos.programs import Programs
    from rollouts.cli.demos.stage import Stage
    from rollouts.cli.session import Where, open_session

    began = time.monotonic()
    crds = directory / "crds"
    crds.mkdir()
    for name, text in manifests().items():
        (crds / name).write_text(text, encoding="utf-8")
    programs = Programs(directory)
    stories: dict[Strategy, _Teller] = {Strategy.CANARY: CanaryStory, Strategy.BLUE_GREEN: BlueGreenStory}
    headline(screen, "An embedded Kubernetes API server and the controller, each a process of its own")
    async with programs.running(crds), open_session(Where("default", str(programs.kubeconfig))) as session:
        story = stories[strategy](User(programs, session, screen))
        await story.begin()
        async with Stage(session, NAME, screen).open() as stage:
            await story.tell(stage)
        headline(screen, f"Done in {time.monotonic() - began:.0f} s: {story.moral}.")
        if keep:
            await _stay(programs)


async def _stay(programs: "Programs") -> None:
    say(
        f"""
It stays up until Ctrl-C. In another terminal:

  export KUBECONFIG={programs.kubeconfig}
  rollouts get rollout {NAME} -w
  rollouts explain {NAME}
  rollouts set image {NAME} {NAME}={BETTER}
  rollouts promote {NAME}
  kubectl get rollouts,replicasets,pods
  kubectl patch rollout {NAME} --subresource=status --type=merge -p '{{"status":{{"abort":true}}}}'
  tail -f {programs.controller_log}
"""
    )
    await asyncio.Event().wait()
