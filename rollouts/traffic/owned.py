"""Which objects has a Rollout made for itself? It controls them: they go with it, and nobody else's are touched."""

from collections.abc import Iterable
from typing import Any

from rollouts.ports import Delete, Objects, Owner, Reference
from rollouts.ports.router import Raw


def owned_by(owner: Owner) -> list[dict[str, Any]]:
    """Return the ownerReferences of an object that a Rollout makes for itself."""
    controller = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": owner.name, "uid": owner.uid}
    return [{**controller, "controller": True, "blockOwnerDeletion": True}]


def adopted_by(owner: Owner, raw: Raw) -> list[dict[str, Any]]:
    """Return the ownerReferences of an object without a controller that becomes a Rollout's own."""
    return [*(raw.get("metadata", {}).get("ownerReferences") or ()), *owned_by(owner)]


def is_owned(raw: Raw, owner: Owner) -> bool:
    """Tell whether a Rollout controls an object."""
    controller = _controller(raw)
    return controller is not None and controller["uid"] == owner.uid


def is_controlled(raw: Raw) -> bool:
    """Tell whether an object belongs to anybody."""
    return _controller(raw) is not None


def without_owned(references: Iterable[Reference], objects: Objects, owner: Owner) -> tuple[Delete, ...]:
    """Return the deletion of those objects that are there and belong to the Rollout."""
    made = ((each, objects.get(each)) for each in dict.fromkeys(references))
    return tuple(Delete(each) for each, raw in made if raw is not None and is_owned(raw, owner))


def taken(reference: Reference, raw: Raw | None, owner: Owner) -> str:
    """Say that an object which the Rollout wants to make is somebody else's; nothing if it isn't."""
    if raw is None or is_owned(raw, owner):
        return ""
    controller = _controller(raw)
    whose = (
        "wasn't made by this Rollout" if controller is None else f"belongs to {controller['kind']} {controller['name']}"
    )
    return f"{reference} {whose}, and its name is needed: delete or rename it"


def _controller(raw: Raw) -> Raw | None:
    references = raw.get("metadata", {}).get("ownerReferences") or ()
    return next((each for each in references if each.get("controller")), None)
