"""What does a person read when something fails? One line: which object, why, and the way out."""

from collections.abc import Callable
from typing import Any

from rollouts.cli.kinds import kind_of
from rollouts.kube import errors
from rollouts.kube.errors import ApiError, KubeError


class CommandError(Exception):
    """A command can't do what it was asked; the message is for people."""


def _not_found(error: ApiError, subject: str, namespace: str) -> str:
    if not error.details.get("name"):
        return (
            f"{subject}: this API server knows no such resource; "
            "install the kinds with `rollouts crds | kubectl apply --server-side -f -`"
        )
    word = str(error.details.get("kind") or "object")
    kind = kind_of(word)
    where = f"{kind.noun if kind else word} {error.details['name']!r} not found in namespace {namespace!r}"
    if kind is None:
        return where
    return f"{where}: `rollouts list {kind.plural} -A` shows all, -n names another namespace"


def _forbidden(error: ApiError, subject: str, _: str) -> str:
    return f"{subject}: not allowed: {error.message}; ask for a role, or choose other credentials with --context"


def _unauthorized(_: ApiError, subject: str, __: str) -> str:
    return f"{subject}: the API server doesn't accept these credentials: log in again, or name another --context"


def _unreachable(error: ApiError, subject: str, _: str) -> str:
    return f"{subject}: no answer: {error.message}"


def _conflict(error: ApiError, subject: str, _: str) -> str:
    return f"{subject}: somebody else changed it in the meantime: look at it and try again ({error.message})"


def _invalid(error: ApiError, subject: str, _: str) -> str:
    return f"{subject}: the API server refuses the change: {error.message}"


_LINES: dict[type[KubeError], Callable[[Any, str, str], str]] = {
    errors.NotFound: _not_found,
    errors.Forbidden: _forbidden,
    errors.Unauthorized: _unauthorized,
    errors.Unreachable: _unreachable,
    errors.Conflict: _conflict,
    errors.Invalid: _invalid,
}


def describe(error: KubeError, subject: str, namespace: str) -> str:
    """Return the line for an error that came while `subject` was being read or changed."""
    line = _LINES.get(type(error))
    if line is not None:
        return line(error, subject, namespace)
    if isinstance(error, ApiError):
        return f"{subject}: the API server failed: {error.message}; try again"
    return str(error)
