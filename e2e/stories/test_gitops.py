"""What becomes of the controller's work when the manifests in Git are applied again, on either side?"""

import json

from e2e.stories.story import HASH, Json, Story
from e2e.waiting import eventually
from tests.wire.objects import rollout, service

CANARY: Json = {
    "stableService": "web-stable",
    "canaryService": "web-canary",
    "steps": [{"setWeight": 20}, {"pause": {}}],
}
# As Flux applies.
ON_THE_SERVER = ("--server-side", "--field-manager=kustomize-controller", "--force-conflicts")


def services(**spec: Json) -> list[Json]:
    return [service("web-stable", **spec), service("web-canary", **spec)]


async def selector_of(story: Story, name: str) -> Json:
    found: Json = (await story.read("/api/v1", "services", name))["spec"].get("selector") or {}
    return found


async def selects(story: Story, name: str, wanted: Json) -> None:
    """Wait until a Service has a selector."""

    async def look() -> bool:
        return await selector_of(story, name) == wanted

    await eventually(look, what=f"Service {name} selects {wanted}")


async def test_applied_on_the_clients_side_it_stays(story: Story) -> None:
    in_git = [*services(selector={"app": "web"}), rollout("web", None, strategy={"canary": CANARY})]
    await story.kubectl.apply(in_git)
    await story.reaches("Healthy")
    await story.patch({"replicas": 3, "paused": True, "restartAt": "2020-01-02T03:04:05Z"})
    status = await story.reaches("Paused", replicas=3)
    await selects(story, "web-stable", {"app": "web", HASH: status["stableRS"]})
    before = await story.rollout(), await selector_of(story, "web-stable")
    await story.kubectl.apply(in_git)
    after = await story.rollout(), await selector_of(story, "web-stable")
    assert (after[0]["spec"], after[1]) == (before[0]["spec"], before[1])
    assert after[0]["spec"]["replicas"] == 3


async def test_applied_on_the_servers_side_a_selector_goes_and_comes_back(story: Story) -> None:
    in_git = [*services(selector={"app": "web"}), rollout("web", None, strategy={"canary": CANARY})]
    await story.kubectl.apply(in_git, *ON_THE_SERVER)
    await story.reaches("Healthy")
    await story.patch({"replicas": 3, "paused": True})
    status = await story.reaches("Paused", replicas=3)
    stable = {"app": "web", HASH: status["stableRS"]}
    await selects(story, "web-stable", stable)
    written = json.loads(await story.kubectl.apply(in_git, *ON_THE_SERVER, "-o", "json"))["items"]
    assert written[0]["spec"]["selector"] == {"app": "web"}
    await selects(story, "web-stable", stable)
    spec = (await story.rollout())["spec"]
    assert (spec["replicas"], spec["paused"]) == (3, True)
