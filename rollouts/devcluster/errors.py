"""Which Status does the API server answer when it refuses a request?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from rollouts.devcluster.kinds import Kind
    from rollouts.devcluster.objects import Object


class ApiError(Exception):
    """A refusal, as the Status object that the client receives."""

    def __init__(self, code: int, reason: str, message: str, details: Object | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details

    def status(self) -> Object:
        """Return the Status object."""
        status: Object = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return {**status, "code": self.code}


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that is wrong with an object: where, and why."""

    field: str
    reason: str
    text: str

    def detail(self) -> Object:
        """Return the cause as an entry of Status.details.causes."""
        return {"reason": self.reason, "message": self.text, "field": self.field}

    def __str__(self) -> str:
        return f"{self.field}: {self.text}" if self.field else self.text


def shown(value: Any) -> str:
    """Write a value as the API server quotes it in a message."""
    if isinstance(value, str | dict | list) or value is None or isinstance(value, bool):
        return orjson.dumps(value).decode()
    return str(value)


def wrong_value(field: str, value: Any, text: str) -> Cause:
    """Blame a field's value."""
    return Cause(field, "FieldValueInvalid", f"Invalid value: {shown(value)}: {text}")


def missing_value(field: str, text: str = "") -> Cause:
    """Blame a field's absence."""
    return Cause(field, "FieldValueRequired", f"Required value: {text}" if text else "Required value")


def unsupported_value(field: str, value: Any, supported: list[str]) -> Cause:
    """Blame a value that is none of those the field knows."""
    known = ", ".join(shown(each) for each in supported)
    return Cause(field, "FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {known}")


def forbidden_value(field: str, text: str) -> Cause:
    """Blame a field that must not be given, or not changed."""
    return Cause(field, "FieldValueForbidden", f"Forbidden: {text}")


def duplicate_value(field: str, value: Any) -> Cause:
    """Blame a value that occurs twice in a list whose items must differ."""
    return Cause(field, "FieldValueDuplicate", f"Duplicate value: {shown(value)}")


def _details(kind: Kind, name: str) -> Object:
    details = {"name": name} if name else {}
    if kind.group:
        details["group"] = kind.group
    return {**details, "kind": kind.plural}


def not_found(kind: Kind, name: str) -> ApiError:
    """Say that no object has this name."""
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', _details(kind, name))


def already_exists(kind: Kind, name: str) -> ApiError:
    """Say that an object of this name is there."""
    return ApiError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', _details(kind, name))


def conflict(kind: Kind, name: str, why: str = "") -> ApiError:
    """Say that somebody else wrote the object in between."""
    why = why or "the object has been modified; please apply your changes to the latest version and try again"
    text = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", text, _details(kind, name))


def forbidden(kind: Kind, name: str, why: str, causes: list[Object] | None = None) -> ApiError:
    """Say that the request is understood and refused."""
    details = _details(kind, name)
    if causes:
        details["causes"] = causes
    return ApiError(403, "Forbidden", f'{kind.resource} "{name}" is forbidden: {why}', details)


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> ApiError:
    """Say that the object breaks the rules of its kind."""
    texts = list(dict.fromkeys(str(cause) for cause in causes))
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    qualified = f"{kind}.{group}" if group else kind
    details: Object = {"name": name} if name else {}
    if group:
        details["group"] = group
    if kind:
        details["kind"] = kind
    details["causes"] = [cause.detail() for cause in causes]
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {text}', details)


def bad_request(message: str) -> ApiError:
    """Say that the request itself makes no sense."""
    return ApiError(400, "BadRequest", message)


def unprocessable() -> ApiError:
    """Say that a JSON patch does not apply."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def method_not_allowed() -> ApiError:
    """Say that the resource has no such verb."""
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def unsupported_media_type(accepted: list[str], way_out: str = "") -> ApiError:
    """Say that the body's format is unknown."""
    types = ", ".join(accepted)
    text = f"the body of the request was in an unknown format - accepted media types include: {types}{way_out}"
    return ApiError(415, "UnsupportedMediaType", text)


def not_acceptable() -> ApiError:
    """Say that the client reads no format that is served."""
    return ApiError(406, "NotAcceptable", "only the following media types are accepted: application/json")


def expired(message: str) -> ApiError:
    """Say that the history that the request needs is gone."""
    return ApiError(410, "Expired", message)


def too_large_revision(asked: int, current: int) -> ApiError:
    """Say that the client has seen a resource version that the server has not."""
    text = f"Timeout: Too large resource version: {asked}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", text, {"causes": causes, "retryAfterSeconds": 1})


def no_such_resource() -> ApiError:
    """Say that a group has no such resource, or a resource no such part."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def not_served(what: str) -> ApiError:
    """Say that Kubernetes has it and this cluster does not."""
    return ApiError(501, "NotImplemented", f"the dev cluster does not serve {what}")
