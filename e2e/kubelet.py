"""Who binds the pods, runs their containers and says how they are, without a node to run them on?

A stand-in for kube-scheduler and kubelets: `python -m e2e.kubelet`. It runs as a program of its own, so that a busy or
blocked test never makes pods late.
"""

import argparse
import asyncio
import contextlib
import ipaddress
import itertools
import math
import os
import time
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from e2e import acting
from e2e.access import Access
from e2e.stream import follow

PODS = ipaddress.ip_network("10.244.0.0/16")
STRATEGIC = {"Content-Type": "application/strategic-merge-patch+json"}
RETRY_PAUSE = 0.2
GONE = {404, 409}  # the pod, or this incarnation of it, is no more


@dataclass
class Actor:
    """A pod as we play it."""

    pod: dict[str, Any]
    address: str
    started: float = 0.0  # of the monotonic clock
    started_at: str = ""
    task: asyncio.Task[None] | None = None
    leaving: bool = False


class Kubelet:
    """Plays every pod of the cluster: one short-lived task per change, none for a pod at rest."""

    def __init__(
        self, api: aiohttp.ClientSession, *, start_delay: float = 0.05, stop_delay: float = 0.05, nodes: int = 3
    ) -> None:
        self._api = api
        self._start_delay = start_delay
        self._stop_delay = stop_delay
        self._nodes = [f"node-{number}" for number in range(1, nodes + 1)]
        self._next_node = itertools.cycle(self._nodes)
        self._actors: dict[str, Actor] = {}
        self._taken: set[str] = set()
        self._addresses = itertools.cycle(map(str, PODS.hosts()))

    async def run(self) -> None:
        """Register the nodes and play until cancelled."""
        for number, name in enumerate(self._nodes, start=1):
            await self._register(name, f"10.0.0.{number}")
        async with asyncio.TaskGroup() as tasks, aclosing(follow(self._api, "/api/v1/pods")) as changes:
            async for change in changes:
                if change.kind == "LISTED":
                    self._forget_all_but({pod["metadata"]["uid"] for pod in change.objects})
                for pod in change.objects:
                    self._see(pod, tasks, deleted=change.kind == "DELETED")

    def _see(self, pod: dict[str, Any], tasks: asyncio.TaskGroup, *, deleted: bool) -> None:
        uid = pod["metadata"]["uid"]
        if deleted or acting.note(pod, "hands-off") == "true":
            self._forget(uid)
            return
        actor = self._actors.get(uid)
        if actor is None:
            actor = self._actors[uid] = Actor(pod, self._address(pod))
            self._set_task(actor, self._play(actor, was_ready=_is_ready(pod)), tasks)
        redirected = acting.direction(pod) != acting.direction(actor.pod)
        actor.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            if not actor.leaving:
                actor.leaving = True
                self._set_task(actor, self._leave(actor), tasks)
        elif redirected and actor.started:
            self._set_task(actor, self._act(actor), tasks)

    def _set_task(self, actor: Actor, work: Coroutine[Any, Any, None], tasks: asyncio.TaskGroup) -> None:
        if actor.task is not None:
            actor.task.cancel()
        actor.task = tasks.create_task(work)

    def _forget_all_but(self, present: set[str]) -> None:
        for uid in self._actors.keys() - present:
            self._forget(uid)

    def _forget(self, uid: str) -> None:
        if actor := self._actors.pop(uid, None):
            self._taken.discard(actor.address)
            if actor.task is not None:
                actor.task.cancel()

    def _address(self, pod: dict[str, Any]) -> str:
        address = pod.get("status", {}).get("podIP") or next(
            free for free in self._addresses if free not in self._taken
        )
        self._taken.add(address)
        return str(address)

    async def _play(self, actor: Actor, *, was_ready: bool) -> None:
        """Bind, start, act. A pod that was ready before we came is taken as it stands."""
        if actor.pod.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
            return
        if not actor.pod["spec"].get("nodeName") and not await self._bind(actor):
            return
        age = 0.0
        if was_ready:
            age = max(
                (part.ready_after for part in acting.parts(actor.pod) if part.ready_after < math.inf), default=0.0
            )
        else:
            await asyncio.sleep(self._start_delay)
        actor.started, actor.started_at = time.monotonic() - age, _now()
        await self._act(actor)

    async def _bind(self, actor: Actor) -> bool:
        metadata = actor.pod["metadata"]
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": metadata["name"], "uid": metadata["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": next(self._next_node)},
        }
        return await self._write("POST", f"{_path(actor.pod)}/binding", body)

    async def _act(self, actor: Actor) -> None:
        """Show scene after scene; end with the last."""
        while True:
            stage = acting.Stage(actor.address, "10.0.0.1", actor.started_at, _now())
            scene = acting.scene(actor.pod, time.monotonic() - actor.started, stage)
            status = {**scene.status, "observedGeneration": actor.pod["metadata"].get("generation", 1)}
            body = {"metadata": {"uid": actor.pod["metadata"]["uid"]}, "status": status}
            await self._perform(actor, scene)
            if not await self._write("PATCH", f"{_path(actor.pod)}/status", body, STRATEGIC):
                return
            if scene.until == math.inf:
                return
            await asyncio.sleep(max(0.0, scene.until - (time.monotonic() - actor.started)))

    async def _perform(self, actor: Actor, scene: acting.Scene) -> None:
        """Do what the status is about to say: nothing, where pods are only played."""

    async def _leave(self, actor: Actor) -> None:
        """The containers end when they are asked to, or when their grace is over; then the pod's object goes."""
        await asyncio.sleep(acting.stop_after(actor.pod, self._stop_delay))
        await self._end(actor)
        uid = actor.pod["metadata"]["uid"]
        body = {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}}
        await self._write("DELETE", _path(actor.pod), body)

    async def _end(self, actor: Actor) -> None:
        """End what `_perform` began, in order."""

    async def _register(self, name: str, address: str) -> None:
        node = {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
        }
        room = {"cpu": "1000", "memory": "1000Gi", "pods": "10000"}
        now = _now()
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }
        status = {
            "capacity": room,
            "allocatable": room,
            "conditions": [ready],
            "addresses": [{"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name}],
        }
        await self._write("POST", "/api/v1/nodes", node)
        await self._write("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, STRATEGIC)

    async def _write(self, method: str, path: str, body: dict[str, Any], headers: dict[str, str] | None = None) -> bool:
        """Write until the server has answered; False when there is nothing left to write to."""
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError, TimeoutError):
                async with self._api.request(method, path, json=body, headers=headers) as answer:
                    if answer.status < 400:
                        return True
                    if answer.status in GONE:
                        return False
                    print(f"{method} {path}: {answer.status} {await answer.text()}", flush=True)
                    if answer.status < 500 and answer.status != 429:
                        return False
            await asyncio.sleep(RETRY_PAUSE)


def _path(pod: dict[str, Any]) -> str:
    return f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod.get("status", {}).get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _run(access: Access, start_delay: float, stop_delay: float, nodes: int) -> None:
    async with access.session(connections=50) as api:
        await Kubelet(api, start_delay=start_delay, stop_delay=stop_delay, nodes=nodes).run()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m e2e.kubelet", description="A stand-in for scheduler and kubelets")
    parser.add_argument("--server", required=True)
    parser.add_argument("--certificate-authority", required=True, type=Path)
    parser.add_argument("--start-delay", type=float, default=0.05, help="seconds from binding to running")
    parser.add_argument("--stop-delay", type=float, default=0.05, help="seconds from deletion to gone")
    parser.add_argument("--nodes", type=int, default=3)
    options = parser.parse_args()
    who = Access(options.server, options.certificate_authority, os.environ["E2E_TOKEN"])
    asyncio.run(_run(who, options.start_delay, options.stop_delay, options.nodes))
