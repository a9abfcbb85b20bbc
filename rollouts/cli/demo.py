"""`rollouts demo`: what does an update look like, from the first pod to the last, and when it is not wanted?"""

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol

import typer

from rollouts.cli.console import complain, open_screen, say
from rollouts.cli.demo_user import BETTER, BROKEN, GOOD, NAME, PODS, User, headline, is_in, observed_status

if TYPE_CHECKING:
    from rollouts.cli.console import Screen
    from rollouts.cli.demo_programs import Programs
    from rollouts.cli.demo_stage import Stage
    from rollouts.cli.live import Picture

# Long enough for pods of the dev cluster, short enough to watch it pass.
DEADLINE_SECONDS = 6

ROLLOUT = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: {NAME}
spec:
  replicas: {PODS}
  progressDeadlineSeconds: {DEADLINE_SECONDS}
  progressDeadlineAbort: true
  selector:
    matchLabels: {{app: {NAME}}}
  template:
    metadata:
      labels: {{app: {NAME}}}
    spec:
      containers:
        - name: {NAME}
          image: {GOOD}
  strategy:
    canary:
      maxSurge: 1
      maxUnavailable: 0
      steps:
        - setWeight: 20
        - pause: {{duration: 5s}}
        - setWeight: 40
        - pause: {{}}
        - setWeight: 80
"""


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
    from rollouts.cli.demo_programs import Programs
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
    from rollouts.cli.demo_blue_green import BlueGreenStory
    from rollouts.cli.demo_programs import Programs
    from rollouts.cli.demo_stage import Stage
    from rollouts.cli.session import Where, open_session

    began = time.monotonic()
    crds = directory / "crds"
    crds.mkdir()
    for name, text in manifests().items():
        (crds / name).write_text(text, encoding="utf-8")
    programs = Programs(directory)
    stories: dict[Strategy, Callable[[User], Story]] = {
        Strategy.CANARY: CanaryStory,
        Strategy.BLUE_GREEN: BlueGreenStory,
    }
    headline(screen, "An embedded Kubernetes API server and the controller, each a process of its own")
    async with programs.running(crds), open_session(Where("default", str(programs.kubeconfig))) as session:
        story = stories[strategy](User(programs, session, screen))
        await story.begin()
        async with Stage(session, NAME, screen).open() as stage:
            await story.tell(stage)
        headline(screen, f"Done in {time.monotonic() - began:.0f} s: {story.moral}.")
        if keep:
            await _stay(programs)


class Story(Protocol):
    """What is shown of a strategy."""

    moral: ClassVar[str]

    async def begin(self) -> None:
        """Create everything."""

    async def tell(self, stage: "Stage") -> None:
        """Show its updates."""


@dataclass(frozen=True, slots=True)
class CanaryStory:
    """A good version with a person in the middle, and a broken one."""

    user: User
    moral: ClassVar[str] = "a good change went through, a broken one did not"

    async def begin(self) -> None:
        """Create the Rollout."""
        self.user.headline(f"A Rollout of {PODS} pods: 20 %, 5 s, 40 %, wait for a person, 80 %")
        await self.user.apply(ROLLOUT)

    async def tell(self, stage: "Stage") -> None:
        """Bring in both."""
        await self._good_change(stage)
        await self._bad_change(stage)

    async def _good_change(self, stage: "Stage") -> None:
        await stage.until(is_in("Healthy"), "healthy", 30)
        self.user.headline(f"Change the image to {BETTER}: one pod first, then it looks around for 5 s")
        await self.user.set_image(BETTER)
        await stage.until(_waits_for_people, "waiting for a person", 40)
        self.user.headline("It waits for a person. Clearing the pause resumes it; any client can do that")
        await self.user.resume()
        await stage.until(is_in("Healthy"), "healthy", 40)

    async def _bad_change(self, stage: "Stage") -> None:
        self.user.headline(
            f"Change the image to {BROKEN}: its pod crashes; {DEADLINE_SECONDS} s without progress, and it is aborted"
        )
        await self.user.set_image(BROKEN)
        await stage.until(_is_back, "back at stable", 60)


def _waits_for_people(picture: "Picture") -> bool:
    status = observed_status(picture)
    return status.get("phase") == "Paused" and status.get("currentStepIndex") == 3


def _is_back(picture: "Picture") -> bool:
    status = observed_status(picture)
    is_aborted = status.get("phase") == "Degraded" and bool(status.get("abort"))
    return is_aborted and status.get("updatedReplicas") == 0 and status.get("availableReplicas") == PODS


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
