import asyncio
import contextlib
import copy
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from rollouts.kube.client import Api
from rollouts.kube.errors import Conflict, NotFound, Unreachable
from rollouts.kube.lease import LeaderElector, LeadershipLost
from rollouts.kube.resources import LEASES, Resource
from tests.kube.scripted_server import Server, answer, refuse


class LeaseServer:
    """One lease with optimistic locking, as an API server keeps it; it can be cut off from some electors."""

    def __init__(self) -> None:
        self.lease: dict[str, Any] | None = None
        self.version = 0
        self.writes = 0
        self.cut_off: set[str] = set()

    def of(self, identity: str) -> Api:
        return cast("Api", LeaseApi(self, identity))

    def store(self, body: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        self.writes += 1
        self.lease = copy.deepcopy(body)
        self.lease["metadata"]["resourceVersion"] = str(self.version)
        return copy.deepcopy(self.lease)

    @property
    def spec(self) -> dict[str, Any]:
        assert self.lease is not None
        spec: dict[str, Any] = self.lease["spec"]
        return spec


class LeaseApi:
    def __init__(self, server: LeaseServer, identity: str) -> None:
        self.server = server
        self.identity = identity

    async def travel(self) -> None:
        await asyncio.sleep(0.05)
        if self.identity in self.server.cut_off:
            raise Unreachable("cut off")

    async def get(self, _: Resource, namespace: str, name: str) -> dict[str, Any]:
        await self.travel()
        assert (namespace, name) == ("system", "lock")
        if self.server.lease is None:
            raise NotFound("no lease")
        return copy.deepcopy(self.server.lease)

    async def create(self, _: Resource, __: str, body: dict[str, Any]) -> dict[str, Any]:
        await self.travel()
        if self.server.lease is not None:
            raise Conflict("already there")
        return self.server.store(body)

    async def replace(self, _: Resource, __: str, ___: str, body: dict[str, Any]) -> dict[str, Any]:
        await self.travel()
        if self.server.lease is None or body["metadata"]["resourceVersion"] != str(self.server.version):
            raise Conflict("changed")
        return self.server.store(body)


class Leaders:
    """Who leads when; asserts that it is never two."""

    def __init__(self) -> None:
        self.leading: set[str] = set()
        self.history: list[tuple[str, float]] = []

    def work(self, identity: str, stopping: float = 0.0) -> Callable[[], Awaitable[None]]:
        async def lead() -> None:
            assert not self.leading
            self.leading.add(identity)
            self.history.append((identity, asyncio.get_running_loop().time()))
            try:
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(stopping)
                self.leading.remove(identity)

        return lead


def elector(server: LeaseServer, identity: str, **options: Any) -> LeaderElector:
    return LeaderElector(server.of(identity), "system", "lock", identity, **options)


@contextlib.asynccontextmanager
async def running(task: asyncio.Task[None]) -> AsyncIterator[asyncio.Task[None]]:
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


pytestmark = pytest.mark.filterwarnings("error")


@pytest.mark.looptime
async def test_the_first_elector_creates_the_lease_and_renews_it() -> None:
    server, leaders = LeaseServer(), Leaders()
    wall = datetime(2026, 1, 1, tzinfo=UTC)

    def now() -> datetime:
        return wall + timedelta(seconds=asyncio.get_running_loop().time())

    async with running(asyncio.create_task(elector(server, "a", now=now).run(leaders.work("a")))):
        await asyncio.sleep(1)
        acquired = server.spec["acquireTime"]
        assert server.spec == {
            "holderIdentity": "a",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 0,
            "acquireTime": acquired,
            "renewTime": acquired,
        }
        await asyncio.sleep(60)
        assert server.spec["acquireTime"] == acquired
        assert acquired < server.spec["renewTime"] <= "2026-01-01T00:01:01.000000Z"
        assert 28 <= server.writes <= 31


@pytest.mark.looptime
async def test_who_stands_by_says_so_once_and_for_whom() -> None:
    server, leaders = LeaseServer(), Leaders()
    async with running(asyncio.create_task(elector(server, "a").run(leaders.work("a")))):
        await asyncio.sleep(1)
        with capture_logs() as logs:
            async with running(asyncio.create_task(elector(server, "b").run(leaders.work("b")))):
                await asyncio.sleep(60)
        told = [(log["identity"], log["holder"]) for log in logs if log["event"] == "standing by"]
        assert told == [("b", "a")]


@pytest.mark.looptime
async def test_a_clean_stop_releases_and_the_next_takes_over_within_a_few_seconds() -> None:
    server, leaders = LeaseServer(), Leaders()
    first = asyncio.create_task(elector(server, "a").run(leaders.work("a", stopping=30)))
    await asyncio.sleep(1)
    async with running(asyncio.create_task(elector(server, "b").run(leaders.work("b")))):
        await asyncio.sleep(20)
        first.cancel()
        await asyncio.sleep(29)
        assert leaders.leading == {"a"}  # still stopping, still renewing
        await asyncio.sleep(6)

        assert first.cancelled()
        assert leaders.leading == {"b"}
        assert server.spec["leaseTransitions"] == 1


@pytest.mark.looptime
async def test_release_writes_an_empty_holder_and_one_second() -> None:
    server, leaders = LeaseServer(), Leaders()
    async with running(asyncio.create_task(elector(server, "a").run(leaders.work("a")))):
        await asyncio.sleep(5)

    assert server.spec["holderIdentity"] == ""
    assert server.spec["leaseDurationSeconds"] == 1
    assert server.spec["leaseTransitions"] == 0


@pytest.mark.looptime
async def test_a_dead_leaders_lease_is_taken_when_it_has_stood_unchanged_for_its_duration() -> None:
    server, leaders = LeaseServer(), Leaders()
    record = {"holderIdentity": "dead", "leaseDurationSeconds": 15, "leaseTransitions": 4}
    # Neither a time far in the future nor one in the past says anything: clocks differ.
    server.store({"metadata": {}, "spec": {**record, "renewTime": "2099-01-01T00:00:00.000000Z"}})

    async with running(asyncio.create_task(elector(server, "b").run(leaders.work("b")))):
        await asyncio.sleep(14.9)
        assert leaders.leading == set()
        await asyncio.sleep(5.1)
        assert leaders.leading == {"b"}

    assert server.spec["leaseTransitions"] == 5


@pytest.mark.looptime
async def test_a_leader_that_is_cut_off_stops_before_anybody_else_starts() -> None:
    server, leaders = LeaseServer(), Leaders()
    first = asyncio.create_task(elector(server, "a").run(leaders.work("a", stopping=4)))
    await asyncio.sleep(3)
    async with running(asyncio.create_task(elector(server, "b").run(leaders.work("b")))):
        await asyncio.sleep(9)
        cut_at = asyncio.get_running_loop().time()
        server.cut_off = {"a"}
        with pytest.raises(LeadershipLost):
            await first
        assert asyncio.get_running_loop().time() - cut_at <= 10 + 4 + 2.1
        await asyncio.sleep(20)

    assert [identity for identity, _ in leaders.history] == ["a", "b"]
    assert 13 <= leaders.history[1][1] - cut_at <= 20


@pytest.mark.looptime
async def test_a_short_outage_costs_nothing() -> None:
    server, leaders = LeaseServer(), Leaders()
    async with running(asyncio.create_task(elector(server, "a").run(leaders.work("a")))):
        await asyncio.sleep(3)
        server.cut_off = {"a"}
        await asyncio.sleep(7)
        server.cut_off = set()
        await asyncio.sleep(60)

        assert leaders.leading == {"a"}


@pytest.mark.looptime
async def test_a_usurped_leader_stops_at_once() -> None:
    server, leaders = LeaseServer(), Leaders()
    task = asyncio.create_task(elector(server, "a").run(leaders.work("a")))
    await asyncio.sleep(3)
    assert server.lease is not None
    server.store({**server.lease, "spec": {**server.spec, "holderIdentity": "z"}})

    with pytest.raises(LeadershipLost):
        await asyncio.wait_for(task, 3)
    assert server.spec["holderIdentity"] == "z"


@pytest.mark.looptime
@pytest.mark.parametrize("seed", range(4))
async def test_of_three_electors_and_random_outages_never_two_lead(seed: int) -> None:
    random.seed(seed)  # for the electors' jitter
    rng = random.Random(seed)  # noqa: S311 - a failure can be repeated
    server, leaders = LeaseServer(), Leaders()

    async def replica(identity: str) -> None:
        while True:
            with contextlib.suppress(LeadershipLost):
                await elector(server, identity).run(leaders.work(identity, stopping=rng.uniform(0, 4)))

    async with contextlib.AsyncExitStack() as stack:
        for identity in "abc":
            await stack.enter_async_context(running(asyncio.create_task(replica(identity))))
        for _ in range(40):
            server.cut_off = {identity for identity in "abc" if rng.random() < 0.3}
            await asyncio.sleep(rng.uniform(1, 25))
            assert len(leaders.leading) <= 1

    assert len(leaders.history) > 3


@pytest.mark.looptime
async def test_work_that_ends_or_fails_releases_the_lease() -> None:
    server = LeaseServer()

    async def done() -> None:
        await asyncio.sleep(1)

    async def broken() -> None:
        raise RuntimeError("a bug")

    await elector(server, "a").run(done)
    assert server.spec["holderIdentity"] == ""
    with pytest.raises(RuntimeError, match="a bug"):
        await elector(server, "b").run(broken)
    assert server.spec["holderIdentity"] == ""
    assert server.spec["leaseTransitions"] == 1


def test_impossible_settings_are_refused() -> None:
    server = LeaseServer()
    with pytest.raises(ValueError, match="renew_deadline 20"):
        elector(server, "a", renew_deadline=20)
    with pytest.raises(ValueError, match="identity"):
        elector(server, "")


async def test_over_http_it_is_a_lease_of_coordination_v1(server: Server, api: Api) -> None:
    lease = {"metadata": {"name": "lock", "resourceVersion": "1"}, "spec": {"holderIdentity": "a"}}
    server.then(refuse(404, "NotFound"), answer(lease, 201), answer(lease), answer(lease))

    async def lead() -> None:
        pass

    await LeaderElector(api, "system", "lock", "a").run(lead)

    assert [request.method for request in server.requests] == ["GET", "POST", "GET", "PUT"]
    assert server.requests[3].path == LEASES.path("system", "lock")
