"""Is a token asked for once, used while it lives, and no longer once it is refused?"""

import asyncio
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from aiohttp import web

from rollouts.fetch import open_session
from rollouts.fetch.take import take
from rollouts.fetch.tokens import MOST, Tokens, lifetime
from rollouts.measure.prometheus import Prometheus
from rollouts.ports.provider import Asked, MeasurementError, Request, Response
from tests.plan.given import after
from tests.serving import serving


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Identity:
    """Gives out tokens that live for a minute."""

    given: int = 0

    async def __call__(self, request: Request) -> Response:
        self.given += 1
        await asyncio.sleep(0)
        return Response(200, {}, orjson.dumps({"access_token": f"{request.reuse}{self.given}", "expires_in": 60}))


def asking(identity: str = "a") -> Request:
    return Request("POST", "https://login/token", reuse=identity)


async def test_a_token_is_used_until_it_nears_its_end() -> None:
    clock, identity = Clock(), Identity()
    tokens = Tokens(clock)
    first = await tokens.answer(asking(), identity)
    clock.now = 47
    assert await tokens.answer(asking(), identity) is first
    clock.now = 48
    assert await tokens.answer(asking(), identity) is not first


async def test_many_who_need_one_at_once_ask_once() -> None:
    identity, tokens = Identity(), Tokens()
    await asyncio.gather(*(tokens.answer(asking(), identity) for _ in range(100)))
    assert identity.given == 1


async def test_whoever_is_somebody_else_asks_for_themselves() -> None:
    identity, tokens = Identity(), Tokens()
    answers = [await tokens.answer(asking(each), identity) for each in "ab"]
    assert [orjson.loads(each.body)["access_token"] for each in answers] == ["a1", "b2"]


async def test_one_who_gives_up_does_not_hold_the_others_up() -> None:
    identity, tokens = Identity(), Tokens()
    first = asyncio.create_task(tokens.answer(asking(), identity))
    await asyncio.sleep(0)
    first.cancel()
    assert (await tokens.answer(asking(), identity)).status == 200


async def test_memory_has_an_end() -> None:
    identity, tokens = Identity(), Tokens()
    for number in range(MOST + 1):
        await tokens.answer(asking(str(number)), identity)
    await tokens.answer(asking(str(MOST)), identity)
    await tokens.answer(asking("0"), identity)
    assert identity.given == MOST + 2


@pytest.mark.parametrize(
    ("status", "said", "seconds"),
    [
        (200, {"access_token": "t", "expires_in": 3600}, 3600),
        (200, {"access_token": "t", "expires_in": "3600"}, 3600),
        (200, {"access_token": "t"}, 0),
        (200, {"expires_in": None}, 0),
        (200, {"expires_in": "soon"}, 0),
        (400, {"expires_in": 3600}, 0),
        (200, {"AssumeRoleResponse": {"AssumeRoleResult": {"Credentials": {"Expiration": 1_900.0}}}}, 900),
        (200, {"Credentials": {"Expiration": 900.0}}, 0),
        (200, [], 0),
    ],
)
def test_how_long_a_token_is_good(status: int, said: Any, seconds: float) -> None:
    assert lifetime(Response(status, {}, orjson.dumps(said)), now=1_000) == seconds


def test_no_json_has_no_token() -> None:
    assert lifetime(Response(200, {}, b"<html>"), now=0) == 0


async def test_a_refused_token_is_asked_for_anew() -> None:
    asked: list[str] = []
    statuses = [200, 401, 200]

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if request.path == "/token":
            return web.json_response({"access_token": "t", "expires_in": 3600})
        status = statuses.pop(0)
        return web.json_response(
            {"status": "success", "data": {"resultType": "scalar", "result": [1, "1"]}}, status=status
        )

    tokens = Tokens()
    async with serving(handle) as url, open_session() as session:
        oauth2 = {"tokenUrl": f"{url}/token", "clientId": "me", "clientSecret": "long-enough"}
        raw = {"address": url, "query": "up", "authentication": {"oauth2": oauth2}}
        spec = Prometheus.model.model_validate(raw, by_alias=True, by_name=False)
        await take(Prometheus(), spec, Asked(after(0)), session, tokens=tokens)
        with pytest.raises(MeasurementError, match="401"):
            await take(Prometheus(), spec, Asked(after(1)), session, tokens=tokens)
        await take(Prometheus(), spec, Asked(after(2)), session, tokens=tokens)
    assert asked == ["/token", "/api/v1/query", "/api/v1/query", "/token", "/api/v1/query"]
