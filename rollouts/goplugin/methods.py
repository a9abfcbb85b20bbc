"""Which methods do compiled plugins have, what are they handed, and what do they answer?

What is handed over is in the notation of the API's objects, by the names of its parts in Go.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from rollouts.goplugin.gob import INTERFACE, Boxed, GobError, Struct, Type
from rollouts.goplugin.handshake import Kind
from rollouts.goplugin.objects import notation

Raw = Mapping[str, Any]

_SECOND = 1_000_000_000
_VERIFIED, _NOT_IMPLEMENTED = 1, 2


class SaidError(Exception):
    """What a plugin says has gone wrong."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What a method is handed: `name` is what both sides have registered it as, `type` has its parts."""

    name: str
    type: Struct
    kinds: Mapping[str, str]

    def boxed(self, values: Raw) -> Boxed:
        """Return an argument in gob. Raises GobError."""
        held = {part: notation(self.kinds[part]).to_gob(value) for part, value in values.items()}
        return Boxed(self.name, self.type, held)


@dataclass(frozen=True, slots=True)
class Method:
    """A method. `argument` is None where it takes none; `answer` reads what it returns.

    `answer` raises SaidError where the plugin says that something is wrong, and GobError where it makes no sense.
    """

    argument: Argument | None
    answer: Callable[[Any], Any]

    def sent(self, values: Raw) -> tuple[Type, Boxed | None]:
        """Return the type and the value that are sent. Raises GobError."""
        return INTERFACE, self.argument.boxed(values) if self.argument is not None else None


def _struct(value: Any) -> Raw:
    if not isinstance(value, Mapping):
        raise GobError(f"a {type(value).__name__} where a struct belongs")
    return value


def _done(value: Any) -> None:
    """Read an error that is empty where all is well. Raises SaidError."""
    if said := _struct(value).get("ErrorString", ""):
        raise SaidError(str(said))


def _verified(value: Any) -> dict[str, Any]:
    """Read whether traffic follows: None where that isn't known."""
    known, error = _struct(value).get("Verified", 0), _struct(_struct(value).get("Err", {}))
    verified = None if known == _NOT_IMPLEMENTED else known == _VERIFIED
    return {"verified": verified, "error": str(error.get("ErrorString", ""))}


def _result(value: Any) -> dict[str, Any]:
    """Read how a step is; `requeueAfter` is in seconds. Raises SaidError."""
    _done(_struct(value).get("Error", {}))
    result = _struct(_struct(value).get("Result", {}))
    pause = result.get("RequeueAfter", 0)
    if not isinstance(pause, int):
        raise GobError("a pause that is none")
    return {
        "phase": str(result.get("Phase", "")),
        "message": str(result.get("Message", "")),
        "requeueAfter": pause / _SECOND,
        "status": _json(result.get("Status", b"")),
    }


def _json(data: Any) -> Any:
    try:
        return notation("json").to_json(data) if data else None
    except (ValueError, TypeError):
        raise GobError("a status that is no JSON") from None


def _measurement(value: Any) -> Any:
    return notation("Measurement").to_json(value)


def _texts(value: Any) -> dict[str, str]:
    return {str(name): str(each) for name, each in _struct(value).items()}


def _text(value: Any) -> str:
    return str(value)


@cache
def method(kind: Kind, name: str) -> Method:
    """Return a method of the plugins of a kind; KeyError if they have none of this name."""
    registered, parts, answer = {**_OF_ALL, **_OF[kind]}[name]
    return Method(_argument(registered, parts) if registered else None, answer)


@cache
def _argument(registered: str, parts: str) -> Argument:
    """Return an argument; methods may share one, which is then described once to a plugin."""
    kinds = dict(part.split(" ") for part in parts.split(", "))
    types = {part: notation(kind).type for part, kind in kinds.items()}
    return Argument(registered, Struct(registered.rpartition(".")[2], types), kinds)


_WEIGHT = "Rollout Rollout, DesiredWeight int, AdditionalDestinations [WeightDestination]"
_HASH = "Rollout Rollout, CanaryHash string, StableHash string, AdditionalDestinations [WeightDestination]"
_STEP = "Rollout Rollout, Context RpcStepContext"
_ONGOING = "AnalysisRun AnalysisRun, Metric Metric, Measurement Measurement"
_Row = tuple[str, str, Callable[[Any], Any]]
_OF_ALL: Mapping[str, _Row] = {"InitPlugin": ("", "", _done), "Type": ("", "", _text)}
_OF: Mapping[Kind, Mapping[str, _Row]] = {
    Kind.TRAFFIC: {
        "UpdateHash": ("UpdateHashArgs", _HASH, _done),
        "SetWeight": ("SetWeightAndVerifyWeightArgs", _WEIGHT, _done),
        "VerifyWeight": ("SetWeightAndVerifyWeightArgs", _WEIGHT, _verified),
        "SetHeaderRoute": ("SetHeaderArgs", "Rollout Rollout, SetHeaderRoute SetHeaderRoute", _done),
        "SetMirrorRoute": ("SetMirrorArgs", "Rollout Rollout, SetMirrorRoute SetMirrorRoute", _done),
        "RemoveManagedRoutes": ("RemoveManagedRoutesArgs", "Rollout Rollout", _done),
    },
    Kind.STEP: {
        "Run": ("step.RunArgs", _STEP, _result),
        "Terminate": ("step.TerminateArgs", _STEP, _result),
        "Abort": ("step.AbortArgs", _STEP, _result),
    },
    Kind.METRIC: {
        "Run": ("RunArgs", "AnalysisRun AnalysisRun, Metric Metric", _measurement),
        "Resume": ("TerminateAndResumeArgs", _ONGOING, _measurement),
        "Terminate": ("TerminateAndResumeArgs", _ONGOING, _measurement),
        "GarbageCollect": ("GarbageCollectArgs", "AnalysisRun AnalysisRun, Metric Metric, Limit int", _done),
        "GetMetadata": ("GetMetadataArgs", "Metric Metric", _texts),
    },
}
