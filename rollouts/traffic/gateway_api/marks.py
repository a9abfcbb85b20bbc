"""What does a route say about the Rollouts that are changing it just now?

A label tells others, Argo CD above all, that the route isn't as Git has it; an annotation counts the Rollouts that need
the label, because several may share a route. Both are those of Argo Rollouts' plugin. A second annotation, of our own,
lists what we have added.
"""

from typing import Any

from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.ports.router import Raw
from rollouts.traffic.additions import Added, Changes, metadata_patch, written_down

IN_PROGRESS = "rollouts.argoproj.io/gatewayapi-canary"
IN_PROGRESS_VALUE = "in-progress"
ACTIVE = "rollouts.argoproj.io/gatewayapi-active-rollouts"
ADDED = "rollouts.argoproj.io/gatewayapi-added"


def marks(raw: Raw, spec: GatewayApiTrafficRouting, rollout: str, added: Added, *, is_active: bool) -> dict[str, Any]:
    """Return the patch of the metadata that is due: nothing if all is as it should be."""
    annotations = (raw.get("metadata") or {}).get("annotations") or {}
    wanted_labels: Changes = {}
    wanted: Changes = {ADDED: written_down(raw, ADDED, rollout, added)}
    if not spec.disable_in_progress_label:
        active = {name for each in (annotations.get(ACTIVE) or "").split(",") if (name := each.strip())} - {rollout}
        active |= {rollout} if is_active else set()
        wanted[ACTIVE] = ",".join(sorted(active)) or None
        value = spec.in_progress_label_value or IN_PROGRESS_VALUE
        wanted_labels[spec.in_progress_label_key or IN_PROGRESS] = value if active else None
    return metadata_patch(raw, labels=wanted_labels, annotations=wanted)
