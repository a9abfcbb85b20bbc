"""Does a real Prometheus answer our questions as we take its answers?"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from e2e.analyzing import analyze, metric, problem, results, template
from e2e.plane import ControlPlane
from e2e.servers.prometheus import Prometheus
from e2e.servers.shop import Shop
from e2e.waiting import eventually

Json = dict[str, Any]
USER, PASSWORD = "shop", "a password of the tests"
HASH = "$2b$04$abcdefghijklmnopqrstuuzzjWYX9ziq/z9PGEfqaY.69BPe06tMC"  # bcrypt of it
ERRORS = (
    'sum(rate(http_requests_total{{app="{app}",code="500"}}[5s])) / sum(rate(http_requests_total{{app="{app}"}}[5s]))'
)


async def value_of(prometheus: Prometheus, query: str) -> list[float]:
    """Ask by ourselves."""
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"{prometheus.url}/api/v1/query", params={"query": query}) as answer,
    ):
        return [float(each["value"][1]) for each in json.loads(await answer.read())["data"]["result"]]


@pytest.fixture(scope="module")
def app(shop: Shop, prometheus: Prometheus) -> str:
    """An app of which one request in four fails and one in ten is slow, seen by Prometheus."""

    async def is_seen() -> bool:
        return [round(each, 3) for each in await value_of(prometheus, ERRORS.format(app="half-bad"))] == [0.25]

    async def seen() -> str:
        await shop.direct("half-bad", "one", rate=40, errors=0.25, slow=0.1)
        await eventually(is_seen, what="Prometheus sees the shop")
        return "half-bad"

    return asyncio.run(seen())


def asking(prometheus: Prometheus, query: str, **fields: Any) -> Json:
    return {"prometheus": {"address": prometheus.url, "query": query, **fields}}


async def test_every_shape_of_a_result(prometheus: Prometheus, app: str) -> None:
    errors, span = ERRORS.format(app=app), {"start": 'now() - duration("3s")', "end": "now()", "step": "1s"}
    requests = f'http_requests_total{{app="{app}"}}'
    slowest = f'histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket{{app="{app}"}}[5s])))'
    status = await analyze(
        template(
            metric(asking(prometheus, errors), "result[0] < 0.3", "vector"),
            metric(asking(prometheus, errors), "result[0] < 0.2", "bad"),
            metric(asking(prometheus, f"rate({requests}[5s])"), "len(result) == 2 and all(result, # > 5)", "many"),
            metric(asking(prometheus, f"scalar({errors})"), "result > 0.2 && result < 0.3", "scalar"),
            metric(asking(prometheus, f"sum({requests})", rangeQuery=span), "len(result) in 2..4", "range"),
            metric(asking(prometheus, 'up{job="shop"}[5m]'), "len(result) > 1 and result[-1] == 1", "matrix"),
            metric(asking(prometheus, slowest), "result[0] > 1", "quantile"),
            dryRun=[{"metricName": "bad"}],
        )
    )
    found = results(status)
    assert status["phase"] == "Successful", found
    assert found["bad"][0] == "Failed"
    assert json.loads(found["vector"][1]) == pytest.approx([0.25], abs=0.01)
    assert float(found["scalar"][1]) == pytest.approx(0.25, abs=0.01)
    course = json.loads(found["range"][1])
    assert course == sorted(course)


async def test_no_data(prometheus: Prometheus) -> None:
    nothing = asking(prometheus, "nobody_has_this")
    status = await analyze(
        template(
            metric(nothing, "result[0] < 1", "left-out"),  # the condition is asked about an empty result
            metric(nothing, "len(result) == 0 or result[0] < 1", "foreseen"),
            *(metric(nothing, "result[0] < 1", policy, noData=policy) for policy in ("fail", "inconclusive")),
        )
    )
    found = results(status)
    phases = {"left-out": "Error", "foreseen": "Successful", "fail": "Failed", "inconclusive": "Inconclusive"}
    assert {name: phase for name, (phase, _) in found.items()} == phases
    assert "index out of range" in found["left-out"][1]
    assert json.dumps(status).count("Prometheus has no series for the query") >= 2


async def test_no_data_is_waited_for(prometheus: Prometheus, shop: Shop) -> None:
    query = 'sum(http_requests_total{app="late"})'
    obj = template(metric(asking(prometheus, query), "result[0] > 0", noData="wait", interval="1s", count=1))

    async def somebody_comes() -> None:
        await asyncio.sleep(4)  # a few measurements later
        await shop.direct("late", "one")

    status, _ = await asyncio.gather(analyze(obj), somebody_comes())
    assert status["phase"] == "Successful", status
    (result,) = status["metricResults"]
    assert result["count"] == 1


REFUSED = {
    "unclosed": ("sum(rate(", "1:10: parse error: unclosed left parenthesis"),
    "no-range": ("rate(up)", 'expected type range vector in call to function "rate", got instant vector'),
    "everything": ("{}", "vector selector must contain at least one non-empty matcher"),
}


async def test_queries_that_prometheus_refuses(prometheus: Prometheus) -> None:
    status = await analyze(
        template(*(metric(asking(prometheus, query), "true", name) for name, (query, _) in REFUSED.items()))
    )
    for name, (phase, said) in results(status).items():
        assert phase == "Error"
        assert "answered 400: bad_data: " in said
        assert REFUSED[name][1] in said


async def test_a_server_that_is_not_there(prometheus: Prometheus) -> None:
    nobody = {"prometheus": {"address": "http://127.0.0.1:9", "query": "up"}}
    elsewhere = {"prometheus": {"address": f"{prometheus.url}/elsewhere", "query": "up"}}
    status = await analyze(template(metric(nobody, "true", "nobody"), metric(elsewhere, "true", "elsewhere")))
    found = results(status)
    assert "127.0.0.1:9: no connection" in found["nobody"][1]
    assert "404" in found["elsewhere"][1]


async def test_the_address_may_come_from_the_environment(prometheus: Prometheus) -> None:
    settings = {"ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": prometheus.url}
    obj = template(metric({"prometheus": {"query": "vector(3)"}}, "result[0] == 3"))
    status = await analyze(obj, environment=settings)
    assert status["phase"] == "Successful"


@pytest.fixture(scope="module")
def guarded(
    prometheus_program: Path, plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prometheus]:
    """A Prometheus that wants a password and has a certificate of an authority that nobody else knows."""
    certificates = plane.directory / "certificates"
    certificate = (certificates / "apiserver.crt", certificates / "apiserver.key")
    at = tmp_path_factory.mktemp("guarded")
    running = Prometheus(prometheus_program, at, users={USER: HASH}, certificate=certificate, name="guarded")
    try:
        yield asyncio.run(running.open())
    finally:
        running.kill()


def with_password(prometheus: Prometheus, **fields: Any) -> Json:
    """Return a template whose password is a Secret's."""
    headers = [{"key": "Authorization", "value": "{{args.authorization}}"}]
    reference = {"secretKeyRef": {"name": "prometheus", "key": "authorization"}}
    return template(
        metric(asking(prometheus, "vector(3)", headers=headers, **fields), "result[0] == 3"),
        args=[{"name": "authorization", "valueFrom": reference}],
    )


def secret(password: str) -> dict[str, str]:
    return {"ROLLOUTS_SECRET_PROMETHEUS_AUTHORIZATION": aiohttp.encode_basic_auth(USER, password)}


async def test_a_certificate_is_verified(guarded: Prometheus) -> None:
    told = problem(await analyze(with_password(guarded), environment=secret(PASSWORD)))
    assert "no secure connection (unable to get local issuer certificate)" in told or "self-signed" in told
    assert "is the server's certificate from a known authority and for this host?" in told


async def test_an_authority_of_our_own(guarded: Prometheus, plane: ControlPlane) -> None:
    known = {**secret(PASSWORD), "SSL_CERT_FILE": str(plane.authority)}
    status = await analyze(with_password(guarded), environment=known)
    assert status["phase"] == "Successful", status


async def test_a_certificate_need_not_be_verified(guarded: Prometheus) -> None:
    status = await analyze(with_password(guarded, insecure=True), environment=secret(PASSWORD))
    assert status["phase"] == "Successful", status


async def test_a_wrong_password(guarded: Prometheus) -> None:
    status = await analyze(with_password(guarded, insecure=True), environment=secret("wrong"))
    assert "401" in problem(status)
    assert "wrong" not in json.dumps(status)
