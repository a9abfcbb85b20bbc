"""Do a real InfluxDB and a real Graphite answer our questions as we take their answers?"""

import json
import time
from typing import Any

from e2e.analyzing import analyze, metric, problem, results, template
from e2e.servers.graphite import Graphite
from e2e.servers.influxdb import InfluxDB
from e2e.waiting import eventually

Json = dict[str, Any]
FROM_SHOP = 'from(bucket: "shop/autogen") |> range(start: -1h)'


NO_DATA = {"left-out": "Error", "fail": "Failed", "inconclusive": "Inconclusive"}


def without_data(provider: Json) -> list[Json]:
    """Return a metric for each policy that doesn't wait."""
    policies = {"left-out": None, "fail": "fail", "inconclusive": "inconclusive"}
    return [metric(provider, "result[0] < 1", name, noData=policy) for name, policy in policies.items()]


# --- InfluxDB -------------------------------------------------------------------------------------------------------


def flux(query: str) -> Json:
    return {"influxdb": {"profile": "shop-influx", "query": query}}


def profile(influxdb: InfluxDB, **changes: str) -> list[str]:
    held = {**influxdb.secret, **changes}
    return [word for key, value in held.items() for word in ("--secret", f"shop-influx/{key}={value}")]


def only(measurement: str) -> str:
    return f'{FROM_SHOP} |> filter(fn: (r) => r._measurement == "{measurement}")'


async def test_influxdb_measures_what_was_written(influxdb: InfluxDB) -> None:
    await influxdb.write("errors", {"version": "two"}, 0.25)
    await influxdb.write("errors", {"version": "three"}, 0.5)
    await influxdb.write("orders", {}, "12i")
    await influxdb.write("state", {}, '"open"')
    two = f'{only("errors")} |> filter(fn: (r) => r.version == "two") |> last()'
    obj = template(
        metric(flux(two), "result[0] < 0.3", "double"),
        metric(flux(f"{only('errors')} |> last()"), "len(result) == 2", "tables"),
        metric(flux(only("orders")), "result[0] == 12", "integer"),
        metric(flux(only("state")), 'result[0] == "open"', "text"),
    )
    status = await analyze(obj, *profile(influxdb))
    found = results(status)
    assert status["phase"] == "Successful", found
    assert (found["double"][1], found["integer"][1]) == ("[0.25]", "[12]")
    assert sorted(found["tables"][1].strip("[]").split()) == ["0.25", "0.5"]


async def test_influxdb_without_data(influxdb: InfluxDB) -> None:
    status = await analyze(template(*without_data(flux(only("nothing")))), *profile(influxdb))
    assert {name: phase for name, (phase, _) in results(status).items()} == NO_DATA
    assert json.dumps(status).count("InfluxDB returned no results for the query") >= 3


async def test_what_influxdb_refuses(influxdb: InfluxDB) -> None:
    status = await analyze(template(metric(flux(f"{FROM_SHOP} |> lst()"), "true")), *profile(influxdb))
    assert "answered 500: " in problem(status)
    assert "undefined identifier" in problem(status)
    intruder = profile(influxdb, authToken="shop:nonsense")
    status = await analyze(template(metric(flux(FROM_SHOP), "true")), *intruder)
    assert "401" in problem(status)
    assert "nonsense" not in json.dumps(status)


# --- Graphite -------------------------------------------------------------------------------------------------------


def target(graphite: Graphite, query: str) -> Json:
    return {"graphite": {"address": graphite.url, "query": query}}


async def test_graphite_measures_what_was_written(graphite: Graphite) -> None:
    now = int(time.time())
    await graphite.write("shop.errors", (1, now - 3), (3, now - 2), (5, now - 1))

    async def is_there() -> Json:
        last = target(graphite, "target=shop.errors&from=-30min")
        every = target(graphite, "summarize(shop.errors, '1h', 'sum')")
        status = await analyze(
            template(metric(last, "result[-1] == 5", "last"), metric(every, "sum(result) == 9", "sum"))
        )
        assert status["phase"] == "Successful", status
        return status

    assert results(await eventually(is_there, every=0.5))["last"][1] == "[1,3,5]"


async def test_graphite_without_data(graphite: Graphite) -> None:
    status = await analyze(template(*without_data(target(graphite, "target=shop.nothing"))))
    assert {name: phase for name, (phase, _) in results(status).items()} == NO_DATA
    assert json.dumps(status).count("Graphite has no values for the query") >= 3


async def test_what_graphite_refuses(graphite: Graphite) -> None:
    wrong = {"function": "target=nosuch(shop.errors)", "time": "target=shop.errors&from=soon"}
    status = await analyze(template(*(metric(target(graphite, query), "true", name) for name, query in wrong.items())))
    found = results(status)
    assert "answered 400" in found["function"][1]
    assert "unknown function: nosuch" in found["function"][1]
    assert "Unknown day reference: soon" in found["time"][1]
