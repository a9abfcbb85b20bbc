"""Who asks, and who answers? Requests at a steady pace, counted by the version that answers and the route they took."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass

import aiohttp

from rollouts.cli.errors import CommandError
from rollouts.devcluster.answering import IMAGE
from rollouts.devcluster.gateway.translate import ROUTE

_CLIENTS = 8
_PAUSE = 0.04  # of each client, between two requests: 200 in a second
_TIMEOUT = 15.0  # of one request; it is lost then
_REMEMBERED = 10.0  # seconds of single answers
_FIRST_ANSWER = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    at: float
    image: str
    generation: int  # of the HTTPRoute by which the request was sent
    is_error: bool


class Requests:
    """Clients of a service: real ones, over HTTP."""

    def __init__(self) -> None:
        self.total = 0
        self.lost: list[str] = []  # what was said of requests that nobody answered
        self.answers: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.by_generation: dict[int, Counter[str]] = {}
        self.listeners: list[Callable[[Answer], None]] = []
        self._latest: deque[Answer] = deque()

    @contextlib.asynccontextmanager
    async def sent(self, url: str) -> AsyncIterator[None]:
        """Send them from the first good answer on, until left; all that were sent are answered then, or lost."""
        stop = asyncio.Event()
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            await _answered(session, url)
            clients = [asyncio.create_task(self._client(session, url, stop)) for _ in range(_CLIENTS)]
            try:
                yield
            finally:
                stop.set()
                await asyncio.gather(*clients)

    async def _client(self, session: aiohttp.ClientSession, url: str, stop: asyncio.Event) -> None:
        while not stop.is_set():
            await self._ask(session, url)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PAUSE):
                    await stop.wait()

    async def _ask(self, session: aiohttp.ClientSession, url: str) -> None:
        self.total += 1
        try:
            async with session.get(url) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.lost.append(repr(error))
            return
        image = answer.headers.get(IMAGE)
        if image is None:  # no pod has answered: Envoy has, for want of one
            self.lost.append(f"{answer.status} {answer.reason}")
            return
        generation = int(answer.headers[ROUTE].rpartition("@")[2])
        self._count(Answer(time.monotonic(), image, generation, answer.status >= 500))

    def _count(self, answer: Answer) -> None:
        self.answers[answer.image] += 1
        self.errors[answer.image] += answer.is_error
        self.by_generation.setdefault(answer.generation, Counter())[answer.image] += 1
        self._latest.append(answer)
        while self._latest[0].at < answer.at - _REMEMBERED:
            self._latest.popleft()
        for listener in self.listeners:
            listener(answer)

    def latest(self, image: str, seconds: float) -> Iterator[Answer]:
        """Yield the answers of a version in the last seconds."""
        since = time.monotonic() - seconds
        return (each for each in self._latest if each.image == image and each.at >= since)


async def _answered(session: aiohttp.ClientSession, url: str) -> None:
    """Wait until there is somebody to ask."""
    try:
        async with asyncio.timeout(_FIRST_ANSWER):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(url) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise CommandError(f"nobody answers at {url}") from None
