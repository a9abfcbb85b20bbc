"""Which objects belong together? What owners, labels, selectors and names tell."""

from collections.abc import Mapping
from typing import Any

from rollouts.api import keys
from rollouts.api.selectors import selector_matches

Raw = Mapping[str, Any]


def owner_of(raw: Raw) -> str:
    """Return the uid of the object that controls this one, or an empty string."""
    references = raw["metadata"].get("ownerReferences") or ()
    return next((each["uid"] for each in references if each.get("controller")), "")


def hash_of(raw: Raw) -> str:
    """Return the pod template hash that a label tells, or an empty string."""
    labels: Raw = raw["metadata"].get("labels") or {}
    return str(labels.get(keys.POD_TEMPLATE_HASH, ""))


def selected_hash(raw: Raw) -> str:
    """Return the pod template hash that a ReplicaSet selects, or an empty string."""
    return str(raw["spec"]["selector"]["matchLabels"].get(keys.POD_TEMPLATE_HASH, ""))


def concerns(raw: Raw, uid: str, selector: Raw) -> bool:
    """Tell whether a ReplicaSet is the Rollout's, or could be: one that carries a hash, the label we find it by."""
    owner = owner_of(raw)
    if not hash_of(raw):
        return False
    if owner:
        return owner == uid
    try:
        return selector_matches(selector, raw["metadata"]["labels"])
    except ValueError:
        return False


def manager_of(service: Raw) -> str | None:
    """Return the name of the Rollout that a Service is managed by."""
    manager: str | None = (service["metadata"].get("annotations") or {}).get(keys.MANAGED_BY)
    return manager
