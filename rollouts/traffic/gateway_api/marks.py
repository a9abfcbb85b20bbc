"""What does a route say about the Rollouts that are changing it just now?

A label tells others, Argo CD above all, that the route isn't as Git has it; an annotation counts the Rollouts that need
the label, because several may share a route. Both are those of Argo Rollouts' plugin. A second annotation, of our own,
lists what we have added: without it nobody could tell our rules and backends from other people's.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.api.gateway_api import GatewayApiTrafficRouting
from rollouts.ports.router import Raw

IN_PROGRESS = "rollouts.argoproj.io/gatewayapi-canary"
IN_PROGRESS_VALUE = "in-progress"
ACTIVE = "rollouts.argoproj.io/gatewayapi-active-rollouts"
ADDED = "rollouts.argoproj.io/gatewayapi-added"

Changes = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Added:
    """What a Rollout has added to a route: rules, by their names with digests, and backends, by their Services."""

    rules: Mapping[str, str] = field(default_factory=dict)
    backends: tuple[str, ...] = ()


def added_by(raw: Raw, rollout: str) -> Added:
    """Return what a Rollout (namespace/name) has added to a route."""
    entry = _all_added(raw).get(rollout)
    if not isinstance(entry, dict):
        return Added()
    rules, backends = entry.get("rules"), entry.get("backends")
    return Added(
        {str(name): str(said) for name, said in rules.items()} if isinstance(rules, dict) else {},
        tuple(map(str, backends)) if isinstance(backends, list) else (),
    )


def marks(raw: Raw, spec: GatewayApiTrafficRouting, rollout: str, added: Added, *, is_active: bool) -> dict[str, Any]:
    """Return the patch of the metadata that is due: nothing if all is as it should be."""
    metadata = raw.get("metadata") or {}
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    wanted_labels: Changes = {}
    wanted: Changes = {ADDED: _written(_all_added(raw), rollout, added)}
    if not spec.disable_in_progress_label:
        active = {name for each in (annotations.get(ACTIVE) or "").split(",") if (name := each.strip())} - {rollout}
        active |= {rollout} if is_active else set()
        wanted[ACTIVE] = ",".join(sorted(active)) or None
        value = spec.in_progress_label_value or IN_PROGRESS_VALUE
        wanted_labels[spec.in_progress_label_key or IN_PROGRESS] = value if active else None
    changes = {"labels": _changes(labels, wanted_labels), "annotations": _changes(annotations, wanted)}
    return {key: change for key, change in changes.items() if change != {}}


def _changes(now: Mapping[str, str], wanted: Changes) -> Changes | None:
    """Return what is to be merged; None where nothing would be left."""
    changes = {key: value for key, value in wanted.items() if now.get(key) != value}
    is_last = bool(changes) and not any(changes.values()) and not now.keys() - changes.keys()
    return None if is_last else changes


def _all_added(raw: Raw) -> dict[str, Any]:
    """Return what the annotation says; what can't be read says nothing."""
    text = ((raw.get("metadata") or {}).get("annotations") or {}).get(ADDED) or "{}"
    try:
        every = json.loads(text)
    except ValueError:
        return {}
    return every if isinstance(every, dict) else {}


def _written(every: dict[str, Any], rollout: str, added: Added) -> str | None:
    mine: dict[str, Any] = {"rules": dict(added.rules)} if added.rules else {}
    mine |= {"backends": list(added.backends)} if added.backends else {}
    every = {name: entry for name, entry in every.items() if name != rollout} | ({rollout: mine} if mine else {})
    return json.dumps(every, sort_keys=True, separators=(",", ":")) if every else None
