"""Does an object match a label selector or a field selector?"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from rollouts.api.selectors import Selector, parse_selector, selector_matches
from rollouts.devcluster.errors import bad_request
from rollouts.devcluster.kinds import Kind
from rollouts.devcluster.objects import Object, labels_of, value_at

# the fields that each kind can be selected by, besides its name and namespace
_FIELDS: dict[str, frozenset[str]] = {
    "Pod": frozenset(
        (
            *("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName"),
            *("status.phase", "status.podIP", "status.nominatedNodeName", "spec.hostNetwork"),
        )
    ),
    "Event": frozenset(
        (
            *(f"involvedObject.{name}" for name in ("kind", "namespace", "name", "uid", "apiVersion")),
            *("involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "source", "type"),
            "reportingComponent",
        )
    ),
    "Namespace": frozenset({"status.phase"}),
    "Secret": frozenset({"type"}),
    "ReplicaSet": frozenset({"status.replicas"}),
    "Job": frozenset({"status.successful"}),
}


def selects(selector: Object | None, labels: dict[str, str]) -> bool:
    """Say whether a LabelSelector matches; an absent one matches nothing."""
    return selector is not None and selector_matches(selector, labels)


def _field(obj: Object, field: str) -> str:
    if field == "reportingComponent":
        return obj.get("reportingComponent") or value_at(obj, ("source", "component")) or ""
    path = ("source", "component") if field == "source" else tuple(field.split("."))
    value = value_at(obj, path)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _field_requirement(kind: Kind, text: str) -> Callable[[Object], bool]:
    found = re.match(r"^([^=!]+)(==|=|!=)(.*)$", text)
    if not found:
        raise bad_request(f"invalid selector: {text!r}; can't understand {text!r}")
    field, operator, value = found.groups()
    own = _FIELDS.get(kind.kind if not kind.custom else "", frozenset())
    if field not in own | {"metadata.name", "metadata.namespace"}:
        if own or kind.custom:
            raise bad_request(f"field label not supported: {field}")
        text = 'is not a known field selector: only "metadata.name", "metadata.namespace"'
        raise bad_request(f'"{field}" {text}')
    if operator == "!=":
        return lambda obj: _field(obj, field) != value
    return lambda obj: _field(obj, field) == value


def parse_fields(kind: Kind, text: str) -> Callable[[Object], bool]:
    """Turn a query's fieldSelector into a predicate over objects."""
    matchers = [_field_requirement(kind, each) for each in text.split(",") if each]
    return lambda obj: all(matches(obj) for matches in matchers)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which objects of a collection a request is about."""

    namespace: str | None
    labels: Selector | None = None
    fields: Callable[[Object], bool] | None = None

    def matches(self, obj: Object) -> bool:
        """Say whether the request is about this object."""
        if self.namespace is not None and obj["metadata"].get("namespace") != self.namespace:
            return False
        if self.labels is not None and not self.labels.matches(labels_of(obj)):
            return False
        return self.fields is None or self.fields(obj)


def parse_filter(kind: Kind, namespace: str | None, query: dict[str, str]) -> Filter:
    """Read the selectors of a query."""
    try:
        labels = parse_selector(query["labelSelector"]) if query.get("labelSelector") else None
    except ValueError as error:
        raise bad_request(f"unable to parse requirement: {error}") from error
    fields = parse_fields(kind, query["fieldSelector"]) if query.get("fieldSelector") else None
    return Filter(namespace, labels, fields)
