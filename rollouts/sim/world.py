"""What does the API server know, as far as rollouts care, and by which rules does it take writes?

Objects are never changed in place: each write puts a new version there, so that anybody may keep an older one. All is
in one namespace.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from rollouts.api import keys
from rollouts.api.names import API_VERSION, ROLLOUT
from rollouts.api.timestamps import format_time
from rollouts.plan import Action, Observed, Refusal
from rollouts.plan.actions import (
    AdoptReplicaSet,
    ChildAction,
    CreateReplicaSet,
    DeleteReplicaSet,
    EvictPod,
    ObjectAction,
    PatchPod,
    PatchRollout,
    ReleaseReplicaSet,
    ReleaseService,
    ScaleWorkload,
    SwitchService,
    UpdateReplicaSet,
)
from rollouts.plan.analysis.templates import TemplateKey
from rollouts.plan.calls import Call
from rollouts.plan.pods import is_up_to_date, pending_replica_sets, pods_wanted
from rollouts.plan.workload import DEPLOYMENT
from rollouts.ports import Answer, Reference
from rollouts.sim.answers import done_at_once
from rollouts.sim.belonging import hash_of, owner_of, selected_hash
from rollouts.sim.children import Children
from rollouts.sim.follower import Follower
from rollouts.sim.objects import DeniedError, RouterObjects
from rollouts.sim.patching import merged, replaced, with_template
from rollouts.sim.pods import (
    Behaviour,
    Pod,
    failures,
    image_of,
    min_ready_of,
    new_pod,
    observed_pods,
    status_of,
    surplus,
)
from rollouts.sim.snapshot import Snapshot

Raw = Mapping[str, Any]
Store = dict[str, Raw]

NAMESPACE = "default"

__all__ = ["NAMESPACE", "DeniedError", "Raw", "Snapshot", "Store", "World"]


@dataclass(slots=True)
class World:
    """Everything there is. `images` tells how pods act; images that aren't named get ready after a second.

    `objects` are those of traffic routers, `children` analysis runs and the like, `templates` the specs of analysis
    templates. `followers` are other controllers. `answer` says what step plugins return.
    """

    now: datetime
    images: dict[str, Behaviour] = field(default_factory=dict)
    rollouts: Store = field(default_factory=dict)
    replica_sets: Store = field(default_factory=dict)
    services: Store = field(default_factory=dict)
    workloads: Store = field(default_factory=dict)
    objects: RouterObjects = field(default_factory=RouterObjects)
    children: Children = field(default_factory=Children)
    templates: dict[TemplateKey, Raw] = field(default_factory=dict)
    followers: tuple[Follower, ...] = ()
    answer: Callable[[Call], Answer] = done_at_once
    pods: dict[str, Pod] = field(default_factory=dict)
    version: int = 0

    # People's writes.

    def create_rollout(self, raw: Raw) -> None:
        """Create a Rollout."""
        self._create(self.rollouts, raw)

    def create_service(self, raw: Raw) -> None:
        """Create a Service."""
        self._create(self.services, raw)

    def create_object(self, reference: Reference, raw: Raw) -> None:
        """Create an object of a traffic router."""
        self.objects.create(reference, raw, self.next_version(), self.now)

    def create_workload(self, raw: Raw) -> None:
        """Create a Deployment, which gets its pods at once, or another object that holds a pod template."""
        self._create(self.workloads, raw)

    def patch_workload(self, name: str, patch: Raw) -> None:
        """Merge a patch into such an object."""
        self._patch(self.workloads, name, patch, None)

    def patch_object(self, reference: Reference, patch: Raw) -> None:
        """Merge a patch into an object of a traffic router."""
        self.objects.patch(reference, patch, self.next_version())

    def create_replica_set(self, raw: Raw) -> None:
        """Create a ReplicaSet."""
        self._create(self.replica_sets, replaced(raw, status={"replicas": 0}))

    def patch_rollout(self, name: str, patch: Raw, *, resource_version: str | None = None) -> None:
        """Merge a patch into metadata and spec of a Rollout; what it says about the status is ignored."""
        rest = {key: value for key, value in patch.items() if key != "status"}
        self._patch(self.rollouts, name, rest, resource_version)

    def patch_status(self, name: str, patch: Raw, *, resource_version: str | None = None) -> None:
        """Merge a patch into the status of a Rollout."""
        self._patch(self.rollouts, name, {"status": patch}, resource_version)

    def write_status(self, name: str, status: Raw, *, resource_version: str) -> None:
        """Put a whole status in the place of a Rollout's."""
        raw = self._find(self.rollouts, name, resource_version)
        self._put(self.rollouts, replaced(raw, status=dict(status)))

    def apply_rollout(self, raw: Raw) -> None:
        """Apply a manifest of a Rollout that exists."""
        self._apply(self.rollouts, raw)

    def apply_workload(self, raw: Raw) -> None:
        """Apply a manifest of a workload that exists."""
        self._apply(self.workloads, raw)

    def delete_pods(self, names: Iterable[str]) -> None:
        """Delete pods; their ReplicaSets will notice."""
        for name in names:
            del self.pods[name]

    def patch_service(self, name: str, patch: Raw, *, resource_version: str | None = None) -> None:
        """Merge a patch into a Service."""
        self._patch(self.services, name, patch, resource_version)

    def patch_replica_set(self, name: str, patch: Raw, *, resource_version: str | None = None) -> None:
        """Merge a patch into a ReplicaSet."""
        self._patch(self.replica_sets, name, patch, resource_version)

    # The controller's view and its writes.

    def snapshot(self) -> Snapshot:
        """Return what can be read now."""
        return Snapshot(
            dict(self.rollouts),
            dict(self.replica_sets),
            dict(self.services),
            dict(self.workloads),
            dict(self.objects.live),
            dict(self.children.live),
            dict(self.templates),
        )

    def observe(self, name: str, seen: Snapshot | None = None, refusals: Iterable[Refusal] = ()) -> Observed:
        """Return the picture that a controller gets of a Rollout: from `seen`, or of now."""
        here = (seen or self.snapshot()).observe(name, refusals)
        if pods_wanted(here, self.now) is None:
            return here
        if not is_up_to_date(here, pending_replica_sets(here), self.replica_sets.values()):
            return here
        return replace(here, pods=tuple(observed_pods(here, self.pods_of, self.now)))

    def perform(self, action: Action, rollout: Raw) -> None:
        """Carry out an action for a Rollout as it was seen. Raises DeniedError."""
        match action:
            case CreateReplicaSet():
                self._create_replica_set(action)
            case UpdateReplicaSet():
                self._update_replica_set(action)
            case DeleteReplicaSet():
                self._delete_replica_set(action)
            case AdoptReplicaSet() | ReleaseReplicaSet():
                self._own(action, rollout)
            case PatchRollout():
                self._patch_for(action, rollout)
            case SwitchService() | ReleaseService():
                self._hand_over(action, rollout)
            case ScaleWorkload():
                self._scale_workload(action)
            case EvictPod() | PatchPod():
                self._change_pod(action)
            case _:
                self._write_beside(action)

    def _write_beside(self, action: ObjectAction | ChildAction) -> None:
        if isinstance(action, ChildAction):
            self.children.write(action, self.next_version(), self.now)
        else:
            self.objects.write(action, self.next_version(), self.now)

    # The ReplicaSet controller's work, and time. Deployments have their pods without ReplicaSets between.

    def _run(self, store: Store, name: str) -> bool:
        """Let its controller look at one object; tell whether it had anything to do."""
        raw = store[name]
        owned = self.pods_of(raw)
        size = raw["spec"]["replicas"]
        behaviour = self.images.get(image_of(raw["spec"]["template"]), Behaviour())
        for _ in range(size - len(owned)):
            self.version += 1
            pod = new_pod(self.version, raw, behaviour, self.now)
            self.pods[pod.name] = pod
        for pod in surplus(owned, size, self.now):
            del self.pods[pod.name]
        status = status_of(raw, self.pods_of(raw), self.now)
        if status == raw.get("status"):
            return False
        self._put(store, replaced(raw, status=status))
        return True

    def run_replica_sets(self) -> bool:
        """Let their controllers look at everything that has pods; tell whether they had anything to do."""
        moved = [self._run(store, name) for store, name in self._owners()]
        return any(moved)

    def run_followers(self) -> bool:
        """Let the other controllers look at the world; tell whether they had anything to do."""
        moved = [follower.follow(self) for follower in self.followers]
        return any(moved)

    def _owners(self) -> list[tuple[Store, str]]:
        """Return everything that has pods, and where it is kept."""
        deployments = [name for name, raw in self.workloads.items() if raw["kind"] == DEPLOYMENT]
        return [(self.replica_sets, name) for name in self.replica_sets] + [
            (self.workloads, name) for name in deployments
        ]

    def next_change(self) -> datetime | None:
        """Return when a pod, or what another controller looks after, next changes by itself."""
        changes = [*self._pod_changes(), *(follower.next_change(self) for follower in self.followers)]
        return min((time for time in changes if time is not None), default=None)

    def expects_news(self) -> bool:
        """Tell whether pods or other controllers will bring anything but more of the same."""
        is_due = any(change is not None for change in self._pod_changes())
        return is_due or any(follower.expects_news(self) for follower in self.followers)

    def _pod_changes(self) -> Iterator[datetime | None]:
        for store, name in self._owners():
            for pod in self.pods_of(store[name]):
                yield pod.next_change(self.now, min_ready_of(store[name]))

    def pods_of(self, replica_set: Raw) -> list[Pod]:
        """Return the pods of a ReplicaSet, oldest first."""
        uid = replica_set["metadata"]["uid"]
        return [pod for pod in self.pods.values() if pod.owner_uid == uid]

    def available(self, replica_set: Raw) -> int:
        """Return how many pods of a ReplicaSet are available at this moment, whatever its status says."""
        min_ready = min_ready_of(replica_set)
        return sum(pod.is_available(self.now, min_ready) for pod in self.pods_of(replica_set))

    def fail_pods(self, names: Iterable[str]) -> None:
        """Let pods fail now, and their ReplicaSets say so."""
        for name in names:
            self.pods[name] = self.pods[name].failed(self.now)
        for store, name in self._owners():
            raw = store[name]
            status = {**raw.get("status", {}), **failures(status_of(raw, self.pods_of(raw), self.now))}
            self._put(store, replaced(raw, status=status))

    def next_version(self) -> str:
        """Return the next resourceVersion."""
        self.version += 1
        return str(self.version)

    def _find(self, store: Store, name: str, resource_version: str | None = None) -> Raw:
        if name not in store:
            raise DeniedError("NotFound", f'"{name}" not found')
        raw = store[name]
        if resource_version not in (None, raw["metadata"]["resourceVersion"]):
            raise DeniedError("Conflict", f'"{name}" has been modified: read it again')
        return raw

    def _create(self, store: Store, raw: Raw) -> None:
        metadata = raw["metadata"]
        if metadata["name"] in store:
            raise DeniedError("AlreadyExists", f'"{metadata["name"]}" already exists')
        version = self.next_version()
        stamp = {"uid": f"uid-{version}", "creationTimestamp": format_time(self.now), "generation": 1}
        full = {"namespace": NAMESPACE, **stamp, **metadata, "resourceVersion": version}
        store[metadata["name"]] = replaced(raw, metadata=full)

    def _put(self, store: Store, raw: Raw) -> None:
        """Store a new version; the generation counts changes of the spec."""
        metadata = raw["metadata"]
        old = store[metadata["name"]]
        if raw == old:
            return
        generation = old["metadata"]["generation"] + (raw.get("spec") != old.get("spec"))
        stamp = {"generation": generation, "resourceVersion": self.next_version()}
        store[metadata["name"]] = replaced(raw, metadata={**metadata, **stamp})

    def _patch(self, store: Store, name: str, patch: Raw, resource_version: str | None) -> None:
        self._put(store, merged(self._find(store, name, resource_version), patch))

    def _apply(self, store: Store, raw: Raw) -> None:
        """Put what a manifest says in the place of an object's parts, and merge its labels and annotations in."""
        live = self._find(store, raw["metadata"]["name"])
        parts = {key: value for key, value in raw.items() if key != "status"}
        if "spec" in parts and "replicas" in live["spec"]:
            parts["spec"] = {"replicas": live["spec"]["replicas"], **parts["spec"]}
        self._put(store, replaced(live, **{**parts, "metadata": merged(live["metadata"], raw["metadata"])}))

    def _create_replica_set(self, action: CreateReplicaSet) -> None:
        refusal = self.images.get(image_of(action.body["spec"]["template"]), Behaviour()).refusal
        if refusal:
            raise DeniedError("Invalid", refusal)
        existing = self.replica_sets.get(action.name)
        owner = action.body["metadata"]["ownerReferences"][0]["uid"]
        if existing is not None and owner_of(existing) == owner and selected_hash(existing) == action.pod_hash:
            if not hash_of(existing):
                self.patch_replica_set(action.name, {"metadata": {"labels": {keys.POD_TEMPLATE_HASH: action.pod_hash}}})
            return
        self.create_replica_set(action.body)

    def _live(self, name: str, uid: str) -> Raw:
        raw = self._find(self.replica_sets, name)
        if raw["metadata"]["uid"] != uid:
            raise DeniedError("Conflict", f'"{name}" is another object by now')
        return raw

    def _update_replica_set(self, action: UpdateReplicaSet) -> None:
        raw = self._live(action.name, action.uid)
        if raw["spec"]["replicas"] != action.seen_size:
            raise DeniedError("Conflict", f'"{action.name}" has another size by now')
        annotations = raw["metadata"].get("annotations") or {}
        if any(annotations.get(key) != value for key, value in action.seen_annotations.items()):
            raise DeniedError("Conflict", f'"{action.name}" has other annotations by now')
        spec: dict[str, Any] = {}
        if action.size is not None:
            spec["replicas"] = action.size
        if action.min_ready_seconds is not None:
            spec["minReadySeconds"] = action.min_ready_seconds
        if action.template is not None:
            raw = with_template(raw, action.template)
        labels = {keys.POD_TEMPLATE_HASH: action.hash_label} if action.hash_label is not None else {}
        metadata = {"annotations": action.annotations, "labels": labels}
        self._put(self.replica_sets, merged(raw, {"metadata": metadata, "spec": spec}))

    def _scale_workload(self, action: ScaleWorkload) -> None:
        raw = self._find(self.workloads, action.name, action.resource_version or None)
        if (raw["metadata"]["uid"], raw["spec"]["replicas"]) != (action.uid, action.seen_size):
            raise DeniedError("Conflict", f'"{action.name}" is not as it was seen')
        self._put(self.workloads, merged(raw, {"spec": {"replicas": action.size}}))

    def _delete_replica_set(self, action: DeleteReplicaSet) -> None:
        self._find(self.replica_sets, action.name, action.resource_version)
        raw = self._live(action.name, action.uid)
        for pod in self.pods_of(raw):
            del self.pods[pod.name]
        del self.replica_sets[action.name]

    def _own(self, action: AdoptReplicaSet | ReleaseReplicaSet, rollout: Raw) -> None:
        raw = self._live(action.name, action.uid)
        metadata = rollout["metadata"]
        owner = {"apiVersion": API_VERSION, "kind": ROLLOUT.name, "controller": True}
        ours = {**owner, "name": metadata["name"], "uid": metadata["uid"]}
        references = [ours] if isinstance(action, AdoptReplicaSet) else None
        self._put(self.replica_sets, merged(raw, {"metadata": {"ownerReferences": references}}))

    def _patch_for(self, action: PatchRollout, rollout: Raw) -> None:
        metadata = rollout["metadata"]
        patch: dict[str, Any] = {}
        if action.annotations:
            patch["metadata"] = {"annotations": action.annotations}
        if action.replicas is not None:
            patch["spec"] = {"replicas": action.replicas}
        self.patch_rollout(metadata["name"], patch, resource_version=metadata["resourceVersion"])

    def _hand_over(self, action: SwitchService | ReleaseService, rollout: Raw) -> None:
        name, pod_hash = (
            (rollout["metadata"]["name"], action.pod_hash) if isinstance(action, SwitchService) else (None, None)
        )
        patch = {
            "metadata": {"annotations": {keys.MANAGED_BY: name}},
            "spec": {"selector": {keys.POD_TEMPLATE_HASH: pod_hash}},
        }
        self.patch_service(action.name, patch, resource_version=action.resource_version)

    def _change_pod(self, action: EvictPod | PatchPod) -> None:
        pod = self.pods.get(action.name)
        if pod is None or pod.uid != action.uid:
            raise DeniedError("NotFound", f'pod "{action.name}" not found')
        if isinstance(action, EvictPod):
            del self.pods[pod.name]
            return
        labels, annotations = merged(pod.labels, action.labels), merged(pod.annotations, action.annotations)
        self.pods[pod.name] = replace(pod, labels=labels, annotations=annotations)
