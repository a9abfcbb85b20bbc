"""A small API server as data, and caches that show it when told to."""

import asyncio
import copy
import itertools
from collections.abc import Callable, Mapping
from typing import Any, cast

import jsonpatch

from rollouts.api.merging import merged
from rollouts.controller.caches import REPLICA_SET_INDEXES, ROLLOUT_INDEXES, SERVICE_INDEXES, Lookups
from rollouts.controller.freshness import Freshness
from rollouts.controller.mapping import ChangeMap, Passes
from rollouts.controller.readers import Readers
from rollouts.controller.templates import EXPERIMENT_INDEXES, TEMPLATE_INDEXES
from rollouts.controller.traffic import Kind, Obstacle, Served, kind_of, reference_to
from rollouts.guard import Guard
from rollouts.kube.client import Api, Listing
from rollouts.kube.errors import AlreadyExists, ApiError, Conflict, NotFound
from rollouts.kube.patches import PatchType
from rollouts.kube.resources import (
    ANALYSIS_RUNS,
    ANALYSIS_TEMPLATES,
    CLUSTER_ANALYSIS_TEMPLATES,
    DEPLOYMENTS,
    EXPERIMENTS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    Resource,
)
from rollouts.kube.store import Store
from rollouts.ports import Kit, Objects, Reads, picked
from rollouts.registry import load_kit
from tests.routing import SPLIT

Object = dict[str, Any]
Place = tuple[str, str, str]
Listener = Callable[[Object | None, Object | None], None]


class Workloads:
    """What Rollouts may refer to: Deployments, known as long as they are followed and nothing is in the way."""

    def __init__(self) -> None:
        self.store = Store()
        self.followed: set[str] = set()
        self.problem: str | None = None

    def follow(self, kind: str) -> None:
        self.followed.add(kind)

    def unfollow(self, kind: str) -> None:
        self.followed.discard(kind)

    def get(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.store.get(namespace, name) if kind in self.followed else None

    def is_known(self, kind: str) -> bool:
        return kind in self.followed and self.problem is None

    def trouble(self, kind: str) -> str:
        return f"{kind}: {self.problem}" if self.problem else ""


class Traffic:
    """What routers read: objects of the tests' router, known as long as they are followed and nothing is in the way."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.store = Store()
        self.followed: set[Kind] = set()
        self.problem: str | None = None

    def follow(self, kind: Kind) -> None:
        self.followed.add(kind)

    def unfollow(self, kind: Kind) -> None:
        self.followed.discard(kind)

    def picked(self, reads: Reads) -> Objects:
        return picked(reads, {reference_to(raw): raw for raw in self.store.items()})

    def obstacle(self, reads: Reads) -> Obstacle | None:
        hidden = (each for each in reads if self.problem is not None or kind_of(each) not in self.followed)
        return next((Obstacle(str(each), self.problem or "") for each in hidden), None)

    def find(self, kind: str, namespace: str, name: str) -> Object | None:
        return self.store.get(namespace, name) if kind in (SPLIT.kind, f"{SPLIT.kind}.{SPLIT.group}") else None

    def served(self, kind: str, group: str) -> Served | None:
        is_served = (group, kind) == (SPLIT.group, SPLIT.kind)
        return Served(self.api, Resource(SPLIT.group, "v1", "splits", SPLIT.kind)) if is_served else None


class Known:
    """Which kinds can be read: all, but those that something is in the way of."""

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}

    def is_known(self, kind: str) -> bool:
        return kind not in self.problems

    def trouble(self, kind: str) -> str:
        return self.problems.get(kind, "")


class World:
    """Keeps objects; `deliver` brings the caches up to date.

    `fail` has errors by verb and kind, each raised once, and `seconds` how long patches of a kind take.
    """

    def __init__(self, kit: Kit | None = None) -> None:
        self.kit = kit or load_kit()
        self.objects: dict[Place, Object] = {}
        self.requests: list[str] = []
        self.fail: dict[tuple[str, str], list[Exception]] = {}
        self.seconds: dict[str, float] = {}
        self.before: dict[tuple[str, str], Callable[[], object]] = {}
        self.listeners: dict[str, Listener] = {}
        self.touched: Callable[[], None] = lambda: None
        self._versions = itertools.count(101)
        self._uids = itertools.count(1)
        self.stores = {
            kind: Store(indexes=indexes, on_change=self._listener(kind))
            for kind, indexes in (
                (ROLLOUTS.kind, ROLLOUT_INDEXES),
                (REPLICA_SETS.kind, REPLICA_SET_INDEXES),
                (SERVICES.kind, SERVICE_INDEXES),
                (ANALYSIS_RUNS.kind, {}),
                (EXPERIMENTS.kind, EXPERIMENT_INDEXES),
                (ANALYSIS_TEMPLATES.kind, TEMPLATE_INDEXES),
                (CLUSTER_ANALYSIS_TEMPLATES.kind, TEMPLATE_INDEXES),
            )
        }
        self.workloads, self.known, self.traffic = Workloads(), Known(), Traffic(self.api)
        self.lookups = Lookups(dict(self.stores), self.known, self.workloads, self.traffic)
        self.stores[SPLIT.kind] = self.traffic.store = Store(on_change=self._listener(SPLIT.kind))
        self.stores[DEPLOYMENTS.kind] = self.workloads.store = Store(on_change=self._listener(DEPLOYMENTS.kind))

    def changes(self, freshness: Freshness, passes: Passes, readers: Readers | None = None) -> ChangeMap:
        """Return who listens to the caches."""
        readers = readers or Readers(self.traffic, freshness, self.kit, Guard())
        return ChangeMap(self.lookups, freshness, passes, self.workloads, readers)

    @property
    def api(self) -> Api:
        return cast("Api", self)

    def put(self, obj: Mapping[str, Any], *, deliver: bool = True) -> Object:
        """Have somebody else create or replace an object."""
        kept = copy.deepcopy(dict(obj))
        metadata = kept.setdefault("metadata", {})
        metadata.setdefault("namespace", "default")
        metadata.setdefault("uid", f"uid-{next(self._uids)}")
        metadata.setdefault("creationTimestamp", "2026-01-01T00:00:00Z")
        metadata.setdefault("generation", 1)
        self._keep(kept)
        if deliver:
            self.deliver()
        return copy.deepcopy(kept)

    def change(self, kind: str, name: str, patch: Mapping[str, Any], *, deliver: bool = True) -> Object:
        """Have somebody else patch an object."""
        place = (kind, "default", name)
        old = self.objects[place]
        new = merged(old, patch)
        if new.get("spec") != old.get("spec"):
            new["metadata"] = {**new["metadata"], "generation": old["metadata"]["generation"] + 1}
        return self.put(new, deliver=deliver)

    def remove(self, kind: str, name: str, *, deliver: bool = True) -> None:
        """Have somebody else delete an object."""
        del self.objects[kind, "default", name]
        self.touched()
        if deliver:
            self.deliver()

    def deliver(self) -> None:
        """Show the caches what is there."""
        for kind, store in self.stores.items():
            store.replace([copy.deepcopy(obj) for place, obj in self.objects.items() if place[0] == kind])

    def get_now(self, kind: str, name: str) -> Object:
        return self.objects[kind, "default", name]

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        self._note("get", resource, name)
        return copy.deepcopy(self._find(resource, namespace, name))

    async def list(self, resource: Resource, namespace: str, *, label_selector: str = "") -> Listing:
        self._note("list", resource, label_selector)
        found = [obj for place, obj in self.objects.items() if place[:2] == (resource.kind, namespace)]
        return Listing(copy.deepcopy(found), "1")

    async def create(self, resource: Resource, namespace: str, body: Mapping[str, Any]) -> Object:
        self._note("create", resource, body["metadata"]["name"])
        if (resource.kind, namespace, body["metadata"]["name"]) in self.objects:
            raise AlreadyExists("it is there", status=409, reason="AlreadyExists")
        return self.put(body, deliver=False)

    async def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Any,
        *,
        patch_type: PatchType = PatchType.MERGE,
        subresource: str | None = None,
    ) -> Object:
        self._note("patch", resource, f"{name}/{subresource}" if subresource else name)
        if seconds := self.seconds.get(resource.kind):
            await asyncio.sleep(seconds)
        old = self._find(resource, namespace, name)
        if patch_type is PatchType.JSON:
            try:
                new = jsonpatch.apply_patch(old, body)
            except jsonpatch.JsonPatchTestFailed as error:
                raise Conflict("a test doesn't hold", status=409, reason="Conflict") from error
        else:
            version = body.get("metadata", {}).get("resourceVersion")
            if version not in (None, old["metadata"]["resourceVersion"]):
                raise Conflict("it has been changed", status=409, reason="Conflict")
            new = merged(old, body)
        if new.get("spec") != old.get("spec"):
            new["metadata"] = {**new["metadata"], "generation": old["metadata"]["generation"] + 1}
        self._keep(copy.deepcopy(new))
        return copy.deepcopy(self._find(resource, namespace, name))

    async def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str,
        propagation: str = "Background",
        resource_version: str | None = None,
    ) -> Object:
        self._note("delete", resource, name)
        metadata = self._find(resource, namespace, name)["metadata"]
        version = resource_version or metadata["resourceVersion"]
        if (metadata["uid"], metadata["resourceVersion"]) != (uid, version) or propagation != "Background":
            raise Conflict("it has been changed", status=409, reason="Conflict")
        del self.objects[resource.kind, namespace, name]
        self.touched()
        return {"kind": "Status", "status": "Success"}

    async def evict(self, resource: Resource, namespace: str, name: str, *, uid: str) -> Object:
        self._note("evict", resource, name)
        if self._find(resource, namespace, name)["metadata"]["uid"] != uid:
            raise Conflict("it is another one", status=409, reason="Conflict")
        del self.objects[resource.kind, namespace, name]
        self.touched()
        return {"kind": "Status", "status": "Success"}

    def _keep(self, obj: Object) -> None:
        metadata = obj["metadata"]
        place = (obj["kind"], metadata["namespace"], metadata["name"])
        known = self.objects.get(place)
        bare = {**obj, "metadata": {**metadata, "resourceVersion": (known or obj)["metadata"].get("resourceVersion")}}
        if known is not None and known == bare:
            return  # as an API server does, a write that changes nothing leaves the version alone
        metadata["resourceVersion"] = str(next(self._versions))
        self.objects[place] = obj
        self.touched()

    def _find(self, resource: Resource, namespace: str, name: str) -> Object:
        try:
            return self.objects[resource.kind, namespace, name]
        except KeyError:
            raise NotFound("it isn't there", status=404, reason="NotFound") from None

    def _note(self, verb: str, resource: Resource, what: str) -> None:
        self.requests.append(f"{verb} {resource.kind} {what}")
        if act := self.before.pop((verb, resource.kind), None):
            act()
        if errors := self.fail.get((verb, resource.kind)):
            raise errors.pop(0)

    def _listener(self, kind: str) -> Listener:
        def tell(old: Object | None, new: Object | None) -> None:
            if kind in self.listeners:
                self.listeners[kind](old, new)

        return tell


def error(kind: type[ApiError], status: int, reason: str, message: str = "no") -> ApiError:
    return kind(message, status=status, reason=reason)


def rollout(name: str = "web", image: str = "nginx:1", replicas: int = 5, **canary: Any) -> Object:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
            "strategy": {"canary": {"steps": [{"setWeight": 20}, {"pause": {}}], **canary}},
        },
    }


def replica_set(owner: Object | None, pod_hash: str, replicas: int = 2, **labels: str) -> Object:
    app = owner["metadata"]["name"] if owner else labels.pop("app", "web")
    labels = {"app": app, "rollouts-pod-template-hash": pod_hash, **labels}
    reference = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": app, "controller": True}
    references = [{**reference, "uid": owner["metadata"]["uid"]}] if owner else []
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{app}-{pod_hash}",
            "namespace": "default",
            "labels": labels,
            "annotations": {"rollout.argoproj.io/revision": "1"},
            **({"ownerReferences": references} if references else {}),
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "web", "image": "nginx:1"}]},
            },
        },
    }
