"""Is AWS asked over HTTP as it wants to be, and is whatever goes wrong an answer?"""

from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from rollouts.fetch.ask import perform_question
from rollouts.fetch.perform import Bench
from rollouts.ports import Asked, Found, Home, Kit, ListObjects, MeasurementError, ObjectKind, Question, Request
from rollouts.registry import load_kit
from rollouts.traffic.alb.router import Alb
from tests.asking import AskingRouter, weighs
from tests.aws import KEYS, Aws
from tests.routing import KEY
from tests.serving import serving
from tests.traffic.test_alb_verification import PODS, aws, question

ROLLOUT = {"metadata": {"name": "shop", "namespace": "default"}}
SETTINGS = {**KEYS, "AWS_REGION": "eu-west-1"}


async def nothing(_: object) -> None:
    raise AssertionError("questions need no Secrets")


async def pods(request: Any, home: Home) -> list[dict[str, Any]]:
    assert isinstance(request, ListObjects)
    assert home.namespace == "default"
    return PODS[request.labels.rpartition("=")[2]]


def bench(session: aiohttp.ClientSession, settings: Mapping[str, str], kit: Kit | None = None) -> Bench:
    return Bench(
        kit or Kit({}, routers={"alb": Alb()}),
        "default",
        session,
        nothing,
        lambda: settings,
        lambda: datetime.now(UTC),
        pods,
    )


async def asked(there: Aws, session: aiohttp.ClientSession, **more: str) -> Found:
    async def answer(request: web.Request) -> web.Response:
        found = there.answer(Request(request.method, str(request.url), dict(request.headers), await request.read()))
        return web.Response(status=found.status, body=found.body)

    async with serving(answer) as url:
        return await perform_question(
            question(), ROLLOUT, bench(session, {**SETTINGS, "AWS_ENDPOINT_URL": url, **more})
        )


async def test_a_load_balancer_that_follows(session: aiohttp.ClientSession) -> None:
    assert (await asked(aws(20, 80), session)).verified


async def test_one_that_does_not_follow_yet(session: aiohttp.ClientSession) -> None:
    found = await asked(aws(0, 100), session)
    assert (found.verified, found.error) == (False, "")
    assert "weighs 0 still, not 20" in found.because


async def test_credentials_that_are_wrong_are_an_error_without_the_secret(session: aiohttp.ClientSession) -> None:
    found = await asked(aws(20, 80), session, AWS_SECRET_ACCESS_KEY="another-secret")  # noqa: S106 - made up
    assert found.error.startswith("the load balancer of Ingress shop can't be asked: 127.0.0.1:")
    assert "answered 403" in found.error
    assert "SignatureDoesNotMatch" in found.error
    assert "another-secret" not in found.error


async def test_a_server_that_is_away_is_an_error(session: aiohttp.ClientSession) -> None:
    settings = {**SETTINGS, "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": "http://127.0.0.1:1"}
    found = await perform_question(question(), ROLLOUT, bench(session, settings))
    assert "no connection" in found.error


class _Broken(AskingRouter):
    """Does with a question what a test wants."""

    def __init__(self, what: object) -> None:
        self._what = what

    def ask(self, question: Question, asked: Asked) -> Generator[Any, Any, Any]:
        del question, asked
        if isinstance(self._what, Exception):
            raise self._what
        yield self._what
        return "yes"


async def broken(session: aiohttp.ClientSession, what: object) -> str:
    kit = Kit({}, routers={KEY: _Broken(what)})
    return (await perform_question(weighs(1), ROLLOUT, bench(session, {}, kit))).error


async def test_a_router_that_breaks_its_promises_is_an_error(session: aiohttp.ClientSession) -> None:
    secrets = ListObjects(ObjectKind("", "v1", "secrets", "Secret"))
    assert "it raised ZeroDivisionError" in await broken(session, ZeroDivisionError())
    assert "asked by a int" in await broken(session, 7)
    assert "may not list secrets" in await broken(session, secrets)
    assert await broken(session, MeasurementError("so it is")) == "the balancer can't be asked: so it is"


def test_the_installed_router_asks_only_where_that_is_wanted() -> None:
    kit = load_kit()
    assert kit.unasked == frozenset()
    assert kit.routers["alb"].lists
