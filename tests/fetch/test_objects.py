"""What may a provider ask an API server, and what happens when it asks for more?"""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from rollouts.api.base import Model
from rollouts.fetch import stop, take
from rollouts.ports import (
    Asked,
    CreateObject,
    DeleteObject,
    Flow,
    Home,
    ListObjects,
    MeasurementError,
    ObjectAnswer,
    ObjectError,
    ObjectKind,
    ObjectRequest,
    Provider,
    Reading,
    ReadObject,
    ReadPath,
    Stopping,
)
from tests.measure.driving import NOW

PODS = ObjectKind("", "v1", "pods", "Pod")
SECRETS = ObjectKind("", "v1", "secrets", "Secret")
ASKED = Asked(NOW, "shop")


class Nothing(Model):
    """No settings."""


class Looking(Provider[Nothing]):
    """Asks what a test wants."""

    key = "looking"
    model = Nothing
    objects = {PODS: frozenset({"get", "list", "create"})}  # noqa: RUF012 - as the superclass has it
    paths = ("/apis/metrics.example/v1/namespaces/{namespace}/",)

    def __init__(self, request: ObjectRequest, handle: Callable[[ObjectError], Any] | None = None) -> None:
        self.request = request
        self.handle = handle

    def flow(self, spec: Nothing, asked: Asked) -> Flow:
        del spec, asked
        try:
            answer = yield self.request
        except ObjectError as error:
            if self.handle is None:
                raise
            answer = self.handle(error)
        return Reading(answer, "")

    def terminate(self, spec: Nothing, asked: Asked) -> Stopping:
        del spec, asked
        yield self.request


class Server:
    """Remembers what it is asked."""

    def __init__(self, answer: ObjectAnswer = None, error: MeasurementError | None = None) -> None:
        self.asked: list[tuple[ObjectRequest, Home]] = []
        self.answer = answer
        self.error = error

    async def __call__(self, request: ObjectRequest, home: Home) -> ObjectAnswer:
        self.asked.append((request, home))
        if self.error is not None:
            raise self.error
        return self.answer


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (ReadObject(PODS, "web-1"), {"kind": "Pod"}),
        (ReadObject(PODS, "web-1"), None),
        (ListObjects(PODS, "app=web"), [{"kind": "Pod"}]),
        (CreateObject(PODS, {"metadata": {"name": "a"}}), {"kind": "Pod"}),
        (CreateObject(PODS, {"metadata": {"name": "a", "namespace": "shop"}}), {"kind": "Pod"}),
        (ReadPath("/apis/metrics.example/v1/namespaces/shop/errors"), {"items": []}),
    ],
)
async def test_what_is_declared_is_answered(
    request_: ObjectRequest, answer: ObjectAnswer, session: aiohttp.ClientSession
) -> None:
    server = Server(answer)
    assert await take(Looking(request_), Nothing(), ASKED, session, server) == Reading(answer, "")
    assert server.asked == [(request_, Home("shop"))]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (ReadObject(SECRETS, "keys"), "the metric provider 'looking' may not get secrets"),
        (DeleteObject(PODS, "web-1"), "the metric provider 'looking' may not delete pods"),
        (
            CreateObject(PODS, {"metadata": {"name": "a", "namespace": "kube-system"}}),
            "the metric provider 'looking' may create objects in shop only",
        ),
        (
            ReadPath("/apis/metrics.example/v1/namespaces/bank/errors"),
            "the metric provider 'looking' may not read /apis/metrics.example/v1/namespaces/bank/errors",
        ),
        (
            ReadPath("/apis/metrics.example/v1/namespaces/shop/..%2Fbank/errors"),
            "the metric provider 'looking' may not read /apis/metrics.example/v1/namespaces/shop/..%2Fbank/errors",
        ),
    ],
)
async def test_anything_else_is_refused(request_: ObjectRequest, error: str, session: aiohttp.ClientSession) -> None:
    server = Server()
    with pytest.raises(MeasurementError) as raised:
        await take(Looking(request_), Nothing(), ASKED, session, server)
    assert str(raised.value) == error
    assert server.asked == []


async def test_no_namespace_doesn_t_mean_all_of_them(session: aiohttp.ClientSession) -> None:
    server = Server()
    with pytest.raises(MeasurementError, match="is at home in no namespace"):
        await take(Looking(ListObjects(PODS)), Nothing(), Asked(NOW, ""), session, server)
    assert server.asked == []


async def test_without_a_cluster_it_is_said(session: aiohttp.ClientSession) -> None:
    with pytest.raises(MeasurementError, match="there is no cluster here to look at"):
        await take(Looking(ReadObject(PODS, "web-1")), Nothing(), ASKED, session)


async def test_a_refusal_reaches_the_flow_which_may_go_on(session: aiohttp.ClientSession) -> None:
    server = Server(error=ObjectError("pods are none of your business", "Forbidden"))
    request = ReadObject(PODS, "web-1")
    outcome = await take(Looking(request, lambda error: error.reason), Nothing(), ASKED, session, server)
    assert outcome == Reading("Forbidden", "")
    with pytest.raises(MeasurementError, match="none of your business"):
        await take(Looking(request), Nothing(), ASKED, session, server)


async def test_what_was_begun_is_stopped_by_requests_too(session: aiohttp.ClientSession) -> None:
    server = Server()
    await stop(Looking(ReadObject(PODS, "web-1")), Nothing(), ASKED, session, server)
    assert server.asked == [(ReadObject(PODS, "web-1"), Home("shop"))]
