"""What does the demo show of blue-green? A preview, a person's word, and the way back while the pods are still up."""

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rollouts.api import keys
from rollouts.cli.demos.user import BETTER, GOOD, NAME, PODS, User, is_in, observed_status
from rollouts.view import fields

if TYPE_CHECKING:
    from rollouts.cli.demos.stage import Stage
    from rollouts.cli.live import Picture

# Long enough for somebody, or a slow machine, to change their mind; short enough to watch it pass.
DELAY_SECONDS = 30

ROLLOUT = f"""\
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata:
  name: {NAME}
spec:
  replicas: {PODS}
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
    blueGreen:
      activeService: {NAME}
      previewService: {NAME}-preview
      autoPromotionEnabled: false
      scaleDownDelaySeconds: {DELAY_SECONDS}
---
apiVersion: v1
kind: Service
metadata:
  name: {NAME}
spec:
  selector: {{app: {NAME}}}
  ports: [{{port: 80}}]
---
apiVersion: v1
kind: Service
metadata:
  name: {NAME}-preview
spec:
  selector: {{app: {NAME}}}
  ports: [{{port: 80}}]
"""


@dataclass(frozen=True, slots=True)
class BlueGreenStory:
    """A version that a person promotes, and goes back from."""

    user: User
    moral: ClassVar[str] = "a change was looked at, promoted, and taken back while the pods before were still up"

    @contextlib.asynccontextmanager
    async def begun(self) -> AsyncIterator[None]:
        """Create the Rollout and its Services."""
        self.user.headline(f"A Rollout of {PODS} pods: clients use the Service {NAME}, people look at {NAME}-preview")
        await self.user.apply(ROLLOUT)
        yield

    def to_try(self) -> Sequence[str]:
        """Leave it at that."""
        return ()

    async def tell(self, stage: "Stage") -> None:
        """Show the update and the way back."""
        await stage.until(is_in("Healthy"), "healthy")
        self.user.headline(f"Change the image to {BETTER}: all its pods come up in preview, clients stay with {GOOD}")
        await self.user.set_image(BETTER)
        await stage.until(is_in("Paused"), "waiting for a person")
        self.user.headline("It waits for a person. Clearing the pause promotes it: the active Service is switched over")
        await self.user.resume()
        await stage.until(_keeps_the_pods_before, "promoted")
        self.user.headline(f"The pods of {GOOD} stay for {DELAY_SECONDS} s. Until then going back waits for nothing")
        await self.user.set_image(GOOD)
        began = time.monotonic()
        await stage.until(is_in("Healthy"), "back")
        self.user.headline(
            f"Back within {time.monotonic() - began:.1f} s. In {DELAY_SECONDS} s the pods of {BETTER} go"
        )
        await stage.until(_is_alone, "without other pods")


def _keeps_the_pods_before(picture: "Picture") -> bool:
    is_kept = any(
        keys.SCALE_DOWN_DEADLINE in fields.part(each, "metadata", "annotations") for each in picture.replica_sets
    )
    return is_kept and observed_status(picture).get("phase") == "Healthy"


def _is_alone(picture: "Picture") -> bool:
    status = observed_status(picture)
    return status.get("phase") == "Healthy" and status.get("replicas") == PODS
