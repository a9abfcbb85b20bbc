"""An API server for tests of single commands: objects in a dict, every request kept, answers that can fail."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonpatch
import orjson
import yaml
from aiohttp import web

from rollouts.api.merging import merged
from rollouts.api.selectors import parse_selector

Json = dict[str, Any]
Key = tuple[str, str, str]

KINDS = {
    "rollouts": ("argoproj.io/v1alpha1", "Rollout", "rollouts.argoproj.io"),
    "replicasets": ("apps/v1", "ReplicaSet", "replicasets.apps"),
    "deployments": ("apps/v1", "Deployment", "deployments.apps"),
    "pods": ("v1", "Pod", "pods"),
    "services": ("v1", "Service", "services"),
    "analysisruns": ("argoproj.io/v1alpha1", "AnalysisRun", "analysisruns.argoproj.io"),
    "experiments": ("argoproj.io/v1alpha1", "Experiment", "experiments.argoproj.io"),
    "analysistemplates": ("argoproj.io/v1alpha1", "AnalysisTemplate", "analysistemplates.argoproj.io"),
    "clusteranalysistemplates": (
        "argoproj.io/v1alpha1",
        "ClusterAnalysisTemplate",
        "clusteranalysistemplates.argoproj.io",
    ),
}


CLUSTER_WIDE = frozenset({"clusteranalysistemplates"})


@dataclass(frozen=True)
class Seen:
    """One request."""

    method: str
    path: str
    body: Any = None
    content_type: str = ""


def failure(code: int, reason: str, message: str, **details: Any) -> web.Response:
    status = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return web.json_response({**status, "details": details}, status=code)


@dataclass
class FakeApi:
    """The server. `fail` is asked before each request; what it returns, if anything, is the answer."""

    objects: dict[Key, Json] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    fail: Callable[[Seen], web.Response | None] = lambda _: None
    on_watch: Callable[[], None] | None = None
    told: threading.Event | None = None
    url: str = ""
    version: int = 1

    def put(self, plural: str, raw: Json) -> None:
        self.version += 1
        metadata = raw["metadata"]
        if plural not in CLUSTER_WIDE:
            metadata.setdefault("namespace", "default")
        metadata["resourceVersion"] = str(self.version)
        self.objects[plural, metadata.get("namespace", ""), metadata["name"]] = raw

    @property
    def writes(self) -> list[Seen]:
        return [each for each in self.seen if each.method != "GET"]

    @property
    def patches(self) -> list[tuple[str, Any]]:
        """The patches: path behind the namespace, and body."""
        return [(each.path.split("/namespaces/default/")[1], each.body) for each in self.seen if each.method == "PATCH"]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = orjson.loads(raw) if raw else None
        seen = Seen(request.method, request.path, body, request.headers.get("Content-Type", ""))
        self.seen.append(seen)
        failed = self.fail(seen)
        if failed is not None:
            return failed
        parts = request.path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if parts[0] == "namespaces":
            namespace, parts = parts[1], parts[2:]
        plural, *rest = parts
        if plural not in KINDS:
            return failure(404, "NotFound", "the server could not find the requested resource")
        if not rest and request.method == "POST":
            return self.create(plural, namespace, body)
        if not rest:
            return await self.collection(request, plural, namespace)
        return self.single(request, (plural, namespace, rest[0]), rest[1:], body)

    def single(self, request: web.Request, key: Key, subresource: list[str], body: Any) -> web.Response:
        found = self.objects.get(key)
        if found is None:
            title = KINDS[key[0]][2]
            return failure(404, "NotFound", f'{title} "{key[2]}" not found', name=key[2], kind=key[0])
        if request.method == "PATCH":
            changed = (
                jsonpatch.apply_patch(found, body)
                if "json-patch" in request.headers["Content-Type"]
                else merged(found, body)
            )
            kept = {"status"} if subresource else {"metadata", "spec"}
            self.put(key[0], {name: (changed if name in kept else found).get(name) for name in {*found, *changed}})
        if request.method == "PUT":
            if body["metadata"]["resourceVersion"] != found["metadata"]["resourceVersion"]:
                return failure(409, "Conflict", "the object has been modified")
            self.put(key[0], body)
        return web.json_response(self.objects[key])

    def create(self, plural: str, namespace: str, body: Any) -> web.Response:
        metadata = {"namespace": namespace, **body["metadata"]}
        metadata.setdefault("name", f"{metadata.get('generateName', '')}x{self.version}")
        if (plural, namespace, metadata["name"]) in self.objects:
            return failure(409, "AlreadyExists", f'{plural} "{metadata["name"]}" already exists')
        self.put(plural, {**body, "metadata": metadata})
        return web.json_response(self.objects[plural, namespace, metadata["name"]], status=201)

    async def collection(self, request: web.Request, plural: str, namespace: str) -> web.StreamResponse:
        wanted = request.query.get("fieldSelector", "").removeprefix("metadata.name=")
        labels = parse_selector(request.query.get("labelSelector", ""))

        def chosen() -> list[Json]:
            return [
                each
                for (kind, where, name), each in self.objects.items()
                if kind == plural
                and namespace in ("", where)
                and wanted in ("", name)
                and labels.matches(each["metadata"].get("labels") or {})
            ]

        version, kind, _ = KINDS[plural]
        if request.query.get("watch") != "true":
            metadata = {"resourceVersion": str(self.version)}
            return web.json_response(
                {"apiVersion": version, "kind": f"{kind}List", "metadata": metadata, "items": chosen()}
            )
        if request.query.get("sendInitialEvents"):
            return failure(400, "BadRequest", "sendInitialEvents is not served here")
        return await self.stream(request, chosen)

    async def stream(self, request: web.Request, chosen: Callable[[], list[Json]]) -> web.StreamResponse:
        """Tell of each version newer than the one asked for, by looking again and again."""
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        told = int(request.query.get("resourceVersion") or 0)
        if self.on_watch is not None:
            threading.Thread(target=self.on_watch, daemon=True).start()
        while not request.protocol.transport.is_closing() if request.protocol.transport else False:
            for each in sorted(chosen(), key=lambda one: int(one["metadata"]["resourceVersion"])):
                if int(each["metadata"]["resourceVersion"]) > told:
                    told = int(each["metadata"]["resourceVersion"])
                    await response.write(orjson.dumps({"type": "MODIFIED", "object": each}) + b"\n")
                    if self.told is not None:
                        self.told.set()
            await asyncio.sleep(0.01)
        return response


def write_kubeconfig(path: Path, url: str) -> Path:
    cluster = {"name": "c", "cluster": {"server": url}}
    contexts = [
        {"name": name, "context": {"cluster": "c", "user": "u", "namespace": namespace}}
        for name, namespace in (("c", "default"), ("shop", "shop"))
    ]
    users: list[Json] = [{"name": "u", "user": {}}]
    config: Json = {"current-context": "c", "clusters": [cluster], "contexts": contexts, "users": users}
    path.write_text(yaml.safe_dump(config))
    return path
