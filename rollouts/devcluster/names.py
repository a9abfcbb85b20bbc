"""Which names, labels and annotations may an object have?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rollouts.devcluster.errors import Cause, missing_value, wrong_value
from rollouts.devcluster.objects import metadata

if TYPE_CHECKING:
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Object

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SERVICE = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_PATH_SEGMENT = re.compile(r"(?!\.\.?$)[^/%]+")
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_TOO_LONG_ANNOTATIONS = 262_144

LABEL_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with "
    "an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_SERVICE_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_KEY_TEXT = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)


def is_label(name: str) -> bool:
    """Say whether a name is a DNS label, as containers, namespaces and volumes have."""
    return len(name) <= 63 and _LABEL.fullmatch(name) is not None


def name_causes(field: str, name: str, rule: str) -> list[Cause]:
    """Check a name by the rule `label`, `service`, `subdomain` or `path`."""
    pattern, most, text = {
        "label": (_LABEL, 63, LABEL_TEXT),
        "service": (_SERVICE, 63, _SERVICE_TEXT),
        "subdomain": (_SUBDOMAIN, 253, _SUBDOMAIN_TEXT),
        "path": (_PATH_SEGMENT, 253, "may not contain '/' or '%' or be '.' or '..'"),
    }[rule]
    causes = []
    if len(name) > most:
        causes.append(wrong_value(field, name, f"must be no more than {most} characters"))
    if not pattern.fullmatch(name):
        causes.append(wrong_value(field, name, text))
    return causes


def _rule(kind: Kind) -> str:
    if kind.kind == "Service" and not kind.group:
        return "service"
    if kind.kind == "Namespace" and not kind.group:
        return "label"
    return "path" if kind.group == "rbac.authorization.k8s.io" else "subdomain"


def label_key_causes(field: str, key: str) -> list[Cause]:
    """Check the key of a label or an annotation."""
    prefix, slash, name = key.rpartition("/")
    if slash and not (_SUBDOMAIN.fullmatch(prefix) and len(prefix) <= 253):
        return [wrong_value(field, key, f"prefix part {_SUBDOMAIN_TEXT}")]
    if not name:
        return [wrong_value(field, key, "name part must be non-empty"), wrong_value(field, key, _KEY_TEXT)]
    if len(name) > 63:
        return [wrong_value(field, key, "name part must be no more than 63 characters")]
    return [] if _QUALIFIED.fullmatch(name) else [wrong_value(field, key, _KEY_TEXT)]


def label_causes(field: str, labels: Any) -> list[Cause]:
    """Check labels: their keys and their values."""
    causes: list[Cause] = []
    for key, value in (labels or {}).items():
        causes += label_key_causes(field, key)
        if len(value) > 63:
            causes.append(wrong_value(field, value, "must be no more than 63 characters"))
        elif value and not _QUALIFIED.fullmatch(value):
            causes.append(wrong_value(field, value, _VALUE_TEXT))
    return causes


def metadata_causes(kind: Kind, obj: Object) -> list[Cause]:
    """Check an object's metadata."""
    meta = metadata(obj)
    name = meta.get("name") or ""
    if not name:
        return [missing_value("metadata.name", "name or generateName is required")]
    causes = name_causes("metadata.name", name, _rule(kind))
    causes += label_causes("metadata.labels", meta.get("labels"))
    annotations = meta.get("annotations") or {}
    for key in annotations:
        causes += label_key_causes("metadata.annotations", key.lower())
    if sum(len(key) + len(value) for key, value in annotations.items()) > _TOO_LONG_ANNOTATIONS:
        text = f"Too long: may not be more than {_TOO_LONG_ANNOTATIONS} bytes"
        causes.append(Cause("metadata.annotations", "FieldValueTooLong", text))
    for finalizer in meta.get("finalizers") or []:
        causes += label_key_causes("metadata.finalizers", finalizer)
    for index, owner in enumerate(meta.get("ownerReferences") or []):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                causes.append(wrong_value(f"metadata.ownerReferences[{index}].{field}", "", "must not be empty"))
    if sum(bool(owner.get("controller")) for owner in meta.get("ownerReferences") or []) > 1:
        text = "Only one reference can have Controller set to true"
        causes.append(wrong_value("metadata.ownerReferences", "", text))
    return causes
