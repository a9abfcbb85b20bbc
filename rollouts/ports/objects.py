"""What may a metric provider ask an API server? Requests that are data; whoever runs the flow sends them.

None of them names a namespace: a provider's objects are where its `home` says, which templates have no say in. Each is
refused unless the provider declares it.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

Raw = Mapping[str, Any]
Verb = Literal["get", "list", "create", "delete"]


@dataclass(frozen=True, slots=True)
class ObjectKind:
    """A kind of namespaced objects, as an API server addresses it. The core group's name is empty."""

    group: str
    version: str
    plural: str
    kind: str

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


@dataclass(frozen=True, slots=True)
class Home:
    """Where a provider's objects are: a namespace, on the controller's own cluster unless there is a kubeconfig."""

    namespace: str
    kubeconfig: str = ""


@dataclass(frozen=True, slots=True)
class ReadObject:
    """Is answered with the object, or None if there is none of this name."""

    kind: ObjectKind
    name: str
    verb: ClassVar[Verb] = "get"

    def ask(self) -> Generator["ReadObject", Any, Raw | None]:
        """Yield the request, and return its answer. Raises MeasurementError."""
        answer: Raw | None = yield self
        return answer


@dataclass(frozen=True, slots=True)
class ListObjects:
    """Is answered with the objects that the selectors of labels and of fields choose."""

    kind: ObjectKind
    labels: str = ""
    fields: str = ""
    verb: ClassVar[Verb] = "list"

    def ask(self) -> Generator["ListObjects", Any, Sequence[Raw]]:
        """Yield the request, and return its answer. Raises MeasurementError."""
        answer: Sequence[Raw] = yield self
        return answer


@dataclass(frozen=True, slots=True)
class CreateObject:
    """Is answered with the object that was created. One of its name is an ObjectError of reason AlreadyExists."""

    kind: ObjectKind
    body: Raw = field(repr=False)
    verb: ClassVar[Verb] = "create"

    def ask(self) -> Generator["CreateObject", Any, Raw]:
        """Yield the request, and return its answer. Raises MeasurementError."""
        answer: Raw = yield self
        return answer


@dataclass(frozen=True, slots=True)
class DeleteObject:
    """Deletes an object, with what it owns. One that isn't there is deleted already; the answer is None."""

    kind: ObjectKind
    name: str
    propagation: Literal["Foreground", "Background"] = "Background"
    verb: ClassVar[Verb] = "delete"

    def ask(self) -> Generator["DeleteObject", Any, None]:
        """Yield the request. Raises MeasurementError."""
        yield self


@dataclass(frozen=True, slots=True)
class ReadPath:
    """Reads what is no object, such as a path of an aggregated API. Is answered with its JSON.

    `path` is below one of the provider's `paths`, with the namespace in it. Nothing there is an ObjectError of reason
    NotFound.
    """

    path: str
    query: Mapping[str, str] = field(default_factory=dict)

    def ask(self) -> Generator["ReadPath", Any, Raw]:
        """Yield the request, and return its answer. Raises MeasurementError."""
        answer: Raw = yield self
        return answer


ObjectRequest = ReadObject | ListObjects | CreateObject | DeleteObject | ReadPath
ObjectAnswer = Raw | Sequence[Raw] | None
