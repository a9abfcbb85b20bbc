"""Whom does a Service reach at each moment, in a view that no race between two reads can blur?

Pods and the Service are followed side by side, and their versions put into one order by resourceVersion, which is the
order in which the API server took the writes. What stands at any place of that order was true at one moment.
"""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson

from e2e.stream import follow
from e2e.waiting import end, eventually

Json = dict[str, Any]


@dataclass(frozen=True)
class Moment:
    """How many ready pods the Service reached after a write, and which write that was."""

    version: int
    reached: int
    what: str


class Reach:
    """An asynchronous context manager: keeps every version of one Service and of all pods of its namespace."""

    def __init__(self, api: aiohttp.ClientSession, namespace: str, service: str) -> None:
        self._api = api
        self._service = service
        self._paths = {kind: f"/api/v1/namespaces/{namespace}/{kind}" for kind in ("pods", "services")}
        self._history: dict[int, tuple[str, str, Json | None]] = {}
        self._begins = 0
        self._listed: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._follow(kind)) for kind in self._paths]
        await eventually(self._is_listed, what="the first lists")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await end(*self._tasks)

    async def moments(self) -> list[Moment]:
        """Return what was true after each write, up to now."""
        await eventually(self._is_current, what="the watches have caught up")
        return [moment for moment in self._replay() if moment.version >= self._begins]

    async def fewest(self) -> Moment:
        """Return the moment with the fewest pods."""
        return min(await self.moments(), key=lambda moment: moment.reached)

    async def _follow(self, kind: str) -> None:
        async with aclosing(follow(self._api, self._paths[kind])) as changes:
            async for change in changes:
                assert change.kind != "LOST", f"{kind} can't be followed"
                assert change.kind != "LISTED" or kind not in self._listed, f"the history of {kind} was lost"
                for obj in change.objects:
                    version = int(obj["metadata"]["resourceVersion"])
                    what = None if change.kind == "DELETED" else obj
                    self._history[version] = (kind, obj["metadata"]["name"], what)
                    if change.kind == "LISTED":
                        self._begins = max(self._begins, version)
                self._listed.add(kind)

    async def _is_listed(self) -> bool:
        for task in self._tasks:
            if task.done():
                task.result()
        return len(self._listed) == len(self._paths)

    async def _is_current(self) -> bool:
        await self._is_listed()
        for path in self._paths.values():
            async with self._api.get(path, raise_for_status=True) as answer:
                items = orjson.loads(await answer.read())["items"]
            if any(int(item["metadata"]["resourceVersion"]) not in self._history for item in items):
                return False
        return True

    def _replay(self) -> Iterator[Moment]:
        pods: dict[str, Json] = {}
        selector: Json = {}
        for version, (kind, name, obj) in sorted(self._history.items()):
            if kind == "services" and name == self._service:
                selector = (obj or {}).get("spec", {}).get("selector") or {}
            elif kind == "pods" and obj is not None:
                pods[name] = obj
            elif kind == "pods":
                pods.pop(name, None)
            reached = sum(_is_reached(pod, selector) for pod in pods.values())
            yield Moment(version, reached, f"{kind} {name} {'deleted' if obj is None else 'written'}: {selector}")


def _is_reached(pod: Json, selector: Json) -> bool:
    """Tell whether a Service would send requests to a pod."""
    metadata = pod["metadata"]
    conditions = (pod.get("status") or {}).get("conditions") or ()
    is_ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
    return (
        bool(selector)
        and selector.items() <= metadata["labels"].items()
        and is_ready
        and "deletionTimestamp" not in metadata
    )
