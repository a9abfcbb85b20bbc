"""What may happen in the course of a rollout? The format of a scenario file, and what is wrong with one.

Fields that tell how pods act stand beside `images`, and what people do stands in `happens`: each entry has its moment
(`at`, `when`, `after`) and a deed (`do`). Entries happen in order; none before those above it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Strict,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from rollouts.api.base import field_path
from rollouts.api.durations import parse_duration
from rollouts.sim.metrics import Metrics, read_metrics
from rollouts.sim.pods import Behaviour

_STEP = re.compile(r"step ([1-9]\d*)")
_STATES = ("healthy", "paused", "degraded", "progressing")


def _length(value: Any) -> timedelta:
    """Read a duration: a number of seconds, or Go's notation."""
    if isinstance(value, timedelta):
        return value
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("is no duration: write seconds, or for example 90s or 1h30m")  # noqa: TRY004 - pydantic's way
    length = timedelta(seconds=int(value)) if str(value).isdecimal() else parse_duration(str(value))
    if length < timedelta():
        raise ValueError(f"{value!r} is negative: write a duration of 0s or more")
    return length


Length = Annotated[timedelta, PlainValidator(_length)]


class Part(BaseModel):
    """A part of the file: a field that isn't known is an error."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, extra="forbid")


@dataclass(frozen=True, slots=True)
class Condition:
    """A state of the Rollout: its phase, in small letters, or the number of the step that it is at, from 1."""

    state: str = ""
    step: int = 0

    def __str__(self) -> str:
        return self.state or f"step {self.step}"


def _condition(value: Any) -> Condition:
    if isinstance(value, Condition):
        return value
    if value in _STATES:
        return Condition(state=str(value))
    if isinstance(value, str) and (found := _STEP.fullmatch(value)):
        return Condition(step=int(found[1]))
    raise ValueError(f"{value!r} never comes: write {', '.join(_STATES)}, or `step N` with N from 1")


def _end(value: Any) -> Condition | timedelta:
    is_state = isinstance(value, str) and (value.lower() in _STATES or value.startswith("step"))
    return _condition(value) if is_state else _length(value)


def _metrics(value: Any) -> Metrics:
    return value if isinstance(value, Metrics) else read_metrics(value)


Measured = Annotated[Metrics, PlainValidator(_metrics)]
When = Annotated[Condition, PlainValidator(_condition)]
End = Annotated[Condition | timedelta, PlainValidator(_end)]


class Word(StrEnum):
    """A deed that needs no more than its name."""

    RESUME = "resume"
    PROMOTE = "promote"
    PROMOTE_FULL = "promote full"
    ABORT = "abort"
    RETRY = "retry"
    PAUSE = "pause"
    UNDO = "undo"
    RESTART = "restart"


class PodChoice(Part):
    """Some pods: the oldest `count` of an image, or all of them."""

    image: str
    count: Annotated[int, Strict(), Field(ge=1)] | None = None


class Asked(Part):
    """A deed with an argument; one of them is set."""

    set_image: str | dict[str, str] | None = None
    patch_spec: dict[str, Any] | None = None
    patch_status: dict[str, Any] | None = None
    scale: Annotated[int, Strict(), Field(ge=0)] | None = None
    undo: Annotated[int, Strict(), Field(ge=1)] | None = None
    delete_pods: PodChoice | None = None
    apply: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _is_one_deed(self) -> "Asked":
        if len(self.model_fields_set) != 1:
            raise ValueError(f"is {len(self.model_fields_set)} deeds: write one deed for each entry of `happens`")
        if isinstance(self.set_image, str) and "=" in self.set_image:
            container, _, image = self.set_image.partition("=")
            raise ValueError(f"{self.set_image!r} is no image: write `setImage: {{{container}: {image}}}`")
        return self


def _kind_of_deed(value: Any) -> Literal["word", "asked"]:
    return "asked" if isinstance(value, Mapping | Asked) else "word"


Deed = Annotated[Annotated[Word, Tag("word")] | Annotated[Asked, Tag("asked")], Discriminator(_kind_of_deed)]


class Happening(Part):
    """Something that happens: at a time from the start, or so long `after` a state (or the entry above it) is there."""

    at: Length | None = None
    when: When | None = None
    after: Length = timedelta()
    do: Deed

    @model_validator(mode="after")
    def _has_one_moment(self) -> "Happening":
        if self.at is not None and (self.when is not None or "after" in self.model_fields_set):
            raise ValueError("has two moments: write `at`, or `when` and `after`")
        return self

    @property
    def moment(self) -> str:
        """The moment in words."""
        if self.at is not None:
            return f"at {self.at.total_seconds():g}s"
        delay = f"{self.after.total_seconds():g}s after" if self.after else ""
        if self.when is None:
            return f"{delay or 'at once after'} the entry above it"
        return f"{delay} {self.when}".lstrip() if delay else f"when {self.when}"


class ImageBehaviour(Part):
    """How pods of an image act."""

    ready_after: Length = timedelta(seconds=1)
    never_ready: Annotated[bool, Strict()] = False
    crash_after: Length | None = None
    refused: str = ""

    @model_validator(mode="after")
    def _is_ready_at_some_time_or_never(self) -> "ImageBehaviour":
        if self.never_ready and "ready_after" in self.model_fields_set:
            raise ValueError("has both readyAfter and neverReady: remove one of them")
        return self

    @property
    def behaviour(self) -> Behaviour:
        """The same as the simulated world takes it."""
        return Behaviour(
            ready_after=None if self.never_ready else self.ready_after.total_seconds(),
            fails_after=None if self.crash_after is None else self.crash_after.total_seconds(),
            refusal=self.refused,
        )


class Course(Part):
    """A whole scenario file."""

    images: dict[str, ImageBehaviour] = {}
    happens: list[Happening] = []
    metrics: Measured = Metrics()
    resume_after: Length | None = None
    until: End | None = None


class CourseError(Exception):
    """A file is no scenario; `problems` has a line with field and way out for each reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read_course(raw: Any) -> Course:
    """Read a scenario. Raises CourseError."""
    if not isinstance(raw, Mapping):
        raise CourseError([f"is no scenario but {type(raw).__name__}: write a mapping with `images` and `happens`"])
    try:
        return Course.model_validate(raw, by_alias=True, by_name=False)
    except ValidationError as error:
        raise CourseError(list(_problems(error))) from error


_NAMES: Mapping[str, type[Part]] = {
    "Course": Course,
    "happens": Happening,
    "images": ImageBehaviour,
    "do": Asked,
    "deletePods": PodChoice,
}
_TAGS = frozenset({"word", "asked"})
_SHAPES = {"list_type": "a list", "dict_type": "a mapping", "model_type": "a mapping"}
_KNOWN = {kind: [str(each.alias) for each in model.model_fields.values()] for kind, model in _NAMES.items()}


def _problems(error: ValidationError) -> Iterator[str]:
    for each in error.errors(include_url=False):
        location = [part for part in each["loc"] if part not in _TAGS and part != "[key]"]
        path = field_path(location)
        if each["type"] == "extra_forbidden":
            yield f"{path}: is no field of a scenario: {_nearest(location)}"
        elif each["type"] == "enum":
            yield f"{path} = {each['input']!r}: {_nearest_deed(each['input'])}"
        elif each["type"] == "missing":
            yield f"{path}: is missing: add it"
        elif each["type"] == "greater_than_equal":
            yield f"{path}: {each['input']} is too small: must be {each['ctx']['ge']} or more"
        elif each["type"] in _SHAPES:
            yield f"{path}: has the wrong shape: write {_SHAPES[each['type']]}"
        else:
            yield f"{path}: {each['msg'].removeprefix('Value error, ')}".removeprefix(": ")


def _nearest(location: list[int | str]) -> str:
    *parents, name = map(str, location)
    kind = next((parent for parent in reversed(parents) if parent in _KNOWN), "Course")
    near = get_close_matches(str(name), _KNOWN[kind], n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(_KNOWN[kind])}"


def _nearest_deed(value: Any) -> str:
    known = list(dict.fromkeys([*map(str, Word), *_KNOWN["do"]]))
    near = get_close_matches(str(value), known, n=1)
    if near and near[0] in _KNOWN["do"]:
        return f"needs an argument: write `do: {{{near[0]}: ...}}`"
    return "is no deed: " + (f"did you mean {str(near[0])!r}?" if near else f"known are {', '.join(known)}")
