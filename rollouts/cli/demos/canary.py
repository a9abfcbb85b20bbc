"""What does the demo show of a canary? A good version with a person in the middle, and one that crashes."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rollouts.cli.demos.user import BETTER, BROKEN, GOOD, NAME, PODS, User, is_in, observed_status

if TYPE_CHECKING:
    from rollouts.cli.demos.stage import Stage
    from rollouts.cli.live import Picture

# Long enough for pods of the dev cluster, short enough to watch it pass.
DEADLINE_SECONDS = 15

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


@dataclass(frozen=True, slots=True)
class CanaryStory:
    """A good version with a person in the middle, and a broken one."""

    user: User
    moral: ClassVar[str] = "a good change went through, a broken one did not"

    @contextlib.asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """Create the Rollout."""
        self.user.headline(f"A Rollout of {PODS} pods: 20 %, 5 s, 40 %, wait for a person, 80 %")
        await self.user.apply(ROLLOUT)
        yield

    def to_try(self) -> Sequence[str]:
        """Leave it at that."""
        return ()

    async def tell(self, stage: "Stage") -> None:
        """Bring in both."""
        await self._good_change(stage)
        await self._bad_change(stage)

    async def _good_change(self, stage: "Stage") -> None:
        await stage.until(is_in("Healthy"), "healthy")
        self.user.headline(f"Change the image to {BETTER}: one pod first, then it looks around for 5 s")
        await self.user.set_image(BETTER)
        await stage.until(_waits_for_people, "waiting for a person")
        self.user.headline("It waits for a person. Clearing the pause resumes it; any client can do that")
        await self.user.resume()
        await stage.until(is_in("Healthy"), "healthy")

    async def _bad_change(self, stage: "Stage") -> None:
        self.user.headline(
            f"Change the image to {BROKEN}: its pod crashes; {DEADLINE_SECONDS} s without progress, and it is aborted"
        )
        await self.user.set_image(BROKEN)
        await stage.until(_is_back, "back at stable")


def _waits_for_people(picture: "Picture") -> bool:
    status = observed_status(picture)
    return status.get("phase") == "Paused" and status.get("currentStepIndex") == 3


def _is_back(picture: "Picture") -> bool:
    status = observed_status(picture)
    is_aborted = status.get("phase") == "Degraded" and bool(status.get("abort"))
    return is_aborted and status.get("updatedReplicas") == 0 and status.get("availableReplicas") == PODS
