"""Whose is an object that a plan makes? A reference says so, a controller's label, and a name that nobody else has."""

from collections.abc import Collection, Iterable, Mapping
from itertools import count
from typing import Any

from rollouts.api import keys
from rollouts.api.names import API_VERSION, ROLLOUT
from rollouts.plan.observed import Refusal

Raw = Mapping[str, Any]


def owner_reference(owner: Raw, kind: str = ROLLOUT.name) -> dict[str, Any]:
    """Return the reference that makes an object the Rollout's, or that of an owner of another kind."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def instance_label(owner: Raw) -> dict[str, str]:
    """Return the label by which the owner's controller instance, if it has one, finds what is made for it."""
    instance = (owner["metadata"].get("labels") or {}).get(keys.INSTANCE_ID)
    return {keys.INSTANCE_ID: instance} if instance else {}


def free_name(base: str, separator: str, taken: Collection[str]) -> str:
    """Return the first name that nobody has: `base`, or it with a number."""
    names = (base if number == 0 else f"{base}{separator}{number}" for number in count())
    return next(name for name in names if name not in taken)


def taken_by_others(refusals: Iterable[Refusal], kind: str) -> set[str]:
    """Return the names that objects of a kind have which aren't the owner's, as far as refusals have told."""
    return {each.subject for each in refusals if each.kind == kind and each.name_is_taken}
