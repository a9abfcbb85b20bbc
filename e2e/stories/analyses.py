"""Which templates do the stories about analyses have, and how are runs looked at?"""

from pathlib import Path
from typing import Any

import yaml

from e2e.servers.prometheus import Prometheus
from e2e.stories.story import REVISION, Json, Story
from e2e.waiting import eventually
from tests.docs.pages import ROOT, first_yaml

PAGE = ROOT / "docs" / "how-to" / "let-metrics-decide.md"
API = "/apis/argoproj.io/v1alpha1"
VERSION: Json = {"name": "version", "valueFrom": {"podTemplateHashValue": "Latest"}}
# The page's times, and those of a test.
QUICKER = {
    "interval: 30s": "interval: 1s",
    "[1m]": "[5s]",
    "duration: 2m": "duration: 5s",
    "duration: 5m": "duration: 3s",
}
ADDRESS = "http://prometheus.monitoring:9090"


def of_page(prometheus: Prometheus, app: str, image: str, page: Path = PAGE) -> tuple[list[Json], Json]:
    """Return the templates and the Rollout of the page as they stand there, but for address, names and times."""
    text = first_yaml(page)
    for written, meant in (*QUICKER.items(), (ADDRESS, prometheus.url), ("value: web", f"value: {app}")):
        assert written in text, written
        text = text.replace(written, meant)
    *templates, rollout = yaml.safe_load_all(text.replace("example.com/web:1", image))
    assert [each["kind"] for each in templates] == ["AnalysisTemplate"] * len(templates)
    return templates, rollout


def template(name: str, *metrics: Json, **spec: Any) -> Json:
    """Return a template."""
    whole = {"metrics": list(metrics), **spec}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": name}, "spec": whole}


def errors(prometheus: Prometheus, **fields: Any) -> Json:
    """Return a metric: at most one request in twenty of a version may fail."""
    requests = 'http_requests_total{app="{{args.app}}",version="{{args.version}}"'
    query = f'sum(rate({requests},code=~"5.."}}[5s])) / sum(rate({requests}}}[5s]))'
    provider = {"prometheus": {"address": prometheus.url, "query": query}}
    return {"name": "errors", "interval": "1s", "successCondition": "result[0] <= 0.05", "provider": provider, **fields}


def constant(prometheus: Prometheus, value: float, name: str = "constant", **fields: Any) -> Json:
    """Return a metric that Prometheus answers at once, and that is good if the value is at most 1."""
    provider = {"prometheus": {"address": prometheus.url, "query": f"vector({value})"}}
    return {"name": name, "successCondition": "result[0] <= 1", "provider": provider, **fields}


def of_version(name: str, app: str) -> Json:
    """Return an analysis of the newest version by a template."""
    return {"templates": [{"templateName": name}], "args": [{"name": "app", "value": app}, VERSION]}


ARGS: list[Json] = [{"name": "app"}, {"name": "version"}]


async def runs(story: Story, rollout: str | None = None) -> list[Json]:
    """Read the AnalysisRuns of a Rollout, or all, oldest first."""
    listed = (await story.read(API, "analysisruns"))["items"]
    owners = [(each, (each["metadata"].get("ownerReferences") or [{}])[0].get("name")) for each in listed]
    mine = [each for each, owner in owners if rollout is None or owner == rollout]
    return sorted(
        mine, key=lambda each: (_revision(each), each["metadata"]["creationTimestamp"], each["metadata"]["name"])
    )


def _revision(run: Json) -> int:
    return int((run["metadata"].get("annotations") or {}).get(REVISION, "0"))


async def run_reaches(story: Story, name: str, *phases: str) -> Json:
    """Wait until a run is in one of these phases; return it."""

    async def look() -> Json:
        found = await story.read(API, "analysisruns", name)
        assert (found.get("status") or {}).get("phase") in phases, found.get("status")
        return found

    return await eventually(look, what=f"run {name} is {' or '.join(phases)}")


async def measured(story: Story, count: int, name: str = "", revision: int = 0) -> Json:
    """Wait until the newest run, the named one, or that of a revision has counted so many measurements; return it."""

    async def look() -> Json:
        found = [
            each
            for each in await runs(story)
            if name in ("", each["metadata"]["name"]) and revision in (0, _revision(each))
        ]
        assert found, "no run yet"
        assert result(found[-1]).get("count", 0) >= count, found[-1].get("status")
        return found[-1]

    return await eventually(look, what=f"{count} measurements")


def result(run: Json, metric: str = "") -> Json:
    """Return what is known of a metric, or of the first one."""
    results = (run.get("status") or {}).get("metricResults") or [{}]
    found: Json = next((each for each in results if not metric or each.get("name") == metric), {})
    return found


def condition(rollout: Json, kind: str) -> Json:
    """Return a condition of a Rollout."""
    (found,) = [each for each in rollout["status"]["conditions"] if each["type"] == kind]
    return dict(found)
