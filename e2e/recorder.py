"""Which states does a Rollout pass through, every one of them?"""

import asyncio
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import aiohttp

from e2e.stream import follow
from e2e.waiting import end, eventually

Json = dict[str, Any]
NOISE = ("resourceVersion", "managedFields")


class Recorder:
    """An asynchronous context manager: keeps each distinct state of a namespace's Rollouts, in order."""

    def __init__(self, api: aiohttp.ClientSession, namespace: str) -> None:
        self._api = api
        self._path = f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/rollouts"
        self._task: asyncio.Task[None] | None = None
        self._follows = False
        self.states: list[Json] = []

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._record())
        await eventually(self._has_begun, what="the recorder's first list")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._task is not None
        await end(self._task)

    def take_in(self, objects: list[Json]) -> None:
        """Keep what hasn't been seen yet."""
        for each in objects:
            metadata = {name: value for name, value in each["metadata"].items() if name not in NOISE}
            state = {**each, "metadata": metadata}
            if state not in self.states:
                self.states.append(state)

    async def _has_begun(self) -> bool:
        assert self._task is not None
        if self._task.done():
            self._task.result()
        return self._follows

    async def _record(self) -> None:
        async with aclosing(follow(self._api, self._path)) as changes:
            async for change in changes:
                self._follows = True
                if change.kind != "DELETED":
                    self.take_in(change.objects)
