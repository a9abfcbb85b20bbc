"""What happens when an object is created or updated? Admission, defaults, validation, generation, field owners."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rollouts.devcluster import definitions
from rollouts.devcluster.defaults import FILL, select_by_uid
from rollouts.devcluster.errors import (
    ApiError,
    Cause,
    already_exists,
    bad_request,
    conflict,
    forbidden,
    forbidden_value,
    invalid,
    not_found,
)
from rollouts.devcluster.names import metadata_causes
from rollouts.devcluster.objects import Clock, Object, is_terminating, metadata, with_metadata
from rollouts.devcluster.ownership import Manager, after_update
from rollouts.devcluster.structure import Walk, kept
from rollouts.devcluster.validation import VALIDATE

if TYPE_CHECKING:
    from rollouts.devcluster.kinds import Kind, Kinds
    from rollouts.devcluster.store import Collection, Store

NAME_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
_SERVER_METADATA = ("uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds")


@dataclass(frozen=True, slots=True)
class Write:
    """Who writes, and how."""

    manager: str = "unknown"
    operation: str = "Update"
    subresource: str = ""
    field_validation: str = "Warn"
    dry_run: bool = False
    trusted: bool = False  # the cluster's own controllers: neither decoded nor tracked
    warnings: list[str] = field(default_factory=list)

    def owner(self, kind: Kind) -> Manager:
        """Return the writer as managedFields name it."""
        return Manager(self.manager, self.operation, kind.api_version, self.subresource)


INTERNAL = Write(trusted=True)


def random_suffix() -> str:
    """Return five characters as generateName appends them."""
    return "".join(random.choices(NAME_ALPHABET, k=5))  # noqa: S311 - a name, not a secret


class Api:
    """Reads and writes of objects, with an API server's rules. Synchronous: no write sees another one half done."""

    def __init__(self, store: Store, kinds: Kinds, clock: Clock) -> None:
        self.store = store
        self.kinds = kinds
        self.clock = clock
        self._addresses = 0

    def collection(self, kind: Kind) -> Collection:
        """Return the collection of a kind."""
        return self.store.collection(kind.resource)

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        """Return an object."""
        found = self.collection(kind).get((namespace, name))
        if found is None:
            raise not_found(kind, name)
        return found

    # --- create ---------------------------------------------------------------------------------------------------

    def create(self, kind: Kind, namespace: str, obj: Object, write: Write) -> Object:
        """Create an object."""
        self._check_identity(kind, namespace, "", obj)
        if kind.namespaced:
            self._check_namespace(kind, namespace, obj)
        obj = self._created(kind, namespace, obj if write.trusted else self._decoded(kind, obj, write))
        self._validate(kind, obj, None)
        name = obj["metadata"]["name"]
        if self.collection(kind).get((namespace, name)) is not None:
            raise already_exists(kind, name)
        if not write.trusted and write.operation == "Update":
            obj = after_update(kind.schema, None, obj, write.owner(kind), self.clock.stamp())
        obj = {**obj, "apiVersion": kind.stored_api_version, "kind": kind.kind}
        if write.dry_run:
            return obj
        return self.store.put(kind.resource, obj)

    def _created(self, kind: Kind, namespace: str, obj: Object) -> Object:
        meta = dict(obj.get("metadata") or {})
        if meta.get("resourceVersion"):
            raise ApiError(500, "", "resourceVersion should not be set on objects to be created")
        for name in (*_SERVER_METADATA, "selfLink", "resourceVersion"):
            meta.pop(name, None)
        if not meta.get("name") and meta.get("generateName"):
            meta["name"] = meta["generateName"][:58] + random_suffix()
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": self.clock.stamp()}
        if namespace:
            meta["namespace"] = namespace
        if kind.has_generation:
            meta["generation"] = 1
        obj = {**obj, "metadata": meta}
        if kind.has_status:
            obj.pop("status", None)
        self._fill(kind, obj)
        if kind.kind == "Job" and not kind.custom:
            select_by_uid(obj)
        if kind.kind == "Service" and not kind.custom:
            self._allocate_address(obj["spec"])
        return obj

    def _allocate_address(self, spec: Object) -> None:
        if spec["type"] == "ExternalName":
            return
        if not spec.get("clusterIP"):
            self._addresses += 1
            spec["clusterIP"] = f"10.96.{self._addresses // 250 % 250}.{self._addresses % 250 + 1}"
        spec["clusterIPs"] = [spec["clusterIP"]]

    def _check_namespace(self, kind: Kind, namespace: str, obj: Object) -> None:
        found = self.store.collection("namespaces").get(("", namespace))
        if found is None:
            details = {"name": namespace, "kind": "namespaces"}
            raise ApiError(404, "NotFound", f'namespaces "{namespace}" not found', details)
        if is_terminating(found):
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            cause = {"reason": "NamespaceTerminating", "message": f"namespace {namespace} is being terminated"}
            raise forbidden(kind, metadata(obj).get("name", ""), why, [{**cause, "field": "metadata.namespace"}])

    # --- update ---------------------------------------------------------------------------------------------------

    def update(self, kind: Kind, namespace: str, name: str, obj: Object, write: Write) -> Object:
        """Replace an object, or its status when that is the write's subresource."""
        live = self.get(kind, namespace, name)
        self._check_identity(kind, namespace, name, obj)
        self._check_preconditions(kind, live, metadata(obj))
        if kind.custom and not metadata(obj).get("resourceVersion"):
            cause = Cause(
                "metadata.resourceVersion", "FieldValueInvalid", "Invalid value: 0: must be specified for an update"
            )
            raise invalid(kind.kind, kind.group, name, [cause])
        if not write.trusted:
            obj = self._decoded(kind, obj, write)
        new = self._status_written(live, obj) if write.subresource == "status" else self._updated(kind, live, obj)
        if write.operation == "Apply":
            new = with_metadata(new, managedFields=metadata(obj).get("managedFields"))
        new = {**new, "apiVersion": live["apiVersion"], "kind": live["kind"]}
        if new == live:
            return live
        self._validate(kind, new, live)
        if not write.trusted and write.operation == "Update":
            new = after_update(kind.schema, live, new, write.owner(kind), self.clock.stamp())
        return self.settle(kind, live, new, dry_run=write.dry_run)

    def settle(self, kind: Kind, live: Object, new: Object, *, dry_run: bool = False) -> Object:
        """Store an object's next state: count the generation, or remove it when nothing holds it any longer."""
        if kind.has_generation and self._counts(kind, live, new):
            new = with_metadata(new, generation=live["metadata"].get("generation", 0) + 1)
        if dry_run:
            return new
        gone = is_terminating(new) and not new["metadata"].get("finalizers")
        if gone and not new["metadata"].get("deletionGracePeriodSeconds") and kind.resource != "namespaces":
            self.store.put(kind.resource, new)
            return self.store.remove(kind.resource, (new["metadata"].get("namespace", ""), new["metadata"]["name"]))
        return self.store.put(kind.resource, new)

    def _counts(self, kind: Kind, live: Object, new: Object) -> bool:
        if not kind.custom:
            is_other = any(live.get(part) != new.get(part) for part in ("spec", "template"))
            return is_other or _lost(live, new)
        ignored = {"metadata", "status"} if kind.has_status else {"metadata"}
        names = (live.keys() | new.keys()) - ignored
        return any(live.get(name) != new.get(name) for name in names) or _lost(live, new)

    def _updated(self, kind: Kind, live: Object, obj: Object) -> Object:
        kept_metadata = {name: live["metadata"].get(name) for name in (*_SERVER_METADATA, "namespace", "managedFields")}
        kept_metadata["resourceVersion"] = live["metadata"]["resourceVersion"]
        kept_metadata["generateName"] = live["metadata"].get("generateName")
        new = with_metadata(obj, **kept_metadata, selfLink=None)
        if kind.has_status:
            new.pop("status", None)
            if "status" in live:
                new["status"] = live["status"]
        if kind.resource == "services" and "clusterIP" not in new.get("spec", {}):
            allocated = {name: live["spec"][name] for name in ("clusterIP", "clusterIPs") if name in live["spec"]}
            new["spec"] = {**new.get("spec", {}), **allocated}
        self._fill(kind, new)
        return new

    @staticmethod
    def _status_written(live: Object, obj: Object) -> Object:
        new = {name: value for name, value in live.items() if name != "status"}
        if obj.get("status") is not None:
            new["status"] = obj["status"]
        return new

    # --- what both share ------------------------------------------------------------------------------------------

    def _fill(self, kind: Kind, obj: Object) -> None:
        fill = None if kind.custom else FILL.get(kind.kind)
        if fill is not None:
            fill(obj)
        if kind.resource == definitions.RESOURCE:
            definitions.admit(obj, self.clock.stamp())

    def _decoded(self, kind: Kind, obj: Object, write: Write) -> Object:
        walk = Walk(strict_types=not kind.custom)
        result: Object = kept(kind.schema, obj, walk)
        if kind.custom:
            typed = Walk(strict_types=True)
            schema = kind.schema["properties"]["metadata"]
            result["metadata"] = kept(schema, result.get("metadata") or {}, typed, "metadata")
            walk.mismatched += typed.mismatched
        prefix = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
        if walk.mismatched:
            raise bad_request(prefix + walk.mismatched[0])
        unknown = [f'unknown field "{path}"' for path in walk.unknown]
        if unknown and write.field_validation == "Strict":
            raise StrictDecodingError(prefix, "strict decoding error: " + ", ".join(unknown))
        if write.field_validation == "Warn":
            write.warnings.extend(unknown)
        return result

    def _validate(self, kind: Kind, obj: Object, before: Object | None) -> None:
        causes = metadata_causes(kind, obj)
        if before is not None and is_terminating(before):
            causes += _finalizer_causes(obj, before)
        if kind.validator is not None:
            causes += kind.validator.causes(obj)
            if before is not None:
                causes += kind.validator.changes(obj, before)
        elif not kind.custom and kind.kind in VALIDATE:
            causes += VALIDATE[kind.kind](obj, before)
        if causes:
            raise invalid(kind.kind, kind.group, metadata(obj).get("name", ""), causes)

    def _check_identity(self, kind: Kind, namespace: str, name: str, obj: Object) -> None:
        written = (obj.get("apiVersion", kind.api_version), obj.get("kind", kind.kind))
        if written[0] != kind.api_version:
            text = f"the API version in the data ({written[0]}) does not match the expected API version "
            raise bad_request(f"{text}({kind.api_version})")
        if written[1] != kind.kind:
            text = f"{written[1]} in version {kind.version!r} cannot be handled as a {kind.kind}"
            raise bad_request(text.replace("'", '"'))
        meta = metadata(obj)
        if not isinstance(meta, dict):
            raise bad_request(f"{kind.kind}: metadata must be an object")
        if name and meta.get("name", "") != name:
            text = f"the name of the object ({meta.get('name', '')}) does not match the name on the URL ({name})"
            raise bad_request(text)
        if meta.get("namespace") and kind.namespaced and meta["namespace"] != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")

    def _check_preconditions(self, kind: Kind, live: Object, asked: Object) -> None:
        name, uid, version = live["metadata"]["name"], asked.get("uid"), asked.get("resourceVersion")
        if uid and uid != live["metadata"]["uid"]:
            text = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {live['metadata']['uid']}"
            raise conflict(kind, name, text)
        if version and version != live["metadata"]["resourceVersion"]:
            raise conflict(kind, name)

    # --- for the cluster's own controllers --------------------------------------------------------------------------

    def put_status(self, kind: Kind, obj: Object, status: Object) -> Object:
        """Write a status, unless it is there already."""
        return obj if obj.get("status") == status else self.store.put(kind.resource, {**obj, "status": status})

    def put(self, kind: Kind, live: Object, new: Object) -> Object:
        """Write an object as it is, unless nothing changes."""
        return live if live == new else self.settle(kind, live, new)


class StrictDecodingError(ApiError):
    """Unknown fields under strict validation. Creating answers 400; a patch that leads there, 422."""

    def __init__(self, prefix: str, found: str) -> None:
        super().__init__(400, "BadRequest", prefix + found)
        self.found = found


def _lost(live: Object, new: Object) -> bool:
    return is_terminating(new) and not is_terminating(live)


def _finalizer_causes(obj: Object, before: Object) -> list[Cause]:
    old: Any = before["metadata"].get("finalizers") or []
    added = [each for each in obj["metadata"].get("finalizers") or [] if each not in old]
    if not added:
        return []
    shown = ", ".join(f'"{each}"' for each in added)
    text = f"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{shown}}}"
    return [forbidden_value("metadata.finalizers", text)]
