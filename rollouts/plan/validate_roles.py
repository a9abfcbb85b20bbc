"""Can pods carry what a strategy adds to them because of their role? Problems by the field below the strategy."""

from collections.abc import Iterator, Mapping
from typing import Any

from rollouts.api import keys
from rollouts.api.meta import Metadata
from rollouts.api.placement import AntiAffinity
from rollouts.api.selectors import is_label_key, is_label_value, selector_matches

Raw = Mapping[str, Any]
Found = Iterator[tuple[str, str]]

# Kubernetes' limit on all annotations of an object together.
MOST_ANNOTATIONS = 256 * 1024
_KEY_RULE = (
    "a key is a name of up to 63 letters, digits, '-', '_' and '.', with or without a domain in lower case and a slash"
    " before it"
)


def metadata_problems(fields: Mapping[str, Metadata | None], spec: Raw) -> Found:
    """Yield what is wrong with a strategy's metadata for pods; what the API server refused would hold scaling up."""
    for field, metadata in fields.items():
        if metadata is None:
            continue
        for key, value in (metadata.labels or {}).items():
            if (message := _label_problem(key, value)) is not None:
                yield f"{field}.labels", message
        for key in metadata.annotations or {}:
            if not is_label_key(key.lower()):
                yield f"{field}.annotations", f'"{key}" is no annotation\'s key: {_KEY_RULE}'
        if sum(len(text.encode()) for pair in (metadata.annotations or {}).items() for text in pair) > MOST_ANNOTATIONS:
            yield f"{field}.annotations", f"has more than {MOST_ANNOTATIONS} bytes: shorten it"
        if (message := _selector_problem(metadata.labels or {}, spec)) is not None:
            yield f"{field}.labels", message


def _label_problem(key: str, value: str) -> str | None:
    if key == keys.POD_TEMPLATE_HASH:
        return f'"{key}" tells ReplicaSets apart and can\'t be set: choose another key'
    if not is_label_key(key):
        return f'"{key}" is no label\'s key: {_KEY_RULE}'
    if not is_label_value(value):
        return (
            f'{key}: "{value}" is no label\'s value: up to 63 letters, digits, "-", "_" and ".", with a letter or digit'
            " at both ends; put other texts into annotations"
        )
    return None


def _selector_problem(labels: Mapping[str, str], spec: Raw) -> str | None:
    """Say which labels would take pods away from their ReplicaSet."""
    selector = spec.get("selector") or {}
    own = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    try:
        if not selector_matches(selector, own) or selector_matches(selector, {**own, **labels}):
            return None
    except ValueError:
        return None  # the selector has a problem of its own
    return f"{dict(labels)} would take pods out of spec.selector {dict(selector)}: set labels that it doesn't ask for"


def anti_affinity_problems(wanted: AntiAffinity | None) -> Found:
    """Yield what is wrong with a strategy's antiAffinity."""
    if wanted is None:
        return
    kinds = "requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"
    if wanted.required is not None and wanted.preferred is not None:
        yield "antiAffinity", f"has both {kinds[0]} and {kinds[1]}: keep one of them"
    elif wanted.required is None and wanted.preferred is None:
        yield "antiAffinity", f"says nothing: set {kinds[0]} ({{}}) or {kinds[1]} (weight: 1 to 100)"
    elif wanted.preferred is not None and not 1 <= wanted.preferred.weight <= 100:
        yield f"antiAffinity.{kinds[1]}.weight", f"{wanted.preferred.weight} is out of range: must be 1 to 100"
