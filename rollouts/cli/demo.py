"""`rollouts demo`: what does a canary look like, from the first pod to the last, and when it goes wrong?"""

import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rollouts.cli.console import complain, open_screen, say

if TYPE_CHECKING:
    from rollouts.cli.console import Screen
    from rollouts.cli.demo_programs import Programs
    from rollouts.cli.demo_stage import Stage
    from rollouts.cli.session import Session

NAME = "hello"
PODS = 5
GOOD, BETTER, BROKEN = "hello:1.0", "hello:2.0", "hello:3.0-crash"
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

_RESUME = {"status": {"pauseConditions": None}}

Json = dict[str, Any]


def demo(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Stay up at the end and print commands to try.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Plain text; so does the variable NO_COLOR.")] = False,
) -> None:
    """Watch a canary go up, be promoted and, broken, be aborted; on an embedded cluster, nothing else is needed."""
    from rollouts.cli.demo_programs import Programs
    from rollouts.cli.errors import CommandError
    from rollouts.kube.errors import KubeError

    with tempfile.TemporaryDirectory(prefix="rollouts-demo-") as directory:
        try:
            asyncio.run(_demo(Path(directory), open_screen(no_color=no_color), keep=keep))
        except (CommandError, KubeError, TimeoutError) as error:
            complain(f"error: {error}")
            complain(f"the controller's last words:\n{Programs(Path(directory)).last_words()}")
            raise typer.Exit(1) from error
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


async def _demo(directory: Path, screen: "Screen", *, keep: bool) -> None:
    from rollouts.api.crds import manifests
    from rollouts.cli.demo_programs import Programs
    from rollouts.cli.demo_stage import Stage
    from rollouts.cli.session import Where, open_session

    began = time.monotonic()
    crds = directory / "crds"
    crds.mkdir()
    for name, text in manifests().items():
        (crds / name).write_text(text, encoding="utf-8")
    programs = Programs(directory)
    _headline(screen, "An embedded Kubernetes API server and the controller, each a process of its own")
    async with programs.running(crds), open_session(Where("default", str(programs.kubeconfig))) as session:
        story = Story(programs, session, screen)
        await story.apply(ROLLOUT)
        async with Stage(session, NAME, screen).open() as stage:
            await story.good_change(stage)
            await story.bad_change(stage)
        _headline(
            screen, f"Done in {time.monotonic() - began:.0f} s: a good change went through, a broken one did not."
        )
        if keep:
            await _stay(programs)


def _headline(screen: "Screen", text: str) -> None:
    from rich.text import Text

    screen.show(Text(f"\n▌ {text}", style="bold magenta"))


@dataclass(frozen=True, slots=True)
class Story:
    """What a user would do, in order; each command is printed as it is sent."""

    programs: "Programs"
    session: "Session"
    screen: "Screen"

    async def apply(self, manifest: str) -> None:
        """Create the Rollout as `kubectl apply` does."""
        _headline(self.screen, f"A Rollout of {PODS} pods: 20 %, 5 s, 40 %, wait for a person, 80 %")
        say(manifest)
        await self._as_user(["apply", "-f", "-"], manifest)

    async def good_change(self, stage: "Stage") -> None:
        """Bring in a version that works, with a person in the middle."""
        await stage.until(_is("Healthy"), "healthy", 30)
        _headline(self.screen, f"Change the image to {BETTER}: one pod first, then it looks around for 5 s")
        await self._set_image(BETTER)
        await stage.until(_waits_for_people, "waiting for a person", 40)
        _headline(self.screen, "It waits for a person. Clearing the pause resumes it; any client can do that")
        await self._as_user(
            ["patch", "rollout", NAME, "--subresource=status", "--type=merge", "-p", json.dumps(_RESUME)]
        )
        await stage.until(_is("Healthy"), "healthy", 40)

    async def bad_change(self, stage: "Stage") -> None:
        """Bring in a version that crashes: it never gets further than one pod."""
        _headline(
            self.screen,
            f"Change the image to {BROKEN}: its pod crashes; {DEADLINE_SECONDS} s without progress, and it is aborted",
        )
        await self._set_image(BROKEN)
        await stage.until(_is_back, "back at stable", 60)

    async def _set_image(self, image: str) -> None:
        operation = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]
        await self._as_user(["patch", "rollout", NAME, "--type=json", "-p", json.dumps(operation)])

    async def _as_user(self, arguments: list[str], stdin: str = "") -> None:
        """Run kubectl where there is one; elsewhere send what it would send."""
        import shlex

        from rich.text import Text

        from rollouts.cli.demo_programs import find_kubectl, run_kubectl

        self.screen.show(Text(f"$ kubectl {shlex.join(arguments)}", style="bold green"))
        kubectl = find_kubectl()
        if kubectl is not None:
            say(await run_kubectl(kubectl, self.programs.kubeconfig, arguments, stdin))
        else:
            await self._without_kubectl(arguments, stdin)

    async def _without_kubectl(self, arguments: list[str], stdin: str) -> None:
        import yaml

        from rollouts.kube.patches import PatchType
        from rollouts.kube.resources import ROLLOUTS

        if arguments[0] == "apply":
            await self.session.api.create(ROLLOUTS, "default", yaml.safe_load(stdin))
            return
        kind = PatchType.JSON if "--type=json" in arguments else PatchType.MERGE
        subresource = "status" if "--subresource=status" in arguments else None
        body = json.loads(arguments[-1])
        await self.session.api.patch(ROLLOUTS, "default", NAME, body, patch_type=kind, subresource=subresource)


def _status(rollout: Json) -> Json:
    status: Json = rollout.get("status") or {}
    is_observed = status.get("observedGeneration") == str(rollout["metadata"].get("generation"))
    return status if is_observed else {}


def _is(phase: str) -> "Any":
    return lambda rollout: _status(rollout).get("phase") == phase


def _waits_for_people(rollout: Json) -> bool:
    status = _status(rollout)
    return status.get("phase") == "Paused" and status.get("currentStepIndex") == 3


def _is_back(rollout: Json) -> bool:
    status = _status(rollout)
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
