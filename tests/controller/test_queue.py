import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from rollouts.controller.queue import Queue

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


class Counts:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.waits: list[float] = []
        self.runs: list[float] = []

    def added(self) -> None:
        self.told.append("added")

    def taken(self, waited: float) -> None:
        self.waits.append(waited)

    def finished(self, worked: float) -> None:
        self.runs.append(worked)

    def retried(self) -> None:
        self.told.append("retried")


@asynccontextmanager
async def running(queue: Queue[str], work: Callable[[str], Awaitable[None]]) -> AsyncIterator[None]:
    task = asyncio.create_task(queue.run(work))
    yield
    queue.close()
    await task


def now() -> float:
    return round(asyncio.get_running_loop().time(), 3)


async def test_keys_are_worked_on_at_once_and_in_parallel_up_to_the_limit() -> None:
    begun: list[tuple[float, str]] = []

    async def work(key: str) -> None:
        begun.append((now(), key))
        await asyncio.sleep(1)

    counts = Counts()
    queue: Queue[str] = Queue(counts, workers=2)
    async with running(queue, work):
        for key in "abcd":
            queue.add(key)
        await asyncio.sleep(5)
    assert begun == [(0, "a"), (0, "b"), (1, "c"), (1, "d")]
    assert counts.waits == [0, 0, 1, 1]
    assert counts.runs == [1, 1, 1, 1]
    assert counts.told == ["added"] * 4


async def test_wakes_come_at_their_time_earliest_first() -> None:
    begun: list[tuple[float, str]] = []

    async def work(key: str) -> None:
        begun.append((now(), key))

    queue: Queue[str] = Queue(Counts(), workers=1)
    async with running(queue, work):
        queue.wake("late", 30)
        queue.wake("soon", 2)
        queue.wake("late", 7)
        await asyncio.sleep(100)
    assert begun == [(2, "soon"), (7, "late")]


async def test_a_key_comes_back_after_its_back_off() -> None:
    begun: list[float] = []
    counts = Counts()
    queue: Queue[str] = Queue(counts, workers=1)

    async def work(key: str) -> None:
        begun.append(now())
        if len(begun) < 5:
            queue.retry(key)
        else:
            queue.succeeded(key)

    async with running(queue, work):
        queue.add("a")
        await asyncio.sleep(20)
    assert begun == [0, 0.005, 0.015, 0.035, 0.075]
    assert counts.told.count("retried") == 4


async def test_a_change_during_a_run_leads_to_one_more_run() -> None:
    begun: list[float] = []
    queue: Queue[str] = Queue(Counts(), workers=4)

    async def work(key: str) -> None:
        begun.append(now())
        if len(begun) == 1:
            await asyncio.sleep(1)
            queue.add(key)
            queue.add(key)
            await asyncio.sleep(1)

    async with running(queue, work):
        queue.add("a")
        await asyncio.sleep(9)
    assert begun == [0, 2]


async def test_closing_lets_the_present_runs_finish_and_takes_no_more() -> None:
    ended: list[str] = []

    async def work(key: str) -> None:
        await asyncio.sleep(3)
        ended.append(key)

    queue: Queue[str] = Queue(Counts(), workers=1)
    task = asyncio.create_task(queue.run(work))
    queue.add("a")
    queue.add("b")
    await asyncio.sleep(1)
    assert queue.running == 1
    queue.close()
    await task
    assert ended == ["a"]
    assert now() == 3


async def test_ten_thousand_sleeping_keys_need_one_timer() -> None:
    loop = asyncio.get_running_loop()
    count = 0

    async def work(key: str) -> None:
        nonlocal count
        count += bool(key)

    queue: Queue[str] = Queue(Counts(), workers=16)
    async with running(queue, work):
        for index in range(10_000):
            queue.wake(str(index), 10 + index % 5)
        assert queue._timer is not None
        assert queue._timer.when() - loop.time() == pytest.approx(10, abs=0.01)
        await asyncio.sleep(30)
    assert count == 10_000
