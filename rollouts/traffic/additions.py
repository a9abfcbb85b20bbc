"""What have we added to an object of other people's?

An annotation lists it, by Rollout, because several may share an object: without it nobody could tell our rules and
destinations from other people's. Nothing is left of it once all that we have added is gone.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollouts.ports.router import Raw

Changes = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Added:
    """What a Rollout has added: rules, by their names with digests, and backends, by their names."""

    rules: Mapping[str, str] = field(default_factory=dict)
    backends: tuple[str, ...] = ()


def added_by(raw: Raw, annotation: str, rollout: str) -> Added:
    """Return what a Rollout (namespace/name) has added to an object."""
    return _read(_all_added(raw, annotation).get(rollout))


def rules_of_others(raw: Raw, annotation: str, rollout: str) -> dict[str, str]:
    """Return the rules that other Rollouts have added to an object, by their names with digests."""
    every = _all_added(raw, annotation).items()
    return {rule: said for name, entry in every if name != rollout for rule, said in _read(entry).rules.items()}


def _read(entry: Any) -> Added:
    if not isinstance(entry, dict):
        return Added()
    rules, backends = entry.get("rules"), entry.get("backends")
    return Added(
        {str(name): str(said) for name, said in rules.items()} if isinstance(rules, dict) else {},
        tuple(map(str, backends)) if isinstance(backends, list) else (),
    )


def written_down(raw: Raw, annotation: str, rollout: str, added: Added) -> str | None:
    """Return what the annotation is to say; None for nothing."""
    mine: dict[str, Any] = {"rules": dict(added.rules)} if added.rules else {}
    mine |= {"backends": list(added.backends)} if added.backends else {}
    every = {name: entry for name, entry in _all_added(raw, annotation).items() if name != rollout}
    every |= {rollout: mine} if mine else {}
    return json.dumps(every, sort_keys=True, separators=(",", ":")) if every else None


def _all_added(raw: Raw, annotation: str) -> dict[str, Any]:
    """Return what the annotation says; what can't be read says nothing."""
    text = ((raw.get("metadata") or {}).get("annotations") or {}).get(annotation) or "{}"
    try:
        every = json.loads(text)
    except ValueError:
        return {}
    return every if isinstance(every, dict) else {}


def metadata_patch(raw: Raw, *, labels: Changes | None = None, annotations: Changes | None = None) -> dict[str, Any]:
    """Return the patch of the metadata that is due: nothing if all is as it should be."""
    metadata = raw.get("metadata") or {}
    wanted = {"labels": labels or {}, "annotations": annotations or {}}
    changes = {key: _changes(metadata.get(key) or {}, each) for key, each in wanted.items()}
    return {key: change for key, change in changes.items() if change != {}}


def _changes(now: Mapping[str, str], wanted: Changes) -> Changes | None:
    """Return what is to be merged; None where nothing would be left."""
    changes = {key: value for key, value in wanted.items() if now.get(key) != value}
    is_last = bool(changes) and not any(changes.values()) and not now.keys() - changes.keys()
    return None if is_last else changes
