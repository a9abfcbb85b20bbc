"""What becomes of a provider's flow, good or bad?"""

from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from rollouts.api.base import Model, parse
from rollouts.api.providers import WebMetric
from rollouts.fetch import settings_from, stop, take
from rollouts.measure.web import Web
from rollouts.ports import (
    Asked,
    Flow,
    MeasurementError,
    NoData,
    Outcome,
    Pending,
    Provider,
    Reading,
    Request,
    SecretRef,
    Stopping,
    Verdict,
)
from tests.serving import serving

SECRET = "marker-of-a-secret"  # noqa: S105 - it opens nothing
ASKED = Asked(
    datetime(2026, 1, 1, tzinfo=UTC),
    secrets={SecretRef("keys"): {"token": SECRET, "region": "eu", "address": "https://keys.example"}},
    settings={"DD_API_KEY": "another-marker", "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": "http://prometheus"},
)


class Nothing(Model):
    """No settings."""


class Scripted(Provider[Nothing]):
    """Does what a test wants."""

    key = "scripted"
    model = Nothing

    def __init__(self, flow: Callable[[], Flow]) -> None:
        self._flow = flow

    def flow(self, spec: Nothing, asked: Asked) -> Flow:
        del spec, asked
        return self._flow()

    def terminate(self, spec: Nothing, asked: Asked) -> Stopping:
        del spec, asked
        yield from self._flow()


def returning(outcome: Any) -> Scripted:
    def flow() -> Flow:
        yield from ()
        returned: Outcome = outcome
        return returned

    return Scripted(flow)


async def test_a_built_in_provider_measures(session: aiohttp.ClientSession) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"data": {"ok": 0.5}})

    async with serving(answer) as url:
        spec = parse(WebMetric, {"url": url, "jsonPath": "{$.data.ok}"})
        assert await take(Web(), spec, ASKED, session) == Reading(0.5, "0.5")


@pytest.mark.parametrize(
    "outcome",
    [
        Reading(1, f"a {SECRET}", {"b": f"c another-marker {SECRET}"}),
        NoData(f"a {SECRET}", value=SECRET, error=f"{SECRET}", metadata={"a": SECRET}),
        Verdict("Failed", SECRET, f"b {SECRET}", {"a": "another-marker"}),
        Pending(timedelta(seconds=15), {"a": SECRET}),
        Reading(1, f"a {b64encode(SECRET.encode()).decode()}"),
    ],
)
async def test_secrets_are_masked_wherever_a_provider_puts_them(
    outcome: Outcome, session: aiohttp.ClientSession
) -> None:
    shown = repr(await take(returning(outcome), Nothing(), ASKED, session))
    assert SECRET not in shown
    assert b64encode(SECRET.encode()).decode() not in shown
    assert "another-marker" not in shown
    assert "*****" in shown


async def test_what_is_no_secret_stays(session: aiohttp.ClientSession) -> None:
    outcome = Reading(1, "eu of https://keys.example and http://prometheus")
    assert await take(returning(outcome), Nothing(), ASKED, session) == outcome


@pytest.mark.parametrize("error", [MeasurementError(f"{SECRET} is wrong"), KeyError(SECRET), SystemError(SECRET)])
async def test_errors_tell_no_secret(error: Exception, session: aiohttp.ClientSession) -> None:
    def flow() -> Flow:
        yield from ()
        raise error

    for call in (take, stop):
        with pytest.raises(MeasurementError) as caught:
            await call(Scripted(flow), Nothing(), ASKED, session)
        assert SECRET not in str(caught.value)
        assert "is wrong" in str(caught.value) or "'scripted' is broken" in str(caught.value)


@pytest.mark.parametrize("rubbish", [None, 1.5, "text", {}])
async def test_rubbish_is_an_error_of_the_measurement(rubbish: object, session: aiohttp.ClientSession) -> None:
    with pytest.raises(MeasurementError, match="'scripted' is broken: it returned"):
        await take(returning(rubbish), Nothing(), ASKED, session)


async def test_a_request_that_is_none_is_an_error_of_the_measurement(session: aiohttp.ClientSession) -> None:
    def flow() -> Flow:
        yield "https://keys.example"  # type: ignore[misc] # a stranger's code does this
        return Reading(1, "1")

    with pytest.raises(MeasurementError, match="'scripted' is broken"):
        await take(Scripted(flow), Nothing(), ASKED, session)


async def test_a_flow_that_never_ends_is_given_up(session: aiohttp.ClientSession) -> None:
    closed: list[bool] = []

    async def answer(_: web.Request) -> web.Response:
        return web.Response()

    async with serving(answer) as url:

        def flow() -> Flow:
            try:
                while True:
                    yield Request("GET", url)
            finally:
                closed.append(True)

        with pytest.raises(MeasurementError, match="given up after 20 requests"):
            await take(Scripted(flow), Nothing(), ASKED, session)
    assert closed == [True]


def test_settings_are_those_that_providers_use(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("jwt\n")
    environment = {
        "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": "http://prometheus",
        "HOME": "/root",
        "DD_API_KEY": "",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
    }
    assert settings_from(environment) == {
        "ARGO_ROLLOUTS_PROMETHEUS_ADDRESS": "http://prometheus",
        "AWS_WEB_IDENTITY_TOKEN": "jwt",
    }
    assert settings_from({"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "gone")}) == {}
