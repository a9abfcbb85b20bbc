import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from aiohttp import web

from rollouts.kube.backoff import Backoff
from rollouts.kube.client import Api
from rollouts.kube.events import EventRecorder
from tests.kube.scripted_server import Server, answer, eventually, refuse, replica_set


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **duration: float) -> None:
        self.now += timedelta(**duration)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def recorder(api: Api, clock: Clock) -> EventRecorder:
    return EventRecorder(api, now=clock, backoff=lambda: Backoff(first=0.001), flush_timeout=30)


@contextlib.asynccontextmanager
async def sending(recorder: EventRecorder) -> AsyncIterator[None]:
    task = asyncio.create_task(recorder.run())
    try:
        yield
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def sent(server: Server) -> list[dict[str, Any]]:
    return [orjson.loads(body) for body in server.bodies]


async def test_an_event_carries_all_that_core_v1_wants(server: Server, recorder: EventRecorder) -> None:
    server.otherwise = answer({}, 201)
    async with sending(recorder):
        recorder.record(replica_set("web", 7), "Normal", "RolloutPaused", "Rollout is paused")
        await eventually(lambda: recorder.sent == 1)

    body = sent(server)[0]
    name = body["metadata"].pop("name")
    assert name.startswith("web.")
    assert int(name.removeprefix("web."), 16) > 0
    assert body.pop("reportingInstance")
    assert body == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"namespace": "shop"},
        "involvedObject": {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "namespace": "shop",
            "name": "web",
            "uid": "uid-web",
            "resourceVersion": "7",
        },
        "type": "Normal",
        "reason": "RolloutPaused",
        "action": "RolloutPaused",
        "message": "Rollout is paused",
        "count": 1,
        "firstTimestamp": "2026-01-02T03:04:05Z",
        "lastTimestamp": "2026-01-02T03:04:05Z",
        "eventTime": "2026-01-02T03:04:05.678901Z",
        "source": {"component": "rollouts-controller"},
        "reportingComponent": "rollouts-controller",
    }
    assert server.requests[0].path == "/api/v1/namespaces/shop/events"


async def test_events_of_one_pass_keep_their_order_by_name_too(server: Server, recorder: EventRecorder) -> None:
    server.otherwise = answer({}, 201)
    for number in range(20):
        recorder.record(replica_set("web", 1), "Normal", "Step", f"step {number}")
    async with sending(recorder):
        await eventually(lambda: recorder.sent == 20)

    bodies = sent(server)
    assert [body["message"] for body in bodies] == [f"step {number}" for number in range(20)]
    assert sorted(bodies, key=lambda body: str(body["metadata"]["name"])) == bodies


async def test_a_repetition_within_ten_minutes_counts_up(server: Server, recorder: EventRecorder, clock: Clock) -> None:
    server.otherwise = answer({})
    async with sending(recorder):
        for minutes in (0, 9, 9, 11):
            clock.pass_by(minutes=minutes)
            recorder.record(replica_set("web", 1), "Warning", "Refused", "no")
        recorder.record(replica_set("web", 1), "Warning", "Refused", "really not")
        await eventually(lambda: recorder.sent == 5)

    name = sent(server)[0]["metadata"]["name"]
    assert [request.method for request in server.requests] == ["POST", "PATCH", "PATCH", "POST", "POST"]
    assert sent(server)[2] == {"count": 3, "lastTimestamp": "2026-01-02T03:22:05Z"}
    assert server.requests[2].path == f"/api/v1/namespaces/shop/events/{name}"
    assert sent(server)[3]["count"] == 1


async def test_a_repetition_of_an_event_that_is_over_makes_it_again(server: Server, recorder: EventRecorder) -> None:
    server.then(answer({}, 201), refuse(404, "NotFound"), answer({}, 201))
    async with sending(recorder):
        for _ in range(2):
            recorder.record(replica_set("web", 1), "Normal", "Paused", "x")
        await eventually(lambda: recorder.sent == 2)

    assert sent(server)[2]["count"] == 2


async def test_a_talkative_object_is_cut_short_and_others_are_not(recorder: EventRecorder, clock: Clock) -> None:
    for number in range(120):
        recorder.record(replica_set("web", 1), "Normal", "Step", f"{number}")
    recorder.record(replica_set("db", 1), "Normal", "Step", "0")
    assert (recorder.waiting, recorder.dropped) == (101, 20)

    clock.pass_by(seconds=10)
    recorder.record(replica_set("web", 1), "Normal", "Step", "later")
    recorder.record(replica_set("web", 1), "Normal", "Step", "too soon")
    assert (recorder.waiting, recorder.dropped) == (102, 21)


async def test_a_warning_is_heard_from_the_most_talkative_object(recorder: EventRecorder) -> None:
    for number in range(120):
        recorder.record(replica_set("web", 1), "Normal", "Step", f"{number}")
    recorder.record(replica_set("web", 1), "Warning", "RolloutAborted", "Rollout aborted update to revision 2")

    assert (recorder.waiting, recorder.dropped) == (101, 20)


async def test_a_full_queue_drops_and_counts(api: Api) -> None:
    recorder = EventRecorder(api, queue=2)
    for number in range(5):
        recorder.record(replica_set("web", 1), "Normal", "Step", f"{number}")

    assert (recorder.waiting, recorder.dropped) == (2, 3)


async def test_rubbish_is_counted_not_raised(recorder: EventRecorder) -> None:
    recorder.record({"kind": "Rollout"}, "Normal", "Step", "x")

    assert (recorder.waiting, recorder.dropped) == (0, 1)


async def test_names_and_messages_keep_within_the_limits(server: Server, recorder: EventRecorder) -> None:
    server.otherwise = answer({}, 201)
    recorder.record(replica_set("a" * 253, 1), "Normal", "Step", "m" * 5000)
    async with sending(recorder):
        await eventually(lambda: recorder.sent == 1)

    assert len(sent(server)[0]["metadata"]["name"]) == 253
    assert len(sent(server)[0]["message"]) == 1024


async def test_refusals_are_swallowed_and_counted(server: Server, recorder: EventRecorder) -> None:
    server.then(refuse(404, "NotFound", 'namespaces "shop" not found'), refuse(403, "Forbidden"), answer({}, 201))
    async with sending(recorder):
        for number in range(3):
            recorder.record(replica_set("web", 1), "Normal", "Step", f"{number}")
        await eventually(lambda: recorder.waiting == 0)

    assert (recorder.sent, recorder.failed) == (1, 2)


async def test_sending_is_repeated_and_an_attempt_that_arrived_counts(server: Server, recorder: EventRecorder) -> None:
    server.then(refuse(500), refuse(409, "AlreadyExists"))
    async with sending(recorder):
        recorder.record(replica_set("web", 1), "Normal", "Step", "x")
        await eventually(lambda: recorder.sent == 1)

    assert sent(server)[0] == sent(server)[1]


async def test_what_waits_at_the_stop_is_still_sent(server: Server, recorder: EventRecorder) -> None:
    reached = asyncio.Event()

    async def hang(_: web.Request) -> web.StreamResponse:
        reached.set()
        await asyncio.Event().wait()
        return web.Response()

    server.then(hang)
    server.otherwise = answer({}, 201)
    async with sending(recorder):
        for number in range(3):
            recorder.record(replica_set("web", 1), "Normal", "Step", f"{number}")
        await reached.wait()

    assert [body["message"] for body in sent(server)] == ["0", "0", "1", "2"]
    assert (recorder.sent, recorder.waiting) == (3, 0)


async def test_the_stop_does_not_wait_for_ever(server: Server, api: Api) -> None:
    recorder = EventRecorder(api, flush_timeout=0.5)

    async def hang(_: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        return web.Response()

    server.otherwise = hang
    async with sending(recorder):
        recorder.record(replica_set("web", 1), "Normal", "Step", "x")
        await server.asked(1)

    assert (recorder.dropped, recorder.waiting) == (1, 0)
