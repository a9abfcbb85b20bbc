"""Which resource does a request's path name, and what do its headers and query ask for?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from rollouts.devcluster.api import Write
from rollouts.devcluster.errors import bad_request, invalid, not_acceptable, unsupported_media_type, unsupported_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rollouts.devcluster.kinds import Kind, Kinds
    from rollouts.devcluster.objects import Object

_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"", "0", "f", "F", "FALSE", "false", "False"})
_NO_PROTOBUF = (
    ". The dev cluster reads no protobuf, which `kubectl create KIND` sends: "
    "add --dry-run=client -o yaml and pipe it to `kubectl apply -f -`"
)
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})


@dataclass(frozen=True, slots=True)
class Target:
    """What a path names: a collection (without name), an object, or a subresource of it."""

    kind: Kind
    namespace: str | None  # None: all namespaces, or a cluster-scoped kind
    name: str = ""
    subresource: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """The key of the object."""
        return self.namespace or "", self.name


def parse_path(kinds: Kinds, path: str) -> Target | None:
    """Read /api/v1/... or /apis/GROUP/VERSION/...; None when no such resource is served."""
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2 and not (group == "" and rest[2] in _NAMESPACE_SUBRESOURCES):
        namespace, rest = rest[1], rest[2:]
    kind = kinds.find(group, version, rest[0])
    if kind is None or (namespace is not None) > kind.namespaced or len(rest) > 3:
        return None
    if kind.namespaced and namespace is None and len(rest) > 1:
        return None
    return Target(kind, namespace, *rest[1:])


def parse_bool(query: Mapping[str, str], name: str) -> bool:
    """Read a query's flag as Go does; Python clients write True."""
    text = query.get(name, "")
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise bad_request(f'strconv.ParseBool: parsing "{text}": invalid syntax')


def read_body(media_type: str, body: bytes) -> Object:
    """Read an object from a request's body."""
    if media_type in {"", "application/json", "application/octet-stream"}:
        try:
            parsed: Any = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    elif media_type in {"application/yaml", "text/yaml"}:
        try:
            parsed = yaml.safe_load(body)
        except yaml.YAMLError as error:
            raise bad_request(f"error converting YAML to JSON: {error}") from error
    else:
        raise unsupported_media_type(["application/json", "application/yaml"], _NO_PROTOBUF)
    if not isinstance(parsed, dict):
        raise bad_request("the body of the request is not an object")
    return parsed


def read_write(query: Mapping[str, str], user_agent: str, target: Target, *, apply: bool = False) -> Write:
    """Read who writes, and how, from a query."""
    dry_run = query.get("dryRun", "")
    if dry_run not in {"", "All"}:
        raise invalid("CreateOptions", "meta.k8s.io", "", [unsupported_value("dryRun", [dry_run], ["All"])])
    validation = query.get("fieldValidation") or "Warn"
    if validation not in {"Strict", "Warn", "Ignore"}:
        cause = unsupported_value("fieldValidation", validation, ["", "Ignore", "Strict", "Warn"])
        raise invalid("CreateOptions", "meta.k8s.io", "", [cause])
    manager = query.get("fieldManager") or ("" if apply else user_agent.partition("/")[0][:128] or "unknown")
    return Write(
        manager=manager,
        subresource=target.subresource,
        field_validation=validation,
        dry_run=bool(dry_run),
    )


def wanted_form(accept: str) -> str:
    """Return the form that a client reads best: Object, Table or PartialObjectMetadata."""
    understood = False
    for each in accept.split(",") if accept else ["*/*"]:
        media_type, *parameters = (part.strip() for part in each.split(";"))
        if media_type not in {"application/json", "*/*", "application/*", "text/plain", "application/yaml"}:
            continue
        understood = True
        form = next((part[3:] for part in parameters if part.startswith("as=")), "")
        if form in {"Table", "PartialObjectMetadata", "PartialObjectMetadataList"}:
            return form.removesuffix("List")
        if not form:
            return "Object"
    if not understood:
        raise not_acceptable()
    return "Object"
