"""What is an object after a change? The object itself stays as it is: every version can be kept."""

from collections.abc import Mapping
from typing import Any

from rollouts.api.merging import merged
from rollouts.plan.actions import TemplateChange

__all__ = ["merged", "replaced", "with_template"]


def replaced(target: Mapping[str, Any], **parts: Any) -> dict[str, Any]:
    """Return `target` with whole parts exchanged."""
    return {**target, **parts}


def with_template(raw: Mapping[str, Any], change: TemplateChange) -> dict[str, Any]:
    """Return a ReplicaSet with another template; an affinity is exchanged whole."""
    template = raw["spec"]["template"]
    metadata = merged(template["metadata"], {"labels": change.labels, "annotations": change.annotations})
    spec = dict(template["spec"])
    if change.affinity is not None:
        spec = merged({**spec, "affinity": None}, {"affinity": change.affinity or None})
    return replaced(raw, spec=replaced(raw["spec"], template=replaced(template, metadata=metadata, spec=spec)))
