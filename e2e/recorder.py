"""Which states do Rollouts, and what they make to be measured, pass through, every one of them?"""

import asyncio
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self

import aiohttp

from e2e.stream import follow
from e2e.waiting import end, eventually

Json = dict[str, Any]
NOISE = ("resourceVersion", "managedFields")
RESOURCES = ("rollouts", "analysisruns", "experiments")


class Recorder:
    """An asynchronous context manager: keeps each distinct state of a namespace's objects, in order."""

    def __init__(self, api: aiohttp.ClientSession, namespace: str) -> None:
        self._api = api
        self._path = f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}"
        self._tasks: list[asyncio.Task[None]] = []
        self._followed: set[str] = set()
        self._kept: dict[str, list[Json]] = {resource: [] for resource in RESOURCES}

    @property
    def states(self) -> list[Json]:
        """Those of Rollouts."""
        return self._kept["rollouts"]

    @property
    def runs(self) -> list[Json]:
        """Those of AnalysisRuns."""
        return self._kept["analysisruns"]

    @property
    def experiments(self) -> list[Json]:
        """Those of Experiments."""
        return self._kept["experiments"]

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._record(resource)) for resource in RESOURCES]
        await eventually(self._has_begun, what="the recorder's first lists")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end(*self._tasks)

    def _take_in(self, resource: str, objects: list[Json]) -> None:
        """Keep what hasn't been seen yet."""
        kept = self._kept[resource]
        for each in objects:
            metadata = {name: value for name, value in each["metadata"].items() if name not in NOISE}
            state = {**each, "metadata": metadata}
            if state not in kept:
                kept.append(state)

    async def _has_begun(self) -> bool:
        for task in self._tasks:
            if task.done():
                task.result()
        return self._followed == set(RESOURCES)

    async def _record(self, resource: str) -> None:
        async with aclosing(follow(self._api, f"{self._path}/{resource}")) as changes:
            async for change in changes:
                self._followed.add(resource)
                if change.kind != "DELETED":
                    self._take_in(resource, change.objects)
