"""Is a metric's server the one that is set for all of them, only where the metric says nothing of its own?"""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest
from aiohttp import web

from rollouts.fetch import open_session
from rollouts.fetch.perform import Bench, perform
from rollouts.measure.judge import Judge
from rollouts.measure.prometheus import Prometheus
from rollouts.measure.splunk import Splunk
from rollouts.plan.analysis.observed import Taken, observe_run
from rollouts.plan.analysis.run import plan_analysis
from rollouts.ports import Kit
from rollouts.ports.provider import SHARED_SETTINGS, AnyProvider, Pending, Reading, SecretRef
from tests.plan.analysis.given import metric, run
from tests.plan.given import after
from tests.serving import serving

PROVIDERS: Mapping[str, AnyProvider] = {"prometheus": Prometheus(), "splunk": Splunk()}
KIT = Kit({}, providers={**PROVIDERS, "judge": Judge(PROVIDERS)})
SCALAR = b'{"status": "success", "data": {"resultType": "scalar", "result": [1, "0.5"]}}'
PASSWORD = "correct-horse-battery"  # noqa: S105 - nobody's


class Server:
    """Gives one answer, and remembers what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[web.Request] = []
        self._answer = (200, b"")

    def answers(self, body: bytes, *, status: int = 200) -> None:
        self._answer = (status, body)

    def answer(self, request: web.Request) -> web.Response:
        self.requests.append(request)
        status, body = self._answer
        return web.Response(status=status, body=body)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    known: list[Server] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        return known[0].answer(request)

    async with serving(handle) as url:
        known.append(Server(url))
        yield known[0]


async def measured(provider: Mapping[str, Any], held: Mapping[SecretRef, Mapping[str, str]], **fields: Any) -> Taken:
    async def read(reference: SecretRef) -> Mapping[str, str] | None:
        return held.get(reference)

    (measure,) = plan_analysis(observe_run(run(metric(provider=provider, **fields))), after(0), KIT).measure
    async with open_session() as session:
        return await perform(measure, Bench(KIT, "shop", session, read, dict, lambda: after(1)))


def shared(text: str) -> Mapping[SecretRef, Mapping[str, str]]:
    return {SHARED_SETTINGS: {"prometheus": text}}


async def test_who_names_no_server_gets_the_shared_one_with_its_credentials(server: Server) -> None:
    server.answers(SCALAR)
    settings = f"address: {server.url}\nauthentication: {{basicAuth: {{username: reader, password: {PASSWORD}}}}}\n"
    taken = await measured({"prometheus": {"query": "up"}}, shared(settings))
    assert taken.outcome == Reading(0.5, "0.5")
    assert server.requests[0].headers["Authorization"].startswith("Basic ")


async def test_the_judge_asks_the_shared_server_too(server: Server) -> None:
    server.answers(SCALAR)
    settings = f"address: {server.url}\nauthentication: {{basicAuth: {{username: reader, password: {PASSWORD}}}}}\n"
    queries = {"total": "a $version $window", "bad": "b $version $window"}
    judge = {"canary": "abc", "baseline": "xyz", "requests": queries, "source": {"prometheus": {}}}
    taken = await measured({"judge": judge}, shared(settings), successCondition=None)
    assert isinstance(taken.outcome, Pending), taken.error
    assert [request.headers["Authorization"][:6] for request in server.requests] == ["Basic "] * 4
    named = {**judge, "source": {"prometheus": {"address": server.url}}}
    await measured({"judge": named}, shared(settings), successCondition=None)
    assert "Authorization" not in server.requests[-1].headers


async def test_shared_credentials_never_go_to_a_server_that_a_metric_names(server: Server) -> None:
    server.answers(SCALAR)
    settings = (
        f"address: http://127.0.0.1:9\nauthentication: {{basicAuth: {{username: reader, password: {PASSWORD}}}}}\n"
    )
    taken = await measured({"prometheus": {"query": "up", "address": server.url}}, shared(settings))
    assert taken.outcome == Reading(0.5, "0.5")
    assert "Authorization" not in server.requests[0].headers


@pytest.mark.parametrize("own", [{"insecure": True}, {"headers": [{"key": "X-Tenant", "value": "shop"}]}])
async def test_who_says_anything_of_the_server_says_all_of_it(own: Mapping[str, Any], server: Server) -> None:
    server.answers(SCALAR)
    taken = await measured({"prometheus": {"query": "up", **own}}, shared(f"address: {server.url}"))
    assert "no address of Prometheus" in taken.error
    assert server.requests == []


async def test_a_secret_that_is_named_there_is_in_the_controllers_namespace(server: Server) -> None:
    server.answers(b"")
    held = {
        SHARED_SETTINGS: {"splunk": f"address: {server.url}\nsecretRef: {{name: splunk}}\n"},
        SecretRef("splunk", ""): {"sf_token_key": "of-the-controller"},
        SecretRef("splunk", "shop"): {"sf_token_key": "of-the-shop"},
    }
    await measured({"splunk": {"query": "data('x').publish()"}}, held)
    assert server.requests[0].headers["X-SF-Token"] == "of-the-controller"


async def test_what_is_shared_is_not_shown(server: Server) -> None:
    server.answers(f'{{"status": "error", "errorType": "x", "error": "not {PASSWORD}"}}'.encode(), status=401)
    settings = f"address: {server.url}\nauthentication: {{basicAuth: {{username: reader, password: {PASSWORD}}}}}\n"
    taken = await measured({"prometheus": {"query": "up"}}, shared(settings))
    assert "not *****" in taken.error
    assert PASSWORD not in repr(taken)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("address: [", "is no YAML in line 1"),
        ("just a text", "must be a map with some of address, authentication, headers, insecure"),
        ("query: up", "has query, and may have only address, authentication, headers, insecure"),
        ("address: {a: b}", "address: Input should be a valid string"),
        (f"address: {'x' * 70_000}", "is too long"),
    ],
)
async def test_bad_settings_are_named(text: str, why: str) -> None:
    taken = await measured({"prometheus": {"query": "up"}}, shared(text))
    assert taken.error.startswith(
        "the Secret rollouts-metric-providers in the controller's namespace, key prometheus: "
    )
    assert why in taken.error


async def test_no_settings_are_no_trouble() -> None:
    taken = await measured({"prometheus": {"query": "up"}}, {SHARED_SETTINGS: {"graphite": "address: http://g"}})
    assert "no address of Prometheus" in taken.error
