"""Which labels and annotations come and go with a ReplicaSet's role, and how do its pods come to show them?

They are laid over the template's own, in the template itself. Three annotations of the ReplicaSet remember: what has
been laid over (`ephemeral-metadata`), what the template says by itself under it (`overridden-metadata`), and, from the
very patch that changes the template until every pod shows it, the keys that pods may lack (`pending-metadata`). So the
pods' share is never forgotten, whoever dies in between, and pods made meanwhile from the older template are found, too.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rollouts.api import keys
from rollouts.api.meta import Metadata
from rollouts.plan.actions import PatchPod, TemplateChange
from rollouts.plan.observed import Pod, ReplicaSet

Raw = Mapping[str, Any]
Strings = Mapping[str, str]
Changes = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class PodMetadata:
    """Labels and annotations of pods."""

    labels: Strings = field(default_factory=dict)
    annotations: Strings = field(default_factory=dict)

    @classmethod
    def of(cls, metadata: Metadata | None) -> "PodMetadata":
        """Return what a strategy asks for."""
        return NONE if metadata is None else cls(metadata.labels or {}, metadata.annotations or {})

    @classmethod
    def read(cls, raw: Any) -> "PodMetadata":
        """Return what can be read of raw metadata; what is no text is somebody else's."""
        raw = raw if isinstance(raw, Mapping) else {}
        return cls(_strings(raw.get("labels")), _strings(raw.get("annotations")))

    def __bool__(self) -> bool:
        return bool(self.labels or self.annotations)

    def over(self, below: "PodMetadata") -> "PodMetadata":
        """Return this laid over `below`."""
        return PodMetadata({**below.labels, **self.labels}, {**below.annotations, **self.annotations})

    def without(self, other: "PodMetadata") -> "PodMetadata":
        """Return what has no key of `other`."""
        return PodMetadata(_without(self.labels, other.labels), _without(self.annotations, other.annotations))

    def under(self, other: "PodMetadata") -> "PodMetadata":
        """Return what has keys of `other`, and would be hidden by it."""
        return PodMetadata(_within(self.labels, other.labels), _within(self.annotations, other.annotations))

    def text(self) -> str | None:
        """Return it as an annotation holds it; None where there is nothing to hold."""
        return _text(labels=dict(sorted(self.labels.items())), annotations=dict(sorted(self.annotations.items())))


NONE: Final = PodMetadata()


@dataclass(frozen=True, slots=True)
class Record:
    """What a ReplicaSet's annotations remember: what is `laid` over its template, and what is `hidden` under it."""

    laid: PodMetadata = NONE
    hidden: PodMetadata = NONE

    @classmethod
    def of(cls, replica_set: Raw) -> "Record":
        """Read the record of a raw ReplicaSet. Whatever somebody has made of it: what its selector needs stays."""
        annotations = replica_set["metadata"].get("annotations") or {}
        if keys.EPHEMERAL_METADATA not in annotations:
            return _NO_RECORD
        laid = PodMetadata.read(_json(annotations[keys.EPHEMERAL_METADATA]))
        needed = (replica_set["spec"].get("selector") or {}).get("matchLabels") or {}
        hidden = PodMetadata.read(_json(annotations.get(keys.OVERRIDDEN_METADATA))).under(laid)
        hidden = replace(hidden, labels={k: v for k, v in hidden.labels.items() if needed.get(k, v) == v})
        return cls(laid.without(PodMetadata(_without(needed, hidden.labels))), hidden)

    def lifted(self, metadata: PodMetadata) -> PodMetadata:
        """Return a template's own metadata: without what is laid over, with what was hidden."""
        return self.hidden.over(metadata.without(self.laid))


_NO_RECORD: Final = Record()


def lay_over(own: PodMetadata, wanted: PodMetadata) -> tuple[PodMetadata, dict[str, str]]:
    """Return a new template's metadata with its role's laid over, and the annotations that remember it."""
    notes = {keys.EPHEMERAL_METADATA: wanted.text(), keys.OVERRIDDEN_METADATA: own.under(wanted).text()}
    return wanted.over(own), {key: value for key, value in notes.items() if value is not None}


def metadata_change(each: ReplicaSet, wanted: PodMetadata) -> tuple[TemplateChange, Changes]:
    """Return what turns a ReplicaSet's template into one with the metadata of its role, and what is to be remembered.

    Both are empty when all is as it should be.
    """
    if not wanted and keys.EPHEMERAL_METADATA not in each.annotations:
        return TemplateChange(), {}
    record, live = Record.of(each.raw), PodMetadata.read(each.template.get("metadata"))
    own = record.lifted(live)
    target, hidden = wanted.over(own), own.under(wanted)
    change = TemplateChange(_changes(live.labels, target.labels), _changes(live.annotations, target.annotations))
    notes: Changes = {}
    if record.laid != wanted or (not wanted and keys.EPHEMERAL_METADATA in each.annotations):
        notes[keys.EPHEMERAL_METADATA] = wanted.text()
    if record.hidden != hidden or (not hidden and keys.OVERRIDDEN_METADATA in each.annotations):
        notes[keys.OVERRIDDEN_METADATA] = hidden.text()
    if (change.labels or change.annotations) and _may_have_pods(each):
        notes[keys.PENDING_METADATA] = _pending_text(each, change)
    return change, notes


def _may_have_pods(each: ReplicaSet) -> bool:
    return each.size > 0 or each.replicas > 0 or not each.is_observed


@dataclass(frozen=True, slots=True)
class Pending:
    """The keys that pods may lack, or have too much, as a ReplicaSet's annotation names them."""

    labels: Collection[str]
    annotations: Collection[str]

    @classmethod
    def of(cls, each: ReplicaSet) -> "Pending | None":
        """Read them; None when the pods are known to be as they should be."""
        text = each.annotations.get(keys.PENDING_METADATA)
        if text is None:
            return None
        parts = _json(text)
        return cls(_names(parts.get("labels")), _names(parts.get("annotations")))

    def patch_for(self, pod: Pod, template: PodMetadata) -> PatchPod | None:
        """Return what makes a pod look like its ReplicaSet's template; nothing if it does already."""
        labels = _differences(self.labels, pod.labels, template.labels)
        annotations = _differences(self.annotations, pod.annotations, template.annotations)
        return PatchPod(pod.name, pod.uid, labels, annotations) if labels or annotations else None


def _pending_text(each: ReplicaSet, change: TemplateChange) -> str | None:
    before = Pending.of(each) or Pending((), ())
    return _text(
        labels=sorted({*before.labels, *change.labels}), annotations=sorted({*before.annotations, *change.annotations})
    )


def seen_record(each: ReplicaSet) -> Changes:
    """Return the annotations that a write of template and record relies on: they must still be what was seen."""
    seen: Changes = {keys.EPHEMERAL_METADATA: each.annotations.get(keys.EPHEMERAL_METADATA)}
    if keys.PENDING_METADATA in each.annotations:
        seen[keys.PENDING_METADATA] = each.annotations[keys.PENDING_METADATA]
    return seen


def _changes(before: Strings, after: Strings) -> Changes:
    """Return what turns `before` into `after`; None removes."""
    return _differences(sorted({*before, *after}), before, after)


def _differences(names: Collection[str], before: Strings, after: Strings) -> Changes:
    return {name: after.get(name) for name in names if before.get(name) != after.get(name)}


def _without(part: Strings, others: Strings) -> Strings:
    return {key: value for key, value in part.items() if key not in others}


def _within(part: Strings, others: Strings) -> Strings:
    return {key: value for key, value in part.items() if key in others}


def _strings(value: Any) -> Strings:
    pairs = value.items() if isinstance(value, Mapping) else ()
    return {key: each for key, each in pairs if isinstance(key, str) and isinstance(each, str)}


def _names(value: Any) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _text(**parts: Any) -> str | None:
    full = {name: part for name, part in parts.items() if part}
    return json.dumps(full, separators=(",", ":")) if full else None


def _json(text: Any) -> Raw:
    """Read an annotation that anybody may have edited: what can't be read says nothing."""
    try:
        value = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):  # the latter for brackets in brackets in brackets
        return {}
    return value if isinstance(value, Mapping) else {}
