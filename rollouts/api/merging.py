"""What is an object after a merge patch (RFC 7386), and which patch makes another object of it?

The object itself stays as it is: every version can be kept.
"""

from collections.abc import Mapping
from typing import Any


def merged(target: Any, patch: Any) -> Any:
    """Return `target` with `patch` merged in; parts that don't change are shared between the two."""
    if not isinstance(patch, Mapping):
        return patch
    result = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def merge_patch(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the smallest RFC 7386 patch from `old` to `new`; empty when they are equal.

    A key that is gone becomes None, a list is replaced whole. RFC 7386 can't express a None *inside* `new`: such a key
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
