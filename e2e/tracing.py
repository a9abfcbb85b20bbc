"""What has become of a Rollout, as the API server tells it? Every version of it and of what belongs to it, in order.

The server counts all its writes: a resourceVersion tells which of two writes of different kinds came first.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import aiohttp

from e2e.stream import follow
from rollouts.sim.trace import Trace, Tracer

Json = dict[str, Any]
ROLLOUTS, REPLICA_SETS, EVENTS = "rollouts", "replicasets", "events"
_PREFIXES = {ROLLOUTS: "/apis/argoproj.io/v1alpha1", REPLICA_SETS: "/apis/apps/v1", EVENTS: "/api/v1"}


class Tracing:
    """Records one Rollout in a namespace of its own."""

    def __init__(self, api: aiohttp.ClientSession, namespace: str, name: str) -> None:
        self._api = api
        self._namespace = namespace
        self._name = name
        self._seen: dict[tuple[int, str, str], Json | None] = {}
        self._acts: list[int] = []
        self.latest = 0.0

    @asynccontextmanager
    async def recording(self) -> AsyncIterator["Tracing"]:
        """Record inside the block."""
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self._follow(kind)) for kind in _PREFIXES]
            try:
                yield self
            finally:
                for task in running:
                    task.cancel()

    async def act(self) -> None:
        """Note that somebody is about to do something."""
        async with self._api.get(self._path(ROLLOUTS)) as answer:
            self._acts.append(int((await answer.json())["metadata"]["resourceVersion"]))

    def writes_since_the_act(self) -> int:
        """Count the versions of the Rollout since somebody did something last: his own is one of them."""
        return sum(kind == ROLLOUTS and version > self._acts[-1] for version, kind, _ in self._seen)

    def trace(self) -> Trace:
        """Return the trace of what was recorded."""
        tracer, acts = Tracer(), sorted(self._acts)
        rollout: Json | None = None
        replica_sets: dict[str, Json] = {}
        told: dict[str, int] = {}
        for (version, kind, name), obj in sorted(self._seen.items()):
            while acts and acts[0] < version:
                acts.pop(0)
                tracer.act()
            if kind == EVENTS:
                if obj is not None and obj["involvedObject"].get("kind") == "Rollout":
                    for _ in range(obj.get("count", 1) - told.get(name, 0)):
                        tracer.tell(obj["reason"], obj["message"])
                    told[name] = obj.get("count", 1)
                continue
            if kind == ROLLOUTS:
                rollout = obj
            elif obj is None:
                replica_sets.pop(name, None)
            else:
                replica_sets[name] = obj
            if rollout is not None:
                tracer.see(rollout, replica_sets.values())
        return tracer.trace()

    def _path(self, kind: str) -> str:
        return f"{_PREFIXES[kind]}/namespaces/{self._namespace}/{kind}"

    async def _follow(self, kind: str) -> None:
        async with aclosing(follow(self._api, self._path(kind))) as changes:
            async for change in changes:
                for obj in change.objects:
                    metadata = obj["metadata"]
                    key = int(metadata["resourceVersion"]), kind, metadata["name"]
                    self._seen[key] = None if change.kind == "DELETED" else obj
                    self.latest = asyncio.get_running_loop().time()
