"""What do all models of the API share? Frozen shapes in snake_case that read the wire's camelCase.

Scalars are strict, because the API server is: "3" is no count, and 1 is no boolean. Each type knows how it appears in a
CustomResourceDefinition; `rollouts.api.crds` puts them together.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, Strict, ValidationError, WithJsonSchema
from pydantic.alias_generators import to_camel

from rollouts.api.timestamps import parse_time


class Model(BaseModel):
    """A part of the API. Unknown fields are ignored: the API server and `rollouts lint` speak about them."""

    # Deferred: most programs use a few of the models only, and compiling them all takes longer than starting up.
    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, populate_by_name=True, extra="ignore", defer_build=True
    )


def _time(value: Any) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    if isinstance(value, str):
        return parse_time(value)
    raise ValueError(f"{value!r} is no time: write it as in 2006-01-02T15:04:05Z")


Bool = Annotated[bool, Strict()]
Int32 = Annotated[int, Strict(), WithJsonSchema({"type": "integer", "format": "int32"})]
Int64 = Annotated[int, Strict(), WithJsonSchema({"type": "integer", "format": "int64"})]
IntOrString = Annotated[
    Annotated[int, Strict()] | str,
    WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": True}),
]
Time = Annotated[datetime, PlainValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})]

M = TypeVar("M", bound=Model)


def parse(model: type[M], raw: Any) -> M:
    """Read raw JSON by the names on the wire. Raises pydantic.ValidationError."""
    return model.model_validate(raw, by_alias=True, by_name=False)


def parse_leniently(model: type[M], raw: Mapping[str, Any] | None) -> tuple[M, list[str]]:
    """Read a status that anybody may have written to: leave out what doesn't fit, and name it.

    Whole fields are left out, or whole items where a field is a list. All fields of `model` must be optional.
    """
    try:
        return parse(model, {} if raw is None else raw), []
    except ValidationError as error:
        if not isinstance(raw, Mapping):
            return model(), [f"status: {raw!r}"]
        rest = {key: value for key, value in raw.items() if value is not None}
        return _without_rubbish(model, rest, error)


def field_path(location: Sequence[int | str]) -> str:
    """Return pydantic's location of an error as a field path: `spec.strategy.canary.steps[2]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def describe(error: ValidationError) -> str:
    """Say which field is wrong and why, in the form of the API's own messages."""
    first = error.errors(include_url=False, include_context=False)[0]
    return f"{field_path(first['loc'])}: Invalid value: {first['input']!r}: {first['msg']}"


def _without_rubbish(model: type[M], rest: dict[str, Any], error: ValidationError) -> tuple[M, list[str]]:
    wrong: dict[str, set[int]] = {}  # by field: the wrong items; none where the field is wrong as a whole
    for problem in error.errors(include_url=False):
        key, *inside = problem["loc"]
        wrong.setdefault(str(key), set()).update(index for index in inside[:1] if isinstance(index, int))
    dropped: list[str] = []
    for key, indices in wrong.items():
        value = rest.pop(key, None)
        if indices:
            rest[key] = [item for index, item in enumerate(value) if index not in indices]
            dropped += [f"status.{key}[{index}]: {value[index]!r}" for index in sorted(indices)]
        elif value is not None:  # null says no more than absence
            dropped.append(f"status.{key}: {value!r}")
    return parse(model, rest), dropped
