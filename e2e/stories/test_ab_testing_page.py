"""Does the A/B test of the page go as it says, on a real API server and by what a real Prometheus answers?"""

import re
from pathlib import Path

import yaml

from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.servers.prometheus import Prometheus
from e2e.stories.analyses import ADDRESS, measured, result, run_reaches, runs
from e2e.stories.story import Json, Story
from e2e.test_gateway_objects import GROUP, installed
from e2e.waiting import eventually
from tests.docs.pages import ROOT, first_yaml

PAGE = ROOT / "docs" / "how-to" / "ab-testing.md"
GOOD, BAD = "vector(0.05)", "vector(0.01)"


def manifests(prometheus: Prometheus, query: str) -> list[Json]:
    """Return the manifests of the page as they stand there, but for times and for what is asked of which Prometheus."""
    text = first_yaml(PAGE)
    (asked,) = re.findall(r"^ +query: (.+)$", text, re.MULTILINE)
    for written, meant in ((ADDRESS, prometheus.url), ("interval: 10m", "interval: 1s"), (asked, query)):
        assert written in text, written
        text = text.replace(written, meant)
    return list(yaml.safe_load_all(text))


async def insiders(story: Story) -> list[str]:
    """Return what the Cookie header must be like, of each rule before the shared one."""
    *ours, shared = (await story.read(f"/apis/{GROUP}/v1", "httproutes", "web"))["spec"]["rules"]
    assert [each["name"] for each in shared["backendRefs"]] == ["web-stable"], shared
    assert all([each["name"] for each in rule["backendRefs"]] == ["web-canary"] for rule in ours), ours
    matches = [match for rule in ours for match in rule["matches"]]
    return [header["value"] for match in matches for header in match["headers"] if header["name"] == "Cookie"]


async def test_insiders_get_the_next_version_until_the_numbers_have_decided(
    story: Story, plane: ControlPlane, gateway_api: Path, prometheus: Prometheus
) -> None:
    await installed(Kubectl(plane.admin_kubeconfig), gateway_api)
    await story.kubectl.apply(manifests(prometheus, GOOD))
    await story.reaches("Healthy")
    assert await insiders(story) == []

    await story.set_image("web:2.0")
    run = await measured(story, 1)
    (expression,) = await insiders(story)
    assert re.fullmatch(expression, "a=b; insider=yes; c=d")
    await story.comes_to({"web:1.0": 5, "web:2.0": 2})
    await story.reaches("Healthy")
    assert result(await run_reaches(story, run["metadata"]["name"], "Successful"))["count"] == 12
    await are_gone(story)

    await story.kubectl.apply(manifests(prometheus, BAD)[1:2])
    await story.set_image("web:3.0")
    status = await story.reaches("Degraded", abort=True)
    assert 'Metric "buys" assessed Failed due to failed (3) > failureLimit (2)' in status["message"]
    assert result((await runs(story))[-1])["count"] == 3
    await are_gone(story)


async def are_gone(story: Story) -> None:
    """Wait until nobody is led to the canary any more."""

    async def look() -> bool:
        assert await insiders(story) == []
        return True

    await eventually(look)
