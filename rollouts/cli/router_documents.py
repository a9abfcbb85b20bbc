"""Which of some manifests do the traffic routers of a Rollout read?"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from rollouts.cli.manifests import Document
from rollouts.plan.leaving import reads_in
from rollouts.ports import Kit, Objects, Reference, picked
from rollouts.view import fields


def documents_read(rollout: Mapping[str, Any], documents: Sequence[Document], kit: Kit) -> dict[Reference, Document]:
    """Return the documents that are read, by what they are. Raises PluginError."""
    places = {_reference(each.content, rollout): each for each in documents}
    read = _read(rollout, places, kit)
    return {place: places[place] for place, raw in read.items() if raw is not None}


def objects_read(rollout: Mapping[str, Any], documents: Sequence[Document], kit: Kit) -> Objects | None:
    """Return what is read, None for what is named and in none of the documents; None if none of it is there."""
    read = wanted(rollout, documents, kit)
    return read if any(raw is not None for raw in read.values()) else None


def wanted(rollout: Mapping[str, Any], documents: Sequence[Document], kit: Kit) -> Objects:
    """Return what is read, None for what is named and in none of the documents."""
    return _read(rollout, {_reference(each.content, rollout): each for each in documents}, kit)


def is_about(message: str, place: Reference) -> bool:
    """Whether a problem is one of this very object: names begin like other names."""
    return re.search(rf"(?<!\w){re.escape(str(place))}(?![\w-]|\.\w)", message) is not None


def of_its_kind(place: Reference, documents: Sequence[Document]) -> list[str]:
    """Return the names of the documents of the kind that an object has."""
    kind = (place.group, place.kind)
    every = ((str(each.content.get("apiVersion")).rpartition("/")[0], each.content) for each in documents)
    return sorted({fields.name_of(content) for group, content in every if (group, content.get("kind")) == kind})


def _read(rollout: Mapping[str, Any], places: Mapping[Reference, Document], kit: Kit) -> Objects:
    home = fields.namespace_of(rollout)
    named = {**rollout, "metadata": {**fields.part(rollout, "metadata"), "namespace": home}}
    return picked(reads_in(named, kit), {place: each.content for place, each in places.items()})


def _reference(content: Mapping[str, Any], rollout: Mapping[str, Any]) -> Reference:
    """Return what a document is; without a namespace it is beside the Rollout."""
    return Reference(
        group=str(content.get("apiVersion")).rpartition("/")[0],
        kind=str(content.get("kind")),
        namespace=str(fields.part(content, "metadata").get("namespace") or fields.namespace_of(rollout)),
        name=fields.name_of(content),
    )
