"""How is an object of a traffic router written? On the version that the plan has seen, or not at all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.controller.traffic import Served
from rollouts.kube.client import Api
from rollouts.kube.errors import ApiError, BadRequest, Invalid
from rollouts.kube.resources import Resource
from rollouts.plan.actions import CreateObject, DeleteObject, ObjectAction, PatchObject
from rollouts.ports import Objects

Raw = Mapping[str, Any]

_STRICT = "strict decoding error:"

VERBS: Mapping[type[ObjectAction], str] = {CreateObject: "create", PatchObject: "patch", DeleteObject: "delete"}


@dataclass(frozen=True, slots=True)
class Routed:
    """The objects that routers have seen, and where their kinds are served."""

    objects: Objects = field(default_factory=dict)
    served: Callable[[str, str], Served | None] = lambda _, __: None

    def served_by(self, action: ObjectAction) -> Served:
        """Return where the kind of an action's object is served. Raises ApiError if that isn't known any more."""
        found = self.served(action.reference.kind, action.reference.group)
        if found is None:
            raise ApiError(f"{action.reference.kind} of {action.reference.group} isn't served now", reason="NotFound")
        return found

    def seen(self, action: ObjectAction) -> Raw:
        """Return the object as the plan has seen it."""
        found = self.objects[action.reference]
        if found is None:
            raise AssertionError(f"{action.reference} was patched unseen")
        return found


async def write_object(api: Api, resource: Resource, action: ObjectAction) -> Raw:
    """Carry an action out; return the API server's answer."""
    reference = action.reference
    match action:
        case CreateObject():
            names = {"name": reference.name, "namespace": reference.namespace}
            metadata = {**action.body.get("metadata", {}), **names}
            kind = {"apiVersion": resource.api_version, "kind": resource.kind}
            return await api.create(resource, reference.namespace, {**action.body, **kind, "metadata": metadata})
        case PatchObject():
            seen = {"uid": action.uid, "resourceVersion": action.resource_version}
            patch = {**action.body, "metadata": {**action.body.get("metadata", {}), **seen}}
            if not action.needs:
                return await api.patch(resource, reference.namespace, reference.name, patch)
            try:
                return await api.patch(resource, reference.namespace, reference.name, patch, strict=True)
            except (BadRequest, Invalid) as error:
                _, _, unknown = error.message.partition(_STRICT)  # before that stands the whole object
                if not unknown:
                    raise
                message = f"{unknown.strip()}: {action.needs}"
                raise BadRequest(message, status=error.status, reason=error.reason) from error
        case DeleteObject():
            return await api.delete(
                resource,
                reference.namespace,
                reference.name,
                propagation="Background",
                uid=action.uid,
                resource_version=action.resource_version,
            )
