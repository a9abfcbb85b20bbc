"""How does a person use a Rollout in Argo CD? By its health and its buttons, which run Argo CD's own scripts."""

import json
from typing import Any

from e2e.argocd import patches
from e2e.judging import Judge
from e2e.stories.story import Json, Story
from e2e.waiting import eventually


class ArgoCD:
    """A person in front of Argo CD: sees the health, presses buttons that can be pressed."""

    def __init__(self, story: Story, judge: Judge) -> None:
        self._story = story
        self._scripts = judge.scripts

    async def press(self, action: str) -> None:
        """Run an action on the live object and write what it wants: status by its subresource, the rest apart."""
        live = await self._story.rollout()
        assert action in self._scripts.offered(live), f"{action} can't be pressed: {live['status']}"
        status, rest = patches(live, self._scripts.act(action, live))
        assert status or rest
        for patch, where in ((status, ["--subresource=status"]), (rest, [])):
            if patch:
                await self._story.kubectl("patch", "rollout", "web", *where, "--type=merge", "-p", json.dumps(patch))

    async def shows(self, health: str, **status: Any) -> Json:
        """Wait until it shows a health, of an object with these fields in its status."""

        async def look() -> Json:
            live = await self._story.rollout()
            found: Json = live.get("status") or {}
            assert self._scripts.health(live)[0] == health, found
            assert status.items() <= found.items(), found
            return found

        return await eventually(look, what=f"Argo CD shows {health}")

    async def offered(self) -> set[str]:
        """The buttons that can be pressed."""
        return self._scripts.offered(await self._story.rollout())
