"""Does the controller measure by InfluxDB and Graphite, with the credentials of its own Secrets?"""

import time
from collections.abc import AsyncIterator

import pytest_asyncio

from e2e.controller import NAMESPACE
from e2e.kubectl import Kubectl
from e2e.plane import ControlPlane
from e2e.servers.graphite import Graphite
from e2e.servers.influxdb import PASSWORD, InfluxDB
from e2e.stories.analyses import result, run_reaches, template
from e2e.stories.story import Json, Story


@pytest_asyncio.fixture
async def profile(influxdb: InfluxDB, story: Story, plane: ControlPlane) -> AsyncIterator[str]:
    """The name of a Secret in the controller's namespace that says where InfluxDB is."""
    name = f"influx-{story.namespace}"
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": influxdb.secret}
    there = Kubectl(plane.admin_kubeconfig, NAMESPACE)
    await there.apply(secret)
    yield name
    await there("delete", "secret", name)


async def test_one_run_asks_both(story: Story, influxdb: InfluxDB, graphite: Graphite, profile: str) -> None:
    now = int(time.time())
    await influxdb.write("load", {"namespace": story.namespace}, 0.5)
    await graphite.write(f"shop.{story.namespace}", *((1, now - age) for age in range(5)))
    flux = (
        'from(bucket: "shop/autogen") |> range(start: -1h) '
        f'|> filter(fn: (r) => r._measurement == "load" and r.namespace == "{story.namespace}") |> last()'
    )
    metrics: list[Json] = [
        {
            "name": "influx",
            "successCondition": "result[0] < 1",
            "provider": {"influxdb": {"profile": profile, "query": flux}},
        },
        {
            "name": "graphite",
            "interval": "1s",
            "count": 2,
            "successCondition": "result[-1] == 1",
            "provider": {"graphite": {"address": graphite.url, "query": f"target=shop.{story.namespace}&from=-30min"}},
        },
    ]
    await story.kubectl.apply({**template("both", *metrics), "kind": "AnalysisRun"})
    run = await run_reaches(story, "both", "Successful")
    assert result(run, "influx")["measurements"][0]["value"] == "[0.5]"
    assert result(run, "graphite")["count"] == 2
    assert PASSWORD not in str(run)
