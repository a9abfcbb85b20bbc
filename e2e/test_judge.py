"""Does the judge, asking a real Prometheus, stop a bad canary, pass a good one, and wait for one without traffic?"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from e2e.analyzing import analyze, metric, template
from e2e.kubectl import Kubectl
from e2e.servers.prometheus import Prometheus
from e2e.servers.shop import Shop

Json = dict[str, Any]


def judge(prometheus: Prometheus, app: str, **more: Any) -> Json:
    """Return a judge of an app's version `new` against `old`."""
    of_version = f'app="{app}",version="$version"'
    return {
        "judge": {
            "source": {"prometheus": {"address": prometheus.url}},
            "canary": "new",
            "baseline": "old",
            "requests": {
                "total": f"sum(increase(http_requests_total{{{of_version}}}[$window]))",
                "bad": f'sum(increase(http_requests_total{{{of_version},code="500"}}[$window]))',
            },
            "margin": "2%",
            **more,
        }
    }


@pytest.mark.parametrize(
    ("errors", "phase", "why"),
    [
        (0.2, "Failed", "shown to be more than the baseline's rate plus 2 points"),
        (0.01, "Successful", "shown to be within the baseline's rate plus 2 points"),
    ],
)
async def test_a_verdict(prometheus: Prometheus, shop: Shop, errors: float, phase: str, why: str) -> None:
    app = f"judged-{phase.lower()}"
    await shop.direct(app, "old", rate=400, errors=0.01)
    await shop.direct(app, "new", rate=100, errors=errors)
    judged = metric(judge(prometheus, app, endEarly=True), interval="3s", count=15)
    status = await analyze(template(judged))
    (result,) = status["metricResults"]
    assert status["phase"] == phase, result
    assert why in result["message"]
    last = result["measurements"][-1]["metadata"]
    assert int(last["canaryBad"]) / int(last["canaryRequests"]) == pytest.approx(errors, rel=0.2)
    assert float(last["lower"]) <= errors - 0.01 <= float(last["upper"])
    assert json.loads(result["metadata"]["evidence"])["intervals"] >= 1


async def test_a_canary_without_traffic_is_waited_for(prometheus: Prometheus, shop: Shop) -> None:
    await shop.direct("quiet", "old", rate=400, errors=0.01)
    judged = metric(judge(prometheus, "quiet"), interval="1s", count=1)

    async def somebody_comes() -> None:
        await asyncio.sleep(5)  # a few measurements later
        await shop.direct("quiet", "new", rate=200, errors=0.01)

    status, _ = await asyncio.gather(analyze(template(judged)), somebody_comes())
    (result,) = status["metricResults"]
    assert (status["phase"], result["count"]) == ("Successful", 1), result


async def test_an_api_server_takes_numbers_and_texts(kubectl: Kubectl) -> None:
    await kubectl("apply", "-k", str(Path(__file__).parents[1] / "manifests" / "crds"))
    await kubectl.serves("analysistemplates.argoproj.io")
    queries = {"total": "a $version", "bad": "b $version"}
    numbers = {"margin": 0.005, "ratio": 1.25, "alpha": "1%", "minimum": "{{args.least}}", "burst": 3}
    provider = {"source": {"prometheus": {}}, "canary": "new", "baseline": "old", "requests": queries, **numbers}
    await kubectl.apply(template(metric({"judge": provider}, interval="1m"), args=[{"name": "least"}]))
    stored = await kubectl.json("get", "analysistemplate/shop")
    (kept,) = stored["spec"]["metrics"]
    assert kept["provider"]["judge"] == {**provider, "tooFew": "wait", "undecided": "successful"}
