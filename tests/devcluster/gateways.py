"""How do tests bring traffic into a dev cluster: versions, a Gateway, routes, and requests to them?"""

import asyncio
import contextlib
import math
import textwrap
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp

from rollouts.devcluster import DevCluster
from rollouts.devcluster.api import Write
from rollouts.devcluster.gateway.world import GROUP
from rollouts.devcluster.kinds import Kind

__all__ = ["DEADLINE", "GATEWAY", "GROUP", "Served", "conditions", "reported", "serving"]

DEADLINE = 60.0

GATEWAY = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public}
spec: {gatewayClassName: devcluster, listeners: [{name: http, protocol: HTTP, port: 8080}]}
"""
VERSION = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: web, image: 'IMAGE', ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {selector: {app: NAME}, ports: [{port: 80, targetPort: 8080}]}
"""


class Served:
    """A dev cluster with traffic, a Gateway, and versions behind it."""

    def __init__(self, cluster: DevCluster, http: aiohttp.ClientSession) -> None:
        self.cluster = cluster
        self.http = http

    def kind(self, name: str) -> Kind:
        kinds = self.cluster.api.kinds
        found = kinds.by_name(f"{GROUP}/v1", name) or kinds.by_name("apps/v1", name) or kinds.by_name("v1", name)
        assert found is not None
        return found

    def get(self, kind: str, name: str) -> dict[str, Any]:
        return self.cluster.api.get(self.kind(kind), "default", name)

    async def until(self, kind: str, name: str, holds: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        changed = asyncio.Event()
        forget = self.cluster.api.collection(self.kind(kind)).subscribe(lambda _: changed.set())
        try:
            async with asyncio.timeout(DEADLINE):
                while not holds(obj := self.get(kind, name)):
                    await changed.wait()
                    changed.clear()
        finally:
            forget()
        return obj

    async def start(self, **images: str) -> None:
        for name, image in images.items():
            self.cluster.apply(VERSION.replace("NAME", name).replace("IMAGE", image))
        for name in images:
            await self.until("Deployment", name, lambda obj: obj.get("status", {}).get("availableReplicas") == 2)

    async def route(self, rules: str, name: str = "web", more: str = "") -> dict[str, Any]:
        """Create a route, or change it, and wait until it is reported as served."""
        manifest = f"apiVersion: {GROUP}/v1\nkind: HTTPRoute\nmetadata: {{name: {name}}}\nspec:\n"
        manifest += f"  parentRefs: [{{name: public}}]\n{more}  rules:\n{textwrap.indent(textwrap.dedent(rules), '  ')}"
        self.cluster.apply(manifest)
        return await self.until("HTTPRoute", name, reported)

    async def change(self, name: str, rules: list[dict[str, Any]]) -> None:
        live = self.get("HTTPRoute", name)
        new = {**live, "spec": {**live["spec"], "rules": rules}}
        self.cluster.api.update(self.kind("HTTPRoute"), "default", name, new, Write())
        await self.until("HTTPRoute", name, reported)

    async def url(self, path: str = "/") -> str:
        gateway = await self.until("Gateway", "public", lambda obj: obj.get("status"))
        return f"http://{gateway['status']['addresses'][0]['value']}:8080{path}"

    async def ask(self, path: str = "/", **headers: str) -> tuple[int, str, dict[str, str]]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.get(await self.url(path), headers=named, allow_redirects=False) as answer:
            text = await answer.text()
            return (
                answer.status,
                text.partition(" ")[0],
                {name.lower(): value for name, value in answer.headers.items()},
            )

    async def ask_often(self, count: int, **headers: str) -> Counter[str]:
        return Counter([(await self.ask(**headers))[1] for _ in range(count)])

    async def has_share(self, image: str, percent: int, of: int = 800) -> bool:
        """Say whether a version gets its share, within 3 standard errors.

        One sample in 370 lies outside by chance: then another one decides, and both do so once in 137,000 times.
        """
        expected, error = of * percent / 100, math.sqrt(of * percent / 100 * (1 - percent / 100))
        for _ in range(2):
            if abs((await self.ask_often(of))[image] - expected) <= 3 * error:
                return True
        return False


def reported(route: dict[str, Any]) -> bool:
    parents = route.get("status", {}).get("parents") or [{}]
    generations = [each["observedGeneration"] for each in parents[0].get("conditions") or ()]
    return bool(generations) and min(generations) == route["metadata"]["generation"]


def conditions(route: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {each["type"]: (each["status"], each["reason"]) for each in route["status"]["parents"][0]["conditions"]}


@contextlib.asynccontextmanager
async def serving(gateway: str = GATEWAY) -> AsyncIterator[Served]:
    async with DevCluster(pod_start=0.02, traffic=True) as cluster, aiohttp.ClientSession() as http:
        cluster.apply(gateway)
        yield Served(cluster, http)
