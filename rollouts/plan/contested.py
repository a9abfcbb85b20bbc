"""Who else writes to an object of a traffic router, and what can a person do about it?"""

from collections.abc import Mapping
from typing import Any

from rollouts.ports import Reference

Raw = Mapping[str, Any]

SOMEBODY = "somebody else"


def last_writer(raw: Raw, ours: str) -> str:
    """Return the field manager that has written an object last, but for us, and but for its status."""
    every = [each for each in _entries(raw) if each.get("manager") not in (ours, None) and not each.get("subresource")]
    return str(max(every, key=_time)["manager"]) if every else SOMEBODY


def overwriter(raw: Raw, ours: str) -> str:
    """Return the field manager that has written an object after us; empty if there is none."""
    entries = [each for each in _entries(raw) if not each.get("subresource")]
    mine = [_time(each) for each in entries if each.get("manager") == ours]
    others = [_time(each) for each in entries if each.get("manager") not in (ours, None)]
    return last_writer(raw, ours) if mine and others and max(others) >= max(mine) else ""


def in_words(reference: Reference, writer: str) -> str:
    """Say who fights over an object with the Rollout, and what ends it."""
    return (
        f"{writer} has changed back what the Rollout writes to {reference}: have it leave that to the Rollout, "
        "in Argo CD by ignoreDifferences with RespectIgnoreDifferences=true"
    )


def _entries(raw: Raw) -> list[Raw]:
    found = (raw.get("metadata") or {}).get("managedFields")
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _time(entry: Raw) -> str:
    return str(entry.get("time") or "")
