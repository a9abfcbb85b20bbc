"""What does the user of a demo do, and what is waited for? Each command is printed as it is sent."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rollouts.cli.console import say

if TYPE_CHECKING:
    from rollouts.cli.console import Screen
    from rollouts.cli.demos.programs import Programs
    from rollouts.cli.demos.stage import Test
    from rollouts.cli.live import Picture
    from rollouts.cli.session import Session

NAME = "hello"
PODS = 5
GOOD, BETTER, BROKEN, FAULTY = "hello:1.0", "hello:2.0", "hello:3.0-crash", "hello:3.0-errors"

Json = dict[str, Any]


def headline(screen: "Screen", text: str) -> None:
    """Say what comes next."""
    from rich.text import Text

    screen.show(Text(f"\n▌ {text}", style="bold magenta"))


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with kubectl; where there is none, the same requests are sent."""

    programs: "Programs"
    session: "Session"
    screen: "Screen"

    def headline(self, text: str) -> None:
        """Say what comes next."""
        headline(self.screen, text)

    async def apply(self, manifest: str) -> None:
        """Show a manifest, and create what is in it as `kubectl apply` does."""
        say(manifest)
        await self.kubectl(["apply", "-f", "-"], manifest)

    async def resume(self) -> None:
        """Clear the pause."""
        body = json.dumps({"status": {"pauseConditions": None}})
        await self.kubectl(["patch", "rollout", NAME, "--subresource=status", "--type=merge", "-p", body])

    async def set_image(self, image: str) -> None:
        """Change the image, as any client can."""
        operation = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image}]
        await self.kubectl(["patch", "rollout", NAME, "--type=json", "-p", json.dumps(operation)])

    async def kubectl(self, arguments: list[str], stdin: str = "") -> None:
        """Run kubectl where there is one; elsewhere send what it would send."""
        import shlex

        from rich.text import Text

        from rollouts.cli.demos.programs import find_kubectl, run_kubectl

        self.screen.show(Text(f"$ kubectl {shlex.join(arguments)}", style="bold green"))
        kubectl = find_kubectl()
        if kubectl is not None:
            say(await run_kubectl(kubectl, self.programs.kubeconfig, arguments, stdin))
        else:
            await self._without_kubectl(arguments, stdin)

    async def _without_kubectl(self, arguments: list[str], stdin: str) -> None:
        import yaml

        from rollouts.cli.demos.kinds import BY_NAME
        from rollouts.kube.patches import PatchType
        from rollouts.kube.resources import ROLLOUTS

        if arguments[0] == "apply":
            for raw in yaml.safe_load_all(stdin):
                await self.session.api.create(BY_NAME[raw["kind"]], "default", raw)
            return
        kind = PatchType.JSON if "--type=json" in arguments else PatchType.MERGE
        subresource = "status" if "--subresource=status" in arguments else None
        body = json.loads(arguments[-1])
        await self.session.api.patch(ROLLOUTS, "default", NAME, body, patch_type=kind, subresource=subresource)


def observed_status(picture: "Picture") -> Json:
    """Return the status, nothing while it is about a spec of before."""
    rollout = picture.rollout
    status: Json = rollout.get("status") or {}
    is_observed = status.get("observedGeneration") == str(rollout["metadata"].get("generation"))
    return status if is_observed else {}


def is_in(phase: str) -> "Test":
    """Return a test for a phase."""
    return lambda picture: observed_status(picture).get("phase") == phase
