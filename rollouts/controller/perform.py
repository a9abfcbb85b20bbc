"""How is a plan carried out? Its actions run side by side, each answered or given up in time, none able to hurt others.

The status follows a patch of the owner's metadata or spec, with the resourceVersion that this patch returned: it
carried the observed one itself, so nothing that we haven't seen lies between. Without such a patch the status is
written beside the actions.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.api import keys
from rollouts.controller import requests
from rollouts.controller.caches import controller_of
from rollouts.controller.key import LOOKED_AFTER, status_of
from rollouts.controller.outcome import Outcome, Refused
from rollouts.controller.router_writes import VERBS, Routed, write_object
from rollouts.kube.client import Api
from rollouts.kube.errors import (
    AlreadyExists,
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    Invalid,
    MethodNotAllowed,
    NotFound,
    ServerTimeout,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from rollouts.kube.patches import PatchType
from rollouts.kube.resources import (
    ANALYSIS_RUNS,
    DEPLOYMENTS,
    EXPERIMENTS,
    PODS,
    REPLICA_SETS,
    ROLLOUTS,
    SERVICES,
    Resource,
)
from rollouts.plan import Action, Refusal, observe_replica_set
from rollouts.plan.actions import (
    AdoptReplicaSet,
    ChildAction,
    CreateChild,
    CreateObject,
    CreateReplicaSet,
    DeleteChild,
    DeleteObject,
    DeleteReplicaSet,
    EvictPod,
    ObjectAction,
    PatchObject,
    PatchPod,
    PatchRollout,
    ReleaseReplicaSet,
    ReleaseService,
    ScaleWorkload,
    SwitchService,
    TerminateChild,
    UpdateReplicaSet,
)

Raw = Mapping[str, Any]
Seen = Mapping[tuple[str, str], Raw]

ACTION_TIMEOUT = 30.0
POD_PATCH_TIMEOUT = 5.0
"""A pod's metadata holds nobody up: an admission webhook that doesn't answer is asked again later."""

_ON_NOTHING = (CreateReplicaSet, AdoptReplicaSet, CreateChild, CreateObject)
_FOR_GOOD = (AlreadyExists, BadRequest, Forbidden, Invalid, MethodNotAllowed)
_VERBS: dict[type[Action], tuple[str, Resource]] = {
    CreateReplicaSet: ("create", REPLICA_SETS),
    UpdateReplicaSet: ("update", REPLICA_SETS),
    DeleteReplicaSet: ("delete", REPLICA_SETS),
    AdoptReplicaSet: ("adopt", REPLICA_SETS),
    ReleaseReplicaSet: ("release", REPLICA_SETS),
    PatchRollout: ("update", ROLLOUTS),
    SwitchService: ("switch", SERVICES),
    ReleaseService: ("release", SERVICES),
    ScaleWorkload: ("scale", DEPLOYMENTS),
    EvictPod: ("evict", PODS),
    PatchPod: ("patch", PODS),
}
_CHILD_VERBS: Mapping[type[Action], str] = {
    CreateChild: "create",
    TerminateChild: "terminate",
    DeleteChild: "delete",
}
CHILDREN: Mapping[str, Resource] = {each.kind: each for each in (ANALYSIS_RUNS, EXPERIMENTS, SERVICES)}


# What a plan is made from: the cache must deliver it as we have written it, before the next one.
_WRITTEN = frozenset({REPLICA_SETS.kind, DEPLOYMENTS.kind, *CHILDREN})


async def perform(
    api: Api,
    owner: Raw,
    seen: Seen,
    actions: Sequence[Action],
    status: Raw | None,
    *,
    routed: Routed | None = None,
    limit: float = ACTION_TIMEOUT,
) -> Outcome:
    """Carry out `actions` and write `status` for their owner as it was seen; whatever fails is in the outcome.

    `seen` has what the plan was made from, by kind and name: ReplicaSets, Services, children, the workload. `routed`
    has what traffic routers read. `limit` is how many seconds each action may take.
    """
    outcome = Outcome()
    elsewhere = [action for action in actions if not isinstance(action, PatchRollout)]
    patches = [action for action in actions if isinstance(action, PatchRollout)]
    async with asyncio.TaskGroup() as group:
        for action in elsewhere:
            group.create_task(_Act(api, owner, seen, routed or Routed(), outcome, limit).run(action))
        await _write_owner(api, owner, patches, status, outcome, limit)
    told = {id(action) for action in outcome.acknowledged}
    outcome.acknowledged = [action for action in actions if id(action) in told]
    return outcome


async def _write_owner(
    api: Api, owner: Raw, patches: Sequence[PatchRollout], status: Raw | None, outcome: Outcome, limit: float
) -> None:
    """Write the owner's metadata and spec, then its status; the first failure ends it."""
    namespace, name = owner["metadata"]["namespace"], owner["metadata"]["name"]
    resource, latest = LOOKED_AFTER[owner["kind"]], owner
    try:
        async with asyncio.timeout(limit):
            for action in patches:
                latest = await api.patch(resource, namespace, name, requests.patch_rollout(action, latest))
                outcome.written.append(latest)
                outcome.acknowledged.append(action)
            version = latest["metadata"]["resourceVersion"]
            change = None if status is None else requests.patch_status(owner, version, status)
            if change is not None:
                latest = await api.patch(resource, namespace, name, change, subresource=status_of(resource))
                outcome.written.append(latest)
                outcome.status_is_written = True
    except NotFound:
        outcome.owner_is_gone = True
    except Conflict:
        outcome.outdated.append(latest)
    except TimeoutError:
        outcome.errors.append(_too_late(f"the {resource.kind}'s patch", limit))
    except ApiError as error:
        outcome.errors.append(error)


class _Act:
    """One action being carried out."""

    def __init__(self, api: Api, owner: Raw, seen: Seen, routed: Routed, outcome: Outcome, limit: float) -> None:
        self._api = api
        self._owner = owner
        self._seen = seen
        self._routed = routed
        self._outcome = outcome
        self._limit = limit
        self._namespace: str = owner["metadata"]["namespace"]

    async def run(self, action: Action) -> None:
        """Carry the action out, and note what came of it."""
        limit = min(self._limit, POD_PATCH_TIMEOUT) if isinstance(action, PatchPod) else self._limit
        try:
            async with asyncio.timeout(limit):
                answer = await (self._route(action) if isinstance(action, ObjectAction) else self._send(action))
        except TimeoutError:
            self._failed(action, _too_late(type(action).__name__, limit))
        except ApiError as error:
            self._failed(action, error)
        else:
            if answer is None:
                return
            self._outcome.acknowledged.append(action)
            if answer.get("kind") in _WRITTEN or (isinstance(action, ObjectAction) and answer):
                self._outcome.written.append(answer)

    async def _send(self, action: Action) -> Raw | None:
        """Send what the action asks for and return the answer; None when it turns out that it isn't to be."""
        match action:
            case CreateReplicaSet():
                return await self._create(action)
            case UpdateReplicaSet():
                scaling = requests.update_replica_set(action, self._object(action))
                return await self._patch(action, scaling, PatchType.JSON)
            case DeleteReplicaSet():
                return await self._delete(action)
            case AdoptReplicaSet() | ReleaseReplicaSet():
                return await self._change_hands(action)
            case SwitchService() | ReleaseService() | ScaleWorkload() | PatchPod() | EvictPod():
                return await self._write(action)
            case CreateChild() | TerminateChild() | DeleteChild():
                return await self._look_after(action)
            case CreateObject() | PatchObject() | DeleteObject() | PatchRollout():
                raise AssertionError("objects of routers and the owner are written elsewhere")

    async def _change_hands(self, action: AdoptReplicaSet | ReleaseReplicaSet) -> Raw | None:
        if isinstance(action, ReleaseReplicaSet):
            return await self._patch(action, requests.release(self._object(action), self._owner))
        if not await self._is_confirmed():
            self._outcome.outdated.append(self._owner)
            return None
        return await self._patch(action, requests.adopt(self._object(action), self._owner))

    async def _create(self, action: CreateReplicaSet) -> Raw:
        """Create a ReplicaSet; one that is there already is as good if it is ours and of the same revision."""
        try:
            return await self._api.create(REPLICA_SETS, self._namespace, action.body)
        except AlreadyExists as error:
            found = await self._api.get(REPLICA_SETS, self._namespace, action.name)
            if not self._is_ours(found, action.pod_hash):
                raise
            if "deletionTimestamp" in found["metadata"]:
                raise ApiError(f"ReplicaSet {action.name} is still being deleted", reason="Terminating") from error
            if keys.POD_TEMPLATE_HASH in (found["metadata"].get("labels") or {}):
                return found
            # Somebody has taken off the label by which our cache finds it.
            return await self._patch(action, requests.relabel(found, action.pod_hash))

    def _is_ours(self, found: Raw, pod_hash: str) -> bool:
        owner = controller_of(found) or {}
        view = observe_replica_set(found)
        return owner.get("uid") == self._owner["metadata"]["uid"] and view.pod_hash == pod_hash

    async def _delete(self, action: DeleteReplicaSet) -> Raw:
        answer = await self._api.delete(
            REPLICA_SETS,
            self._namespace,
            action.name,
            propagation="Background",
            uid=action.uid,
            resource_version=action.resource_version,
        )
        if answer.get("kind") == REPLICA_SETS.kind and "deletionTimestamp" in answer["metadata"]:
            return answer  # a finalizer holds it
        self._outcome.deleted.append(self._object(action))
        return {}

    async def _is_confirmed(self) -> bool:
        """Read the owner live before it gets a child: were it gone, the garbage collector would take the child."""
        metadata = self._owner["metadata"]
        live = (await self._api.get(LOOKED_AFTER[self._owner["kind"]], self._namespace, metadata["name"]))["metadata"]
        return live["uid"] == metadata["uid"] and "deletionTimestamp" not in live

    async def _write(self, action: SwitchService | ReleaseService | ScaleWorkload | PatchPod | EvictPod) -> Raw:
        """Write to an object that is neither a ReplicaSet nor the Rollout's own."""
        match action:
            case SwitchService():
                return await self._patch(action, requests.switch_service(action, self._owner["metadata"]["name"]))
            case ReleaseService():
                return await self._patch(action, requests.release_service(action.resource_version))
            case ScaleWorkload():
                patch = requests.scale_workload(action)
                return {**await self._patch(action, patch, PatchType.JSON, "scale"), "kind": DEPLOYMENTS.kind}
            case PatchPod():
                return await self._patch(action, requests.patch_pod(action))
            case EvictPod():
                return await self._api.evict(PODS, self._namespace, action.name, uid=action.uid)

    async def _look_after(self, action: CreateChild | TerminateChild | DeleteChild) -> Raw | None:
        """Create, end or delete an object of the owner's own."""
        resource = CHILDREN[action.kind]
        match action:
            case TerminateChild():
                patch = requests.terminate(action.uid)
                return await self._api.patch(resource, self._namespace, action.name, patch, patch_type=PatchType.JSON)
            case DeleteChild():
                answer = await self._api.delete(
                    resource, self._namespace, action.name, propagation="Background", uid=action.uid
                )
                if answer.get("kind") == action.kind and "deletionTimestamp" in answer["metadata"]:
                    return answer  # a finalizer holds it
                self._outcome.deleted.append(self._object(action))
                return {}
            case CreateChild():
                if not await self._is_confirmed():
                    self._outcome.outdated.append(self._owner)
                    return None
                return await self._give_birth(resource, action)

    async def _give_birth(self, resource: Resource, action: CreateChild) -> Raw:
        """Create a child. One that is there already will do if we can see it as ours, else the name is taken."""
        try:
            return await self._api.create(resource, self._namespace, action.body)
        except AlreadyExists:
            found = await self._api.get(resource, self._namespace, action.name)
            is_ours = (controller_of(found) or {}).get("uid") == self._owner["metadata"]["uid"]
            if not is_ours or _instance(found) != _instance(action.body):
                raise
            return found

    async def _route(self, action: ObjectAction) -> Raw | None:
        """Write an object of a traffic router; one that has come into being meanwhile is looked at in the next pass."""
        api, resource = self._routed.served_by(action)
        try:
            answer = await write_object(api, resource, action)
        except AlreadyExists:
            reference = action.reference
            self._outcome.written.append(await api.get(resource, reference.namespace, reference.name))
            return None
        if not isinstance(action, DeleteObject) or answer.get("kind") == resource.kind:
            return answer
        self._outcome.deleted.append(self._object(action))
        return {}

    async def _patch(
        self, action: Action, patch: Any, patch_type: PatchType = PatchType.MERGE, subresource: str | None = None
    ) -> Raw:
        _, resource = _VERBS[type(action)]
        return await self._api.patch(
            resource, self._namespace, _name(action), patch, patch_type=patch_type, subresource=subresource
        )

    def _object(self, action: Action) -> Raw:
        """Return what the plan saw of the action's object."""
        if isinstance(action, ObjectAction):
            return self._routed.seen(action)
        return self._seen[_verb(action)[1], _name(action)]

    def _failed(self, action: Action, error: ApiError) -> None:
        verb, kind = _verb(action)
        if isinstance(error, TooManyRequests) and isinstance(action, EvictPod):
            self._outcome.postponed.append(f"pod {action.name} can't be evicted now: {error.message}")
        elif isinstance(error, NotFound | Conflict) and isinstance(action, EvictPod | PatchPod):
            self._outcome.postponed.append(f"pod {action.name} is gone by itself")
        elif isinstance(action, PatchPod) and not isinstance(error, Unreachable | Unauthorized):
            # Whatever a webhook has against it: the rollout goes on, and the pod's turn comes again.
            refusal = Refusal(verb, kind, action.name, error.reason, error.message)
            self._outcome.refused.append(Refused(action, refusal))
        elif isinstance(error, NotFound) and not isinstance(action, _ON_NOTHING):
            self._outcome.gone.append(self._object(action))
        elif isinstance(error, Conflict) and not isinstance(action, CreateReplicaSet | CreateChild | CreateObject):
            self._outcome.outdated.append(self._object(action))
        elif isinstance(error, _FOR_GOOD):
            digest = action.digest if isinstance(action, CreateReplicaSet) else ""
            namespace = action.reference.namespace if isinstance(action, ObjectAction) else ""
            refusal = Refusal(verb, kind, _name(action), error.reason, error.message, digest, namespace)
            self._outcome.refused.append(Refused(action, refusal))
        else:
            self._outcome.errors.append(error)


def _instance(child: Raw) -> str | None:
    """Return which controller instance's cache shows an object."""
    instance: str | None = (child["metadata"].get("labels") or {}).get(keys.INSTANCE_ID)
    return instance


def _verb(action: Action) -> tuple[str, str]:
    """Return what an action does in a word, and to which kind of object."""
    if isinstance(action, ChildAction):
        return _CHILD_VERBS[type(action)], action.kind
    if isinstance(action, ObjectAction):
        return VERBS[type(action)], action.reference.kind
    verb, resource = _VERBS[type(action)]
    return verb, resource.kind


def _name(action: Action) -> str:
    return "" if isinstance(action, PatchRollout) else action.name


def _too_late(what: str, limit: float) -> ApiError:
    """Return the error of a request that got no answer: only a new observation can tell whether it happened."""
    return ServerTimeout(f"{what} got no answer within {limit:g} s", reason="Timeout")
