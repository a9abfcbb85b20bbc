"""How one JSON object becomes another over the wire: which patch types there are, and what the difference is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any


class PatchType(Enum):
    """The four ways in which an API server lets us change an object; the value is the content type."""

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the smallest RFC 7396 patch from `old` to `new`; empty when they are equal.

    A key that is gone becomes None, a list is replaced whole. RFC 7396 can't express a None *inside* `new`: such a key
    counts as absent, which is what an API server makes of it too.
    """
    patch: dict[str, Any] = {key: None for key, value in old.items() if value is not None and new.get(key) is None}
    for key, value in new.items():
        if value is None:
            continue
        before = old.get(key)
        if isinstance(value, Mapping):
            # Against anything but an object a merge starts from {}, so that an empty object must be sent as it is.
            inner = merge_patch(before if isinstance(before, Mapping) else {}, value)
            if inner or not isinstance(before, Mapping):
                patch[key] = inner
        elif value != before:
            patch[key] = value
    return patch
